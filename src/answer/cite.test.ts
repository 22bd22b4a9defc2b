import { expect, test } from "vitest";
import type { Passage } from "../evaluation.ts";
import { mockModel } from "../model/mock.ts";
import { cite } from "./cite.ts";
import { judgeSupport } from "./judge-support.ts";

const passage = (text: string, title = "Handbook"): Passage => ({ document: "a.md", title, start: 0, end: text.length, text, score: 1 });
const passages = [
  passage("The deposit for a Skiff is two monthly payments."),
  passage("The depot at Quay Lane opens at 8 on weekdays."),
  passage("Refunds of deposits are paid within 14 days of the return."),
];

test("citations that hold stay, those that do not are dropped and counted, and the right passage is named instead", async () => {
  const output = "The Skiff's deposit is two monthly payments [1]. The depot at Quay Lane opens at 8 [3]. Refunds take 30 days. [3]";
  expect(await cite({ output, passages })).toEqual({
    output: "The Skiff's deposit is two monthly payments [1]. The depot at Quay Lane opens at 8 [2]. Refunds take 30 days.",
    sentences: [
      { text: "The Skiff's deposit is two monthly payments.", citations: [1] },
      { text: "The depot at Quay Lane opens at 8.", citations: [2] },
      { text: "Refunds take 30 days.", citations: [] },
    ],
    citations: { given: 3, dropped: 2 },
  });
});

test("a sentence that cites nothing is given the passage that supports it", async () => {
  const cited = await cite({ output: "You pay two monthly payments as a deposit.\n\nWe like you.", passages });
  expect(cited.output).toBe("You pay two monthly payments as a deposit [1].\n\nWe like you.");
  expect(cited.citations).toEqual({ given: 0, dropped: 0 });
});

test("citations hold together where none does alone, but words of two passages are not put together for a sentence", async () => {
  const joint = "The Skiff's deposit of two monthly payments is refunded within 14 days of the return.";
  expect(await cite({ output: `${joint} [3][1]`, passages })).toMatchObject({ citations: { given: 2, dropped: 0 } });
  expect((await cite({ output: joint, passages })).sentences[0]!.citations).toEqual([]);
});

test("a number of no passage is dropped, and an answer without passages cites nothing", async () => {
  expect((await cite({ output: "The deposit is two monthly payments [7].", passages })).citations).toEqual({ given: 1, dropped: 1 });
  expect(await cite({ output: "Yes. [1]", passages: [] })).toMatchObject({ output: "Yes.", citations: { given: 1, dropped: 1 } });
  expect(await cite({ output: "", passages })).toEqual({ output: "", sentences: [], citations: { given: 0, dropped: 0 } });
});

/** Words as directions, some of them alike. */
async function embed(text: string): Promise<Float32Array> {
  const alike = /money|deposit|payment/iu.test(text);
  return Float32Array.from(alike ? [1, 0] : [0, 1]);
}

test("embeddings know what is said in other words, and do not save a wrong number", async () => {
  const output = "Money for a Skiff is taken monthly.";
  expect((await cite({ output, passages })).sentences[0]!.citations).toEqual([]);
  expect((await cite({ output, passages, embed })).sentences[0]!.citations).toEqual([1]);
  expect((await cite({ output: "Money for a Skiff is taken 3 times monthly.", passages, embed })).sentences[0]!.citations).toEqual([]);
});

test("a judge decides what words leave open", async () => {
  const asked: string[] = [];
  const judge = judgeSupport(
    mockModel({
      answer: (text) => {
        asked.push(text);
        return text.includes("Money") ? "Yes" : "No";
      },
    }),
  );
  const cited = await cite({
    output: "Money for a Skiff is taken monthly [1]. A Skiff's deposit is two monthly payments [1].",
    passages,
    judge,
  });
  expect(cited.sentences.map(({ citations }) => citations)).toEqual([[1], []]);
  expect(asked[0]).toContain("Statement: Money for a Skiff is taken monthly.");
});
