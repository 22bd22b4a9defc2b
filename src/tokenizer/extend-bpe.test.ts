import fc from "fast-check";
import { expect, test } from "vitest";
import { type BpeModel, createTokenizer } from "./bpe.ts";
import { extendBpe } from "./extend-bpe.ts";
import { preTokenise, preTokeniserNames, takesWholePieces } from "./pre-tokenise.ts";
import { trainBpe } from "./train-bpe.ts";

const general = [
  "The keeper of the lighthouse writes the weather into the log, and the boat comes in the morning with bread and letters for the keeper.",
  "Where are the letters, and when does the boat come? In the evening the lamp is lit; the weather is fine, the wind is from the west.",
];
const field = [
  "Hypersonic flow past a blunt body: the boundary layer of hypersonic flow, and the aeroelastic flutter of wings in hypersonic flow.",
  "Aeroelastic flutter is not hypersonic flow. Übergröße, Übergröße: the hypersonic boundary layer of the aeroelastic wing.",
];
const model = trainBpe({ texts: general, vocabularySize: 340, specialTokens: ["<|end|>"] });
const old = createTokenizer(model);
const { added, ...extended } = extendBpe({ model, texts: field, count: 40, leastOccurrences: 3 });

const lengthOf = (of: BpeModel, texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + createTokenizer(of).encode(text).length, 0);

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc
    .array(fc.constantFrom(" hyper", "sonic", "hypersonic", " flow", "Über", "Ü", "\u0153", "the ", "\n\n", "🦙", "<|end|>", " 7"))
    .map((parts) => parts.join("")),
);

test("words of the field become tokens, and no text of the field takes more of them than before", () => {
  expect(added.map(({ token }) => token)).toContain("Ġhypersonic");
  expect(extended.tokens.after).toBeLessThan(0.7 * extended.tokens.before);
  expect(lengthOf(model, field)).toBe(extended.tokens.before);
  expect(lengthOf(extended.model, field)).toBe(extended.tokens.after);
  expect(added.reduce((sum, { saved }) => sum + saved, 0)).toBe(extended.tokens.before - extended.tokens.after);
});

test("a new token's pieces are the old tokens that spell it", () => {
  for (const { token, pieces } of added) expect(pieces.map((id) => model.tokens[id]).join("")).toBe(token);
  expect(added.every(({ pieces }) => pieces.length > 1 && pieces.every((id) => id < model.tokens.length))).toBe(true);
});

test("old tokens keep their ids, so that old ids are the same text", () => {
  expect(extended.model.tokens.slice(0, model.tokens.length)).toEqual(model.tokens);
  expect(extended.model.merges.slice(0, model.merges.length)).toEqual(model.merges);
  expect(new Set(extended.model.tokens).size).toBe(model.tokens.length + added.length);
  const longer = createTokenizer(extended.model);
  fc.assert(
    fc.property(anyText, (text) => {
      expect(longer.decode(old.encode(text))).toBe(old.decode(old.encode(text)));
    }),
  );
});

const anyTexts = fc.array(anyText, { maxLength: 5 });

test("any text is read back from its ids, under every rule for cutting texts", () => {
  fc.assert(
    fc.property(anyText, anyTexts, fc.constantFrom(...preTokeniserNames), (text, texts, preTokeniser) => {
      const longer = extendBpe({ model: { ...model, preTokeniser }, texts: [...field, ...texts], count: 30, leastOccurrences: 2 });
      const tokenizer = createTokenizer(longer.model);
      const ids = tokenizer.encode(text, { special: true });
      expect(tokenizer.decode(ids, { special: true })).toBe(Buffer.from(text, "utf8").toString());
    }),
  );
});

test("a new id stands where its pieces stood", () => {
  // A rule that takes whole pieces of text may find a new one before it merges anything.
  const merging = preTokeniserNames.filter((name) => !takesWholePieces(name));
  fc.assert(
    fc.property(anyText, anyTexts, fc.constantFrom(...merging), (text, texts, preTokeniser) => {
      const base = { ...model, preTokeniser };
      const longer = extendBpe({ model: base, texts: [...field, ...texts], count: 30, leastOccurrences: 2 });
      const ids = createTokenizer(longer.model).encode(text, { special: true });
      const asBefore = ids.flatMap((id) => longer.added[id - model.tokens.length]?.pieces ?? [id]);
      expect(asBefore).toEqual(createTokenizer(base).encode(text, { special: true }));
    }),
  );
});

/** The same by counting everything anew after each merge. */
function plainly(texts: readonly string[], count: number, least: number): readonly string[] {
  let grown = model;
  while (grown.tokens.length < model.tokens.length + count) {
    const tokenizer = createTokenizer(grown);
    const counts = new Map<string, number>();
    for (const ids of texts.flatMap((text) => preTokenise(text, model.preTokeniser)).map((piece) => tokenizer.encode(piece))) {
      // Of three equal symbols only one pair can merge: the words here have none.
      for (const [index, right] of ids.slice(1).entries()) {
        const pair = `${ids[index]} ${right}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const sides = (pair: string) => pair.split(" ").map(Number) as [number, number];
    const [best] = [...counts]
      .filter(
        ([pair, times]) =>
          times >= least &&
          !grown.tokens.includes(
            sides(pair)
              .map((id) => grown.tokens[id])
              .join(""),
          ),
      )
      .toSorted(([a, timesOfA], [b, timesOfB]) => timesOfB - timesOfA || sides(a)[0] - sides(b)[0] || sides(a)[1] - sides(b)[1]);
    if (best === undefined) break;
    const [left, right] = sides(best[0]).map((id) => grown.tokens[id]!);
    grown = { ...grown, tokens: [...grown.tokens, `${left}${right}`], merges: [...grown.merges, `${left} ${right}`] };
  }
  return grown.tokens.slice(model.tokens.length);
}

test("each new token is the most frequent pair of the texts as they are tokenised until then", () => {
  expect(added.map(({ token }) => token)).toEqual(plainly(field, 40, 3));
});

test("there are no more than the texts offer, and none of no text", () => {
  const all = extendBpe({ model, texts: field, count: 1_000_000, leastOccurrences: 5 });
  expect(all.added.length).toBeLessThan(100);
  expect(Math.min(...all.added.map(({ saved }) => saved))).toBeGreaterThanOrEqual(5);
  const none = { model, added: [], tokens: { before: 0, after: 0 } };
  expect(extendBpe({ model, texts: [], count: 100 })).toEqual(none);
  expect(extendBpe({ model, texts: [""], count: 100 })).toEqual(none);
  expect(extendBpe({ model, texts: field, count: 0 }).model).toEqual(model);
});
