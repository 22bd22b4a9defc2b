import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokenizer } from "./bpe.ts";
import reference from "./fixtures/bpe.json" with { type: "json" };
import { preTokenise, preTokeniserNames } from "./pre-tokenise.ts";
import { trainBpe } from "./train-bpe.ts";

const { texts, vocabularySize, specialTokens } = reference;
const model = trainBpe({ texts, vocabularySize, specialTokens });
const tokenizer = createTokenizer(model);

test("the same vocabulary and merges as the Python package tokenizers", () => {
  expect(model.merges).toEqual(reference.merges);
  expect(model.tokens).toEqual(reference.tokens);
});

test("the same ids as the Python package tokenizers", () => {
  expect(reference.encoded.map(({ text }) => ({ text, ids: tokenizer.encode(text) }))).toEqual(reference.encoded);
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("the ", "log", "'ll", " 7", "  ", "\n", "灯台", "🦙", "<|im_end|>", "aaaa", "\ufeff", "\u0085"))
    .map((parts) => parts.join("")),
);

test("any text is read back from its ids, under every rule for cutting texts", () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(...preTokeniserNames), (text, preTokeniser) => {
      expect(preTokenise(text, preTokeniser).join("")).toBe(text);
      const other = createTokenizer({ ...model, preTokeniser });
      const wellFormed = Buffer.from(text, "utf8").toString();
      expect(other.decode(other.encode(text))).toBe(wellFormed);
      expect(other.decode(other.encode(text, { special: true }), { special: true })).toBe(wellFormed);
    }),
    { numRuns: 300 },
  );
});

test("special tokens in a text are tokens only where that is asked for", () => {
  const text = "<|im_start|>log<|im_end|>";
  expect(tokenizer.encode(text, { special: true })).toEqual([1, ...tokenizer.encode("log"), 2]);
  expect(tokenizer.encode(text).some((id) => id < 3)).toBe(false);
  expect(tokenizer.decode([1, ...tokenizer.encode("log"), 2])).toBe("log");
});

test("a vocabulary never grows beyond its size, and is smaller where there is nothing left to merge", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 6 }), fc.integer({ min: 257, max: 300 }), (corpus, size) => {
      const { tokens, merges } = trainBpe({ texts: corpus, vocabularySize: size, specialTokens: ["<|end|>"] });
      expect(tokens.length).toBeLessThanOrEqual(size);
      expect(new Set(tokens).size).toBe(tokens.length);
      expect(new Set(merges).size).toBe(merges.length);
    }),
  );
  expect(trainBpe({ texts: ["ab"], vocabularySize: 1000 }).tokens).toHaveLength(257);
});

test("no room for the bytes is a one-line error", () => {
  expect(() => trainBpe({ texts: [], vocabularySize: 256, specialTokens: ["<|end|>"] })).toThrow(
    "A vocabulary of 256 tokens has no room for the 256 bytes and 1 special tokens. Take 257 at least.",
  );
});
