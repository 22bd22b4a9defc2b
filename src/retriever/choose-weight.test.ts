import { expect, test } from "vitest";
import type { Passage } from "../evaluation.ts";
import { chooseWeight } from "./choose-weight.ts";

const found = (score: number): Passage[] => [{ document: "a", title: "a", start: 0, end: 1, text: "a", score }];
const queries = [{ text: "a", score: ([first]: readonly Passage[]) => first!.score }];

test("the weight with the highest mean is chosen", async () => {
  const { weight, scores } = await chooseWeight({ queries, search: async (_, given) => found(1 - Math.abs(given - 0.8)) });
  expect(weight).toBe(0.8);
  expect(scores["0.5"]).toBeCloseTo(0.7, 12);
});

test("equal weights stay where nothing is better, also without questions", async () => {
  expect((await chooseWeight({ queries, search: async () => found(1) })).weight).toBe(0.5);
  expect((await chooseWeight({ queries: [], search: async () => [] })).weight).toBe(0.5);
});
