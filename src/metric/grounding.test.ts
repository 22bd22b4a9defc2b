import { expect, test } from "vitest";
import { citedClaims, claimsOf, faithful, meanPrecision, preciseCitations, questionHeld, type Shown, type Supports } from "./grounding.ts";

const shown = (text: string): Shown => ({ title: "", text });
const passages = [shown("a"), shown("b"), shown("c")];
/** A sentence is supported by the passages whose letters stand in it, all of them. */
const supports: Supports = (sentence, given) => {
  const wanted = sentence.match(/\b[abc]\b/g) ?? [];
  return wanted.length > 0 && wanted.every((letter) => given.some(({ text }) => text === letter));
};

test("a claim is a sentence that says something", () => {
  expect(claimsOf("Yes. You pay the deposit [1]. Can you?").map(({ text }) => text)).toEqual(["You pay the deposit."]);
});

test("faithful is what the passages hold, cited or not, longer claims counting more", () => {
  const degree = (sentence: string): number => (sentence.includes("deposit") ? 1 : 0.25);
  expect(faithful("The deposit is two monthly payments. The workshop opens.", passages, degree)).toEqual([4 + 0.5, 6]);
  expect(faithful("Yes.", passages, degree)).toEqual([0, 0]);
});

test("a claim is cited where all it cites supports it together", () => {
  expect(citedClaims("Letters a and b [1][2]. Letters a and c [1][2]. Letter b.", passages, supports)).toEqual([1, 3]);
});

test("a citation is needed where it supports alone, or the others do not without it", () => {
  // Both are needed; the third supports nothing and the others do without it.
  expect(preciseCitations("Letters a and b [1][2][3].", passages, supports)).toEqual([2, 3]);
  expect(preciseCitations("Letter a [1][2]. Letter c [2]. Letter b [7].", passages, supports)).toEqual([1, 4]);
  expect(preciseCitations("Letter a.", passages, supports)).toEqual([0, 0]);
});

test("useful passages count more the earlier they come", () => {
  expect(meanPrecision([true, false, true])).toBeCloseTo((1 + 2 / 3) / 2, 12);
  expect(meanPrecision([false, true])).toBe(0.5);
  expect(meanPrecision([false])).toBe(0);
});

test("an answer speaks of the question in its own words or in those it was read from", () => {
  const handbook = [shown("The deposit for a Skiff is two monthly payments. The workshop opens at eight.")];
  expect(questionHeld("What is the deposit for a Skiff?", "two monthly payments", handbook)).toBe(1);
  expect(questionHeld("What is the deposit for a Skiff?", "at eight", handbook)).toBe(0);
  expect(questionHeld("What is the deposit for a Skiff?", "The deposit is high.", [])).toBe(0.5);
});
