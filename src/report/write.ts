// Writes a report into a run's store: report.json, report.md, report.html.
import type { Evaluation } from "../evaluation.ts";
import type { Store } from "../store.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import { type Report, reportSchema } from "./schema.ts";

export interface WriteReportOptions {
  readonly store: Store;
  readonly report: Report;
  readonly evaluations: readonly Evaluation[];
}

/** Returns the absolute paths of the files. Throws ZodError where the report does not fit its published schema: nothing is written then. */
export async function writeReport({
  store,
  report,
  evaluations,
}: WriteReportOptions): Promise<{ html: string; markdown: string; json: string }> {
  const json = `${JSON.stringify(reportSchema.parse(report), undefined, 2)}\n`;
  const html = await htmlReport({ report, evaluations });
  await store.writeText("report.json", json);
  await store.writeText("report.md", markdownReport(report));
  await store.writeText("report.html", html);
  return { html: await store.path("report.html"), markdown: await store.path("report.md"), json: await store.path("report.json") };
}
