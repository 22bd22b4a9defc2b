import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { best, byScore, fuseRanks, fuseScores, type Scored } from "./scored.ts";

const ranking = (...ids: string[]): Scored[] => ids.map((id, index) => ({ id, score: 10 - index }));

test("the best of any scores are those that sorting would put first", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 }), fc.nat(20), fc.constantFrom(-1, 0, 5), (scores, k, above) => {
      const idOf = (index: number): string => String(index).padStart(4, "0");
      const sorted = scores
        .map((score, index) => ({ id: idOf(index), score }))
        .filter(({ score }) => score > above)
        .sort(byScore);
      expect(best(scores, { k, above, idOf })).toEqual(sorted.slice(0, k));
    }),
  );
});

describe("reciprocal rank fusion", () => {
  test("sums 1 / (60 + rank) over the rankings", () => {
    expect(fuseRanks([ranking("a", "b"), ranking("c", "a")])).toEqual([
      { id: "a", score: 1 / 61 + 1 / 62 },
      { id: "c", score: 1 / 61 },
      { id: "b", score: 1 / 62 },
    ]);
  });
});

describe("convex fusion", () => {
  test("adds scores standardised over all ids, 0 where a scoring leaves one out", () => {
    const fused = fuseScores(
      ["a", "b", "c"],
      [
        [{ id: "a", score: 3 }],
        [
          { id: "a", score: 1 },
          { id: "b", score: 2 },
          { id: "c", score: 6 },
        ],
      ],
    );
    // First: 3, 0, 0 (mean 1, deviation sqrt 2). Second: 1, 2, 6 (mean 3, deviation sqrt 14/3).
    const [first, second] = [Math.sqrt(2), Math.sqrt(14 / 3)];
    expect(fused.map(({ id }) => id)).toEqual(["c", "a", "b"]);
    expect(fused.map(({ score }) => score)).toEqual(
      [-1 / first + 3 / second, 2 / first - 2 / second, -1 / first - 1 / second].map((value) => expect.closeTo(value, 12)),
    );
  });

  test("a scoring that tells nothing apart adds nothing, and over no ids there is nothing", () => {
    expect(fuseScores(["a", "b"], [[], ranking("b")]).map(({ id }) => id)).toEqual(["b", "a"]);
    expect(fuseScores([], [[]])).toEqual([]);
  });
});
