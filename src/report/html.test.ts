import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { reportFixture } from "../../test/support/report-fixture.ts";
import { memoryStore } from "../store/memory.ts";
import { answersData } from "./answers.ts";
import { htmlReport } from "./html.ts";
import { scriptJson } from "./markup.ts";
import { type Report, reportSchema } from "./schema.ts";
import { writeReport } from "./write.ts";

const hostile = `</script><img src=x onerror=alert(1)>"'&`;

test("the page refers to nothing outside itself", async () => {
  const page = await htmlReport(reportFixture());
  expect(page).not.toMatch(/https?:|\/\/[a-z]|url\(|@import|<link(?! rel="icon" href="data:,")|<img|<iframe|\ssrc=/u);
  expect(page).toContain('http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;');
});

test("hostile names, inputs and outputs never become markup", async () => {
  const page = await htmlReport(reportFixture({ hostile, examples: 20 }));
  expect(page).not.toContain("<img");
  expect(page.match(/<\/script>/gu)).toHaveLength(2);
});

test("JSON in a script element is the same value again", () => {
  const value = { text: `</script><!--<script>\u2028${hostile}` };
  const { markup } = scriptJson(value);
  expect(markup).not.toContain("<");
  expect(JSON.parse(markup)).toEqual(value);
});

test("the policy names the hashes of the page's style and script as they stand in it", async () => {
  const page = await htmlReport({ ...reportFixture({ candidates: 1, examples: 5 }), evaluations: [] });
  const hash = (element: string): string => {
    const [, text = ""] = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, "u").exec(page) ?? [];
    return `${element}-src &#39;sha256-${createHash("sha256").update(text).digest("base64")}&#39;`;
  };
  expect(page).toContain(hash("style"));
  expect(page).toContain(hash("script"));
});

test.each([
  ["clear", 25],
  ["clear", 3],
  ["provisional", 12],
  ["none", 1],
] as const)("the page of a %s recommendation over %d candidates shows no NaN, null or undefined", async (status, candidates) => {
  const page = await htmlReport({ ...reportFixture({ status, candidates, examples: 30 }), evaluations: [] });
  const shown = page.replace(/<(style|script)[\s\S]*?<\/\1>/gu, "");
  expect(shown).not.toMatch(/\bNaN\b|\bnull\b|\bundefined\b|Infinity/u);
});

test("a report without candidates is still a page", async () => {
  const { report } = reportFixture({ status: "none" });
  const page = await htmlReport({
    report: { ...report, candidates: [], comparisons: [], recommendation: { ...report.recommendation, rejected: [] } },
    evaluations: [],
  });
  expect(page).toContain("No candidate was measured.");
});

test.each(["latency", "update"] as const)("the chart follows the objective: %s", async (objective) => {
  const { report } = reportFixture();
  expect(await htmlReport({ report: { ...report, objective }, evaluations: [] })).toContain(
    objective === "latency" ? "Quality against latency" : "Quality against time of an update",
  );
});

test("answers keep each passage and each line of a prompt once, and give them back whole", () => {
  const fixture = reportFixture();
  const data = answersData(fixture);
  expect(data.passages).toHaveLength(3);
  expect(data.lines.length).toBeLessThan(150);
  for (const [column, { name }] of data.candidates.entries()) {
    const { id } = fixture.report.candidates.find(({ strategy }) => strategy === name)!;
    const rows = fixture.evaluations.find(({ candidate }) => candidate === id)!.rows;
    const prompts = data.examples.map(({ a }) => a[column]!.q.map((line) => data.lines[line]).join("\n"));
    expect(prompts).toEqual(rows.map(({ prompt }) => prompt));
    expect(data.examples.map(({ a }) => a[column]!.o)).toEqual(rows.map(({ output }) => output));
  }
});

test("validation rows are no answers of the test", () => {
  const { report, evaluations } = reportFixture({ examples: 30 });
  const data = answersData({ report, evaluations: evaluations.map((one) => ({ ...one, set: "validation" as const })) });
  expect(data.examples).toEqual([]);
});

test("writing gives three files, and the JSON is the report", async () => {
  await using store = memoryStore();
  const { report, evaluations } = reportFixture({ examples: 30 });
  const files = await writeReport({ store, report, evaluations });
  expect(Object.values(files).map((path) => path.split("/").at(-1))).toEqual(["report.html", "report.md", "report.json"]);
  expect(reportSchema.parse(JSON.parse((await store.readText("report.json"))!))).toEqual(report);
});

test("a report that does not fit its schema is not written", async () => {
  await using store = memoryStore();
  const { report, evaluations } = reportFixture({ examples: 30 });
  const broken: Report = { ...report, tolerance: Number.NaN };
  await expect(writeReport({ store, report: broken, evaluations })).rejects.toThrow(/tolerance/u);
  expect(await store.list("")).toEqual([]);
});
