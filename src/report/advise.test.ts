import { expect, test } from "vitest";
import { reportFixture } from "../../test/support/report-fixture.ts";
import { strategies } from "../strategy/registry.ts";
import { advise, considerations } from "./advise.ts";
import { familyOf, familyOfStep } from "./families.ts";
import { widthOf } from "./terminal-text.ts";
import { terminalAdvice } from "./terminal.ts";

test("every strategy there is has a family", () => {
  expect(Object.keys(familyOfStep).toSorted()).toEqual(strategies.map(({ name }) => name).toSorted());
});

test.each([
  ["prompt", "generate", "prompting"],
  ["rag-bm25 > summarise", "generate", "retrieval"],
  ["rag-bm25 > lora", "generate", "combined"],
  ["lora > closed-book", "generate", "fine-tuning"],
  ["best-passage", "classify", "no language model"],
  ["cascade", "cascade", "combined"],
  ["something new", "generate", "combined"],
] as const)("%s is %s and %s", (strategy, kind, family) => {
  expect(familyOf({ strategy, kind })).toBe(family);
});

test("each family answers each consideration, with figures of its best candidate", () => {
  const { report } = reportFixture();
  const { rows } = advise(report);
  expect(rows.map(({ family, candidate }) => [family, candidate])).toEqual([
    ["prompting", "knn-few-shot"],
    ["retrieval", "rag-bm25"],
    ["fine-tuning", "lora"],
    ["training from scratch", "pretrain"],
    ["combined", "rag-bm25 > lora"],
    ["no language model", "best-passage"],
  ]);
  for (const { cells } of rows) expect(Object.keys(cells)).toEqual(Object.keys(considerations));
  const combined = rows.find(({ family }) => family === "combined")?.cells;
  expect(combined?.["update frequency"]).toBe(
    "13 ms (upsert: one document into the index, used by the next answer); 52 ms a month at 4 updates.",
  );
  expect(combined?.data).toMatch(/^152 labelled examples\. token-f1 by examples: 0\.\d+ with 38, 0\.\d+ with 76, 0\.\d+ with 152\.$/u);
});

test("a family that did not run is not measured", () => {
  const { report } = reportFixture({ candidates: 1 });
  const row = advise(report).rows.find(({ family }) => family === "fine-tuning");
  expect(row).toMatchObject({
    candidate: null,
    others: [],
    cells: { resources: "not measured", quality: "not measured", data: "not measured" },
  });
});

test("the gain over zero-shot has the same sign whichever way round the pair stands", () => {
  const { report } = reportFixture();
  const turned = {
    ...report,
    comparisons: report.comparisons.map((one) => ({
      ...one,
      a: one.b,
      b: one.a,
      difference: -one.difference,
      low: -one.high,
      high: -one.low,
    })),
  };
  expect(advise(turned)).toEqual(advise(report));
});

test("advice fits the terminal", () => {
  const advice = advise(reportFixture({ candidates: 25 }).report);
  for (const width of [40, 80, 132]) {
    const lines = terminalAdvice(advice, { width }).split("\n");
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
  }
});
