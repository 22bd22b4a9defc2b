// A report as one self-contained page. Composes the parts; nothing is loaded from elsewhere, and the page's policy forbids it.
import type { Evaluation } from "../evaluation.ts";
import { figuresSentence, headline, nameOf, ranked } from "./view.ts";
import { score } from "./figures.ts";
import { html } from "./markup.ts";
import type { Report } from "./schema.ts";

export interface HtmlReportOptions {
  readonly report: Report;
  /** Row by row, for the answers side by side. */
  readonly evaluations: readonly Evaluation[];
}

export async function htmlReport({ report }: HtmlReportOptions): Promise<string> {
  const page = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${report.task.name}</title></head><body><main><h1>${headline(report)}</h1><p>${figuresSentence(report)}</p><ul>${ranked(report).map((one) => html`<li>${nameOf(report, one)} ${score(one.score.value)}</li>`)}</ul></main></body></html>`;
  return page.markup;
}
