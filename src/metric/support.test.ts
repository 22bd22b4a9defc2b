import { expect, test } from "vitest";
import { answerSentences, rarity, supportOf } from "./support.ts";

const passage = "Deposits: The deposit for a Skiff is two monthly payments, or £1,200.50 for firms. Ada Brand signs for it on Mondays.";
const supported = (sentence: string): boolean => supportOf({ sentence, passage }).supported;

test("a sentence whose words, numbers and names stand in the passage is supported", () => {
  expect(supported("You pay two monthly payments as the deposit.")).toBe(true);
  expect(supported("The deposit is 2 monthly payments [1].")).toBe(true);
  expect(supported("The deposit of firms is 1200.5 for a Skiff.")).toBe(true);
  expect(supported("Ada Brand signs for deposits.")).toBe(true);
});

test("one number or one name that the passage does not hold is enough against it", () => {
  expect(supportOf({ sentence: "The deposit is three monthly payments.", passage })).toMatchObject({ supported: false, missing: ["3"] });
  expect(supportOf({ sentence: "The deposit is signed by Ada Smith.", passage })).toMatchObject({ supported: false, missing: ["Smith"] });
  expect(supportOf({ sentence: "Otter deposits are two monthly payments.", passage }).missing).toEqual([]);
});

test("what is said in other words needs embeddings, and what is not said has neither", () => {
  const sentence = "Customers pay a deposit for a Skiff.";
  expect(supportOf({ sentence, passage }).supported).toBe(false);
  expect(supportOf({ sentence, passage, similarity: 0.9 }).supported).toBe(true);
  expect(supportOf({ sentence: "Yes, you can.", passage, similarity: 0.9 })).toEqual({ supported: false, score: 0.45, missing: [] });
});

test("rarer words count more", () => {
  const weight = rarity([passage, "The deposit is paid in advance.", "The deposit is paid back in advance of a claim."]);
  expect(weight("skiff")).toBeGreaterThan(weight("deposit"));
  const plain = supportOf({ sentence: "The deposit covers submarines.", passage });
  expect(supportOf({ sentence: "The deposit covers submarines.", passage, weight }).score).toBeLessThan(plain.score);
});

test("sentences come with what they cite, before or behind the full stop", () => {
  expect(answerSentences("It costs £4.50 [1]. Two keys are given.[2, 3] They\nopen both doors. [1][4]")).toEqual([
    { text: "It costs £4.50.", cited: [1] },
    { text: "Two keys are given.", cited: [2, 3] },
    { text: "They\nopen both doors.", cited: [1, 4] },
  ]);
  expect(answerSentences("")).toEqual([]);
});
