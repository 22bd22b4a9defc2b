import fc from "fast-check";
import { expect, test } from "vitest";
import { maximalMarginalRelevance } from "./mmr.ts";

test("what repeats the first comes after what is new, worked out by hand", () => {
  // Relevances 1, .9, .5; the second repeats the first, the third has nothing in common.
  const similarity = (one: number, other: number): number => (Math.min(one, other) === 0 && Math.max(one, other) === 1 ? 1 : 0);
  expect(maximalMarginalRelevance([10, 9, 5, 0], { k: 3, lambda: 0.5, similarity })).toEqual([
    { index: 0, score: 0.5 },
    { index: 2, score: 0.25 },
    { index: 3, score: 0 },
  ]);
});

const scores = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 });

test("lambda 1 is the ranking itself; with any lambda nothing is chosen twice and no score rises", () => {
  fc.assert(
    fc.property(
      scores,
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.func(fc.double({ min: 0, max: 1, noNaN: true })),
      (given, k, lambda, alike) => {
        const ranked = given.toSorted((a, b) => b - a);
        const similarity = (one: number, other: number): number => alike(Math.min(one, other), Math.max(one, other));
        expect(maximalMarginalRelevance(ranked, { k, lambda: 1, similarity }).map(({ index }) => ranked[index])).toEqual(
          ranked.slice(0, k),
        );
        const chosen = maximalMarginalRelevance(ranked, { k, lambda, similarity });
        expect(new Set(chosen.map(({ index }) => index)).size).toBe(Math.min(k, ranked.length));
        expect(chosen.every(({ score }, at) => at === 0 || score <= chosen[at - 1]!.score + 1e-12)).toBe(true);
      },
    ),
  );
});
