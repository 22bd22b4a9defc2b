// What is measured on questions made from the documents says so, in every form of the report.
import { expect, test } from "vitest";
import { reportFixture } from "../../test/support/report-fixture.ts";
import { advise } from "./advise.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import { type Report, reportSchema } from "./schema.ts";
import { terminalReport } from "./terminal.ts";
import { syntheticText } from "./view.ts";

const { report, evaluations } = reportFixture({ examples: 40 });
const { train, test: held } = report.split;
const marked = (synthetic: Report["split"]["synthetic"]): Report => ({ ...report, split: { ...report.split, synthetic } });
const all = marked({ train, validation: 0, test: held });
const line = `Measured on ${held} synthetic questions, learnt from ${train}: made from the documents, asked by nobody.`;

test("the line stands in the terminal, Markdown, HTML and the advice, and the counts in the JSON", async () => {
  const page = await htmlReport({ report: all, evaluations });
  for (const shown of [terminalReport(all, { width: 200, colour: false }), markdownReport(all), page, advise(all).recommendation])
    expect(shown).toContain(line);
  expect(reportSchema.parse(JSON.parse(JSON.stringify(all)))).toEqual(all);
});

test("every table and figure names the score as one on synthetic questions", async () => {
  const page = await htmlReport({ report: all, evaluations });
  const named = `${report.metric.name} (synthetic questions)`;
  for (const caption of page.match(/<(figcaption|dt|h1)[\s\S]*?<\/\1>/g)!.filter((text) => text.includes(report.metric.name)))
    expect(caption).toContain(named);
  expect(markdownReport(all).replaceAll("\\", "")).toContain(`| ${named} |`);
});

test("where some are people's, both counts are told", () => {
  expect(syntheticText(marked({ train: 0, validation: 0, test: 3 }))).toContain(
    `Measured on 3 synthetic questions among ${held} examples:`,
  );
  expect(syntheticText(marked({ train: 2, validation: 0, test: 0 }))).toContain(
    `Learnt from 2 synthetic questions among ${train} examples:`,
  );
});

test("a report on people's questions says nothing of it", async () => {
  const page = await htmlReport({ report, evaluations });
  for (const shown of [terminalReport(report, { width: 200, colour: false }), markdownReport(report), page])
    expect(shown).not.toMatch(/synthetic/iu);
});
