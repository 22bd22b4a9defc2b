import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bm25Scores } from "./bm25.ts";
import reference from "./fixtures/lexical-scores.json" with { type: "json" };
import { InvertedIndex } from "./inverted-index.ts";
import { stemmedTerms } from "../util/terms.ts";
import { tfIdfScorer } from "./tf-idf.ts";

const split = (text: string): string[] => text.split(" ");

function indexOf(texts: readonly string[]): InvertedIndex {
  const index = new InvertedIndex();
  for (const text of texts) index.add(split(text));
  return index;
}

function expectClose(actual: Float64Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, slot) => expect(actual[slot]).toBeCloseTo(value, 12));
}

// The fixture names the Python packages that its numbers come from.
describe("scores equal an independent implementation's", () => {
  const index = indexOf(reference.texts);

  test.each(reference.bm25)("BM25 with k1 $k1 and b $b", ({ k1, b, scores }) => {
    reference.queries.forEach((query, row) => expectClose(bm25Scores(index, split(query), { k1, b }), scores[row]!));
  });

  test("TF-IDF cosine", () => {
    const score = tfIdfScorer(index);
    reference.queries.forEach((query, row) => expectClose(score(split(query)), reference.tfIdf[row]!));
  });

  test("BM25 of one term, worked out by hand", () => {
    // Two texts of 2 and 4 terms, mean 3; "a" in both (twice in the second).
    const scores = bm25Scores(indexOf(["a b", "a a c d"]), ["a"], { k1: 1.2, b: 0.75 });
    const idf = Math.log(1 + 0.5 / 2.5);
    expectClose(scores, [idf / (1 + 1.2 * (0.25 + (0.75 * 2) / 3)), (idf * 2) / (2 + 1.2 * (0.25 + 0.75 * (4 / 3)))]);
  });
});

const text = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1, maxLength: 8 });

describe("an index after any additions and removals", () => {
  test("scores as one built from what is left", () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(), text), { maxLength: 12 }),
        (texts, swaps) => {
          const index = new InvertedIndex();
          const live = new Map(texts.map((terms) => [index.add(terms), terms]));
          for (const [pick, terms] of swaps) {
            const slot = [...live.keys()][pick % live.size]!;
            index.remove(slot);
            live.delete(slot);
            if (pick % 3 > 0 || live.size === 0) live.set(index.add(terms), terms);
          }
          const slots = [...live.keys()];
          const fresh = new InvertedIndex();
          for (const terms of live.values()) fresh.add(terms);
          const score = tfIdfScorer(index);
          for (const query of [["a"], ["b", "c"], ["d", "d", "z"]]) {
            const pairs = [
              [bm25Scores(index, query), bm25Scores(fresh, query)],
              [score(query), tfIdfScorer(fresh)(query)],
            ] as const;
            for (const [one, other] of pairs) slots.forEach((slot, place) => expect(one[slot]).toBeCloseTo(other[place]!, 12));
          }
          expect(slots.every((slot) => index.has(slot) && index.lengthOf(slot) === live.get(slot)!.length)).toBe(true);
        },
      ),
    );
  });

  test("is the same after being written as data and loaded", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        const index = new InvertedIndex();
        for (const terms of texts) index.add(terms);
        const loaded = InvertedIndex.load(index.data());
        expect(loaded.data()).toEqual(index.data());
        expect(bm25Scores(loaded, ["a", "b"])).toEqual(bm25Scores(index, ["a", "b"]));
      }),
    );
  });
});

describe("stemmedTerms", () => {
  test("stems, and drops stop words, possessives and accents", () => {
    expect(stemmedTerms("The café's bikes weren’t returned within 3.5 days.")).toEqual([
      "cafe",
      "bike",
      "werent",
      "return",
      "within",
      "3.5",
      "dai",
    ]);
  });

  test("leaves words of other scripts as they are", () => {
    expect(stemmedTerms("Велосипеды हिन्दी 东京")).toEqual(["велосипеды", "हिन्दी", "东", "京"]);
  });
});
