import { expect, test } from "vitest";
import { didYouMean } from "./suggest.ts";

test.each([
  ["acuracy", 'Did you mean "accuracy"?'],
  ["Accuracy", 'Did you mean "accuracy"?'],
  ["F1-macro-score", "Known: accuracy, macro-f1."],
])("%s", (name, expected) => {
  expect(didYouMean(name, ["accuracy", "macro-f1"])).toBe(expected);
});

test("with nothing known there is nothing to suggest", () => {
  expect(didYouMean("a", [])).toBe("Known: none.");
});
