import fc from "fast-check";
import { expect, test } from "vitest";
import { wordedOtherwise, wordingsUsed } from "./consistency.ts";
import { rewordings } from "./rewordings.ts";

const letters = (text: string): string => text.toLowerCase().split("").toSorted().join("");

test("each rule words the question otherwise", () => {
  const [lower, bare, greeted, typo] = rewordings("Where is the Office?", 0);
  expect([lower, bare, greeted]).toEqual(["where is the office?", "Where is the Office", "Hello, Where is the Office?"]);
  expect(typo).not.toBe("Where is the Office?");
  expect(letters(typo!)).toBe(letters("Where is the Office?"));
});

test("what a rule leaves as it was is left out, and nothing is empty", () => {
  expect(rewordings("ok", 0)).toEqual(["Hello, ok"]);
  expect(rewordings("?", 0)).toEqual(["Hello, ?"]);
});

test("the same seed words the same, none as the input, none twice", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(5), (input, seed) => {
      const worded = rewordings(input, seed);
      expect(rewordings(input, seed)).toEqual(worded);
      expect(worded).not.toContain(input);
      expect(new Set(worded).size).toBe(worded.length);
      expect(worded.every((one) => !/\p{Surrogate}/u.test(one))).toBe(true);
    }),
  );
});

test("variants that come with the examples go before rules", () => {
  const plain = { id: "a", input: "Where is it?", output: "Here" };
  const varied = { id: "b", input: "When?", output: "Now", variants: ["At what time?", "what time"] };
  const both = wordedOtherwise([plain, varied], { inputs: 5, seed: 0 });
  expect(both.originals).toEqual([varied]);
  expect(both.reworded.map(({ id, input, group }) => [id, input, group])).toEqual([
    ["b~1", "At what time?", "b"],
    ["b~2", "what time", "b"],
  ]);
  expect(wordingsUsed([plain, varied])).toBe("other wordings given with the examples");
  expect(wordedOtherwise([plain, plain], { inputs: 1, seed: 0 }).originals).toHaveLength(1);
  expect(wordingsUsed([plain])).toBe("rule-based rewordings: lower case, no end mark, a greeting before, a typo");
});
