import fc from "fast-check";
import { expect, test } from "vitest";
import { words } from "./words.ts";

test.each([
  ["Don't ask; the bike’s £1,200.50!", ["don't", "ask", "the", "bike's", "1,200.50"]],
  ["state-of-the-art e.g. v2.0.1, 'quoted'", ["state", "of", "the", "art", "e", "g", "v2.0.1", "quoted"]],
  ["ÉCOLE Straße ﬁne", ["école", "straße", "fine"]],
  ["东京タワーひら", ["东", "京", "タワー", "ひ", "ら"]],
  ["हिन्दी भाषा", ["हिन्दी", "भाषा"]],
  ["snake_case 🧵 --", ["snake", "case"]],
  ["", []],
])("%s", (text, expected) => {
  expect(words(text)).toEqual(expected);
});

test("words of words are the same words", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const once = words(text);
      expect(words(once.join(" "))).toEqual(once);
    }),
  );
});
