import fc from "fast-check";
import { expect, test } from "vitest";
import { sentences } from "./sentences.ts";

test("sentences run over line ends; headings, rows and items stand for themselves", () => {
  const text =
    "# Opening hours\nWe open at 8\na.m. and close late. Ring first.\n\n| Day | Hours |\n| Mon | 8-20 |\n- Keys are\n  given out.\n- Bells\n";
  expect(sentences(text).map((one) => one.text)).toEqual([
    "# Opening hours",
    "We open at 8\na.m. and close late.",
    "Ring first.",
    "| Day | Hours |",
    "| Mon | 8-20 |",
    "- Keys are\n  given out.",
    "- Bells",
  ]);
});

test("every sentence is the slice of its place, in order, and nothing but space is left out", () => {
  const piece = fc.constantFrom("One. ", "Two!", "\n", "\n\n", "\r\n", "- a ", "| b |", " ", "# T", "3.5", "é。", "x");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const found = sentences(text);
      for (const { text: sentence, start, end } of found) expect(text.slice(start, end)).toBe(sentence);
      const joined = found.map((one) => one.text).join("");
      expect(joined.replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
    }),
  );
});
