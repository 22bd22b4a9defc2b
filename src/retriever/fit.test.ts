import fc from "fast-check";
import { expect, test } from "vitest";
import type { Passage } from "../evaluation.ts";
import { countWords } from "./chunk-source.ts";
import { fitPassages } from "./fit.ts";

const text = "one two three four five six seven eight nine ten";
const passage = (start: number, end: number, document = "a.md"): Passage => ({
  document,
  title: "A",
  start,
  end,
  text: text.slice(start, end),
  score: 1,
});
const texts = (passages: readonly Passage[]): string[] => passages.map((one) => one.text);

test("passages are taken best first until the budget is spent, a long one passed over for a shorter one", () => {
  const found = [passage(0, 7), passage(8, 49, "b.md"), passage(40, 48, "c.md")];
  expect(texts(fitPassages(found, { budget: 5, order: "best-first" }))).toEqual(["one two", "nine ten"]);
});

test("the best passage may stand last, next to the question", () => {
  expect(texts(fitPassages([passage(0, 3), passage(4, 7)], { budget: 9, order: "best-last" }))).toEqual(["two", "one"]);
});

test("what a better passage shows is not shown again", () => {
  const found = [passage(8, 23), passage(0, 18), passage(14, 18), passage(14, 27)];
  expect(fitPassages(found, { budget: 99, order: "best-first" })).toEqual([passage(8, 23), passage(0, 7), passage(24, 27)]);
});

test("a first passage that is too long is cut short, so that there is never nothing", () => {
  expect(texts(fitPassages([passage(0, 48)], { budget: 3, order: "best-first" }))).toEqual(["one two three"]);
  expect(fitPassages([passage(0, 48)], { budget: 0, order: "best-first" })).toEqual([]);
});

test("for any passages: within budget, no character twice, offsets exact", () => {
  const place = fc
    .tuple(fc.nat(48), fc.nat(48), fc.constantFrom("a.md", "b.md"))
    .filter(([a, b]) => a !== b && text.slice(Math.min(a, b), Math.max(a, b)).trim() !== "");
  const found = fc.array(
    place.map(([a, b, document]) => passage(Math.min(a, b), Math.max(a, b), document)),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(found, fc.nat(12), (passages, budget) => {
      const fitted = fitPassages(passages, { budget, order: "best-first" });
      expect(fitted.reduce((sum, one) => sum + countWords(one.text), 0)).toBeLessThanOrEqual(budget);
      const shown = new Set<string>();
      for (const one of fitted) {
        expect(text.slice(one.start, one.end)).toBe(one.text);
        for (let at = one.start; at < one.end; at++) expect(shown.has(`${one.document}${at}`)).toBe(false);
        for (let at = one.start; at < one.end; at++) shown.add(`${one.document}${at}`);
      }
    }),
  );
});

test("a passage that is cut keeps the pages of what is left", () => {
  const long: Passage = {
    ...passage(0, 18),
    pages: [
      { page: 3, start: 0, end: 8 },
      { page: 4, start: 8, end: 18 },
    ],
  };
  expect(fitPassages([long], { budget: 1, order: "best-first" })[0]).toMatchObject({ end: 3, pages: [{ page: 3, start: 0, end: 3 }] });
  expect(fitPassages([{ ...passage(0, 8), score: 2 }, long], { budget: 9, order: "best-first" })[1]?.pages?.[0]?.page).toBe(4);
});
