import fc from "fast-check";
import { expect, test } from "vitest";
import { reportFixture } from "../../test/support/report-fixture.ts";
import { widthOf } from "./terminal-text.ts";
import { terminalReport } from "./terminal.ts";

const statuses = ["clear", "provisional", "none"] as const;
const widest = (text: string): number => Math.max(...text.split("\n").map(widthOf));

test("no line is wider than the terminal, for any width, size and status", () => {
  const models = [["smollm2-135m-instruct"], ["smollm2-135m-instruct", "qwen2.5-0.5b-instruct"]];
  const property = fc.property(
    fc.integer({ min: 40, max: 240 }),
    fc.integer({ min: 1, max: 50 }),
    fc.constantFrom(...statuses),
    fc.constantFrom(...models),
    (width, candidates, status, names) => {
      const { report } = reportFixture({ candidates, status, models: names, examples: 30 });
      expect(widest(terminalReport(report, { width, colour: false }))).toBeLessThanOrEqual(width);
    },
  );
  fc.assert(property, { numRuns: 60, seed: 1 });
});

test("at 80 columns every candidate stands with its score, interval, latency, cost, build and update", () => {
  const { report } = reportFixture();
  const text = terminalReport(report, { width: 80, colour: false });
  const [head = ""] = text.split("\n").filter((line) => line.includes("candidate "));
  expect(head.trim().split(/\s{2,}/u)).toEqual(["candidate", "score", "95 %", "p50", "per 1k", "build", "update"]);
  for (const { strategy } of report.candidates) expect(text).toContain(strategy.split(" ")[0]);
});

test("a wider terminal shows more columns", () => {
  const { report } = reportFixture();
  const wide = terminalReport(report, { width: 160, colour: false });
  for (const title of ["p95", "memory", "labels", "forgot"]) expect(wide).toContain(title);
});

test("escape sequences in names and reasons never reach the terminal", () => {
  const { report } = reportFixture({ hostile: "\u001B[2J\u001B]0;x\u0007\u0008" });
  expect(terminalReport(report, { width: 80, colour: false }).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test("without colour the winner is still marked", () => {
  const { report } = reportFixture();
  const marked = terminalReport(report, { width: 100, colour: false })
    .split("\n")
    .filter((line) => line.startsWith("* "));
  expect(marked).toHaveLength(1);
  expect(marked[0]).toContain(report.candidates.find(({ id }) => id === report.recommendation.winner)?.strategy);
});
