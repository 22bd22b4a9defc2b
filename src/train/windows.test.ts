import fc from "fast-check";
import { expect, test } from "vitest";
import { textData, tokenWindows } from "./windows.ts";

test("windows of a long text cover every token but the first once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 2, maxLength: 50 }), fc.integer({ min: 1, max: 12 }), (tokens, length) => {
      const windows = tokenWindows(tokens, length);
      expect(windows.flatMap((window) => window.tokens.slice(1))).toEqual(tokens.slice(1));
      expect(windows.every((window) => window.tokens.length >= 2 && window.tokens.length <= length + 1 && window.promptLength === 0)).toBe(
        true,
      );
    }),
  );
});

const texts = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }), { minLength: 2, maxLength: 20 });

test("texts are learnt or kept for validation, none both, none cut between the two", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), (all, length, tenths) => {
      const { train, validation } = textData({ texts: all, length, separator: 0, validationShare: tenths / 10 });
      const joined = [train, validation].map((side) => [side[0]?.tokens[0], ...side.flatMap(({ tokens }) => tokens.slice(1))]);
      const found = joined.flatMap((tokens) => tokens.join("").split("0").slice(0, -1));
      expect(found.sort()).toEqual(all.map((text) => text.join("")).sort());
      const total = all.reduce((sum, text) => sum + text.length + 1, 0);
      // At least the share, and at most one text more.
      expect(joined[1]?.length).toBeGreaterThanOrEqual(1);
      expect(joined[1]?.length).toBeLessThanOrEqual(Math.ceil((tenths / 10) * total) + 31);
    }),
  );
});

test("of a single text the end is kept, and too little text is named", () => {
  const text = Array.from({ length: 19 }, (_, index) => index + 1);
  const { train, validation } = textData({ texts: [text], length: 8, separator: 0, validationShare: 0.25 });
  expect(train.map(({ tokens }) => tokens)).toEqual([text.slice(0, 9), text.slice(8, 15)]);
  expect(validation.map(({ tokens }) => tokens)).toEqual([[16, 17, 18, 19, 0]]);
  expect(() => textData({ texts: [[1, 2]], length: 8, separator: 0 })).toThrow(
    "The text has 3 tokens, too few to train on and to keep 10 % for validation. Give it more text.",
  );
});
