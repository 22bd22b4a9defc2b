import { expect, test } from "vitest";
import { reportFixture } from "../../test/support/report-fixture.ts";
import { markdownReport } from "./markdown.ts";
import { reasonText } from "./view.ts";

const rowsBelow = (text: string, heading: string): readonly string[] => {
  const [, section = ""] = text.split(`## ${heading}\n`);
  return section
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
};

test("every candidate has its row, every table the same number of cells", () => {
  const { report } = reportFixture();
  const text = markdownReport(report);
  expect(rowsBelow(text, "Candidates")).toHaveLength(12);
  expect(rowsBelow(text, "Candidates")[0]).toContain("**rag-bm25 &gt; lora**");
  expect(rowsBelow(text, "Updates")).toHaveLength(12);
  for (const heading of ["Candidates", "Forgetting", "Updates"]) {
    const widths = new Set(rowsBelow(text, heading).map((row) => row.split(/(?<!\\)\|/u).length));
    expect(widths.size).toBe(1);
  }
});

test("data can break neither a table nor the page it is shown on", () => {
  const { report } = reportFixture({ hostile: "|\n# x\n<script>alert(1)</script> [a](b) `c` **d**" });
  const text = markdownReport(report);
  expect(text).not.toMatch(/<script|^# x|\n# x/u);
  expect(text).toContain("\\| \\# x &lt;script&gt;");
  expect(rowsBelow(text, "Candidates")).toHaveLength(12);
});

test("sections without anything to say are left out", () => {
  const { report } = reportFixture({ candidates: 1, status: "none" });
  const text = markdownReport({ ...report, notRun: [] });
  expect([...text.matchAll(/^## (.*)$/gmu)].map(([, title]) => title)).toEqual(["Candidates", "Updates", "How this was measured"]);
  expect(text).not.toMatch(/\bNaN\b|\bnull\b|\bundefined\b/u);
});

test("the reason names candidates as the table does", () => {
  const { report } = reportFixture({ status: "provisional" });
  const reason = reasonText(report);
  expect(reason).toContain("Provisionally rag-bm25 > lora, the cheapest");
  expect(reason).not.toContain("--");
});
