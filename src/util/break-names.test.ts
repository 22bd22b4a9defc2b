import fc from "fast-check";
import { expect, test } from "vitest";
import { nameBreaker, patternBreaker } from "./break-names.ts";

const names = ["<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "<<SYS>>", "ab", "ba", "aba"];
const breakNames = nameBreaker(names);
const piece = fc.oneof(
  fc.constantFrom(...names, ...names.flatMap((name) => [name.slice(0, 2), name.slice(2)])),
  fc.string({ unit: "binary" }),
);
const texts = fc.array(piece).map((pieces) => pieces.join(""));

test("no text holds a name any more, and every text reads as before", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const broken = breakNames(text);
      expect(names.filter((name) => broken.includes(name))).toEqual([]);
      expect(broken.replaceAll("\u200B", "")).toBe(text.replaceAll("\u200B", ""));
      expect(breakNames(broken)).toBe(broken);
    }),
  );
});

test("a text without a name stays as it is", () => {
  fc.assert(
    fc.property(texts, (text) => {
      fc.pre(names.every((name) => !text.includes(name)));
      expect(breakNames(text)).toBe(text);
    }),
  );
});

test("no names, or names of one character, break nothing", () => {
  expect(nameBreaker([])("<s>")).toBe("<s>");
  expect(nameBreaker(["<", "👍"])("<👍")).toBe("<👍");
});

test("patterns are broken wherever they match", () => {
  expect(patternBreaker(String.raw`<\|[^|<>]+\|>`)("a <|x|> <|y|>")).toBe("a <\u200B|x|> <\u200B|y|>");
  expect(patternBreaker("question:", "i")("QUESTION: ?")).toBe("Q\u200BUESTION: ?");
});
