import { expect, test } from "vitest";
import { nearestExamples } from "./nearest.ts";

const pool = ["my card has not arrived", "where is my new card", "change my address", "my card was stolen", "where is my new card"];
const nearest = nearestExamples({ pool });
const found = (text: string, k: number, exclude?: (index: number) => boolean): number[] =>
  nearest.search(text, k, exclude).map(({ index }) => index);

test("an input is its own nearest neighbour with cosine 1, unless it is excluded", () => {
  expect(nearest.search("Change my address!", 1)).toEqual([{ index: 2, score: expect.closeTo(1, 12) }]);
  expect(found("Change my address!", 1, (index) => index === 2)).not.toEqual([2]);
});

test("neighbours come nearest first, equal ones in the pool's order", () => {
  expect(found("where is my new one", 2)).toEqual([1, 4]);
});

test("word order tells inputs apart", () => {
  const pairs = nearestExamples({ pool: ["man bites dog", "dog bites man"] });
  expect(pairs.search("dog bites man", 2).map(({ index }) => index)).toEqual([1, 0]);
});

test("words that share pieces are like each other", () => {
  const inflected = nearestExamples({ pool: ["the hotel", "cancelled the booking", "the train"] });
  expect(inflected.search("how can I cancel it", 1)).toMatchObject([{ index: 1 }]);
});

test("as many as asked come back even if nothing matches, none from an empty pool", () => {
  expect(nearest.search("zzz", 2)).toEqual([
    { index: 0, score: 0 },
    { index: 1, score: 0 },
  ]);
  expect(nearestExamples({ pool: [] }).search("a", 3)).toEqual([]);
});
