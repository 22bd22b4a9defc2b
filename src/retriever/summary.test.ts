import fc from "fast-check";
import { expect, test } from "vitest";
import { countWords } from "./chunk-source.ts";
import { keySentences } from "./summary.ts";

test("the sentences that say most of what the text says, in its order, each something else", () => {
  const text =
    "The weather was grey. Bike hire costs nine pounds a day. Bike hire at the harbour costs nine pounds. A boat needs a licence. The boat licence is sold at the harbour office.";
  expect(keySentences(text, 16)).toBe("Bike hire at the harbour costs nine pounds. A boat needs a licence.");
});

test("a short text is itself", () => {
  expect(keySentences("  One sentence only.\n", 10)).toBe("One sentence only.");
});

test("a summary is no longer than asked and made of the text's own words", () => {
  const text = fc
    .array(fc.lorem({ maxCount: 12 }), { minLength: 1, maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}.`).join(" "));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (given, words) => {
      const summary = keySentences(given, words);
      expect(countWords(summary)).toBeLessThanOrEqual(words);
      for (const word of summary.split(" ")) expect(given).toContain(word);
    }),
  );
});
