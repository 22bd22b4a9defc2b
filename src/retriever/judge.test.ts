import { expect, test } from "vitest";
import { ndcgAt, recallAt, shows } from "./judge.ts";

const at = (start: number, end: number, document = "a.md") => ({ document, start, end });

test("a passage shows evidence when one of the two lies at least half within the other", () => {
  expect(shows(at(0, 100), at(40, 60))).toBe(true);
  expect(shows(at(40, 60), at(0, 100))).toBe(true);
  expect(shows(at(0, 50), at(45, 55))).toBe(true);
  expect(shows(at(0, 49), at(45, 55))).toBe(false);
  expect(shows(at(0, 100), at(40, 60, "b.md"))).toBe(false);
});

test("recall is the share of evidence shown, and undefined without evidence", () => {
  const passages = [at(0, 10), at(90, 99), at(20, 30)];
  expect(recallAt(passages, [at(0, 5), at(20, 25)], 2)).toBe(0.5);
  expect(recallAt(passages, [at(0, 5), at(20, 25)], 3)).toBe(1);
  expect(recallAt(passages, [], 3)).toBeUndefined();
});

test("nDCG discounts by rank, counts evidence once, and is 1 when one passage shows all", () => {
  const passages = [at(90, 99), at(0, 10), at(0, 12), at(20, 30)];
  expect(ndcgAt(passages, [at(0, 5), at(20, 25)], 10)).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)), 12);
  expect(ndcgAt([at(0, 50)], [at(0, 5), at(20, 25)], 10)).toBe(1);
  expect(ndcgAt([at(0, 5), at(20, 25)], [at(0, 5), at(20, 25)], 10)).toBe(1);
  expect(ndcgAt(passages, [at(0, 5)], 1)).toBe(0);
  expect(ndcgAt(passages, [], 10)).toBeUndefined();
});
