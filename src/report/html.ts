// A report as one self-contained page. Composes the parts; nothing is loaded from elsewhere, and the page's policy forbids it.
import { createHash } from "node:crypto";
import type { Evaluation } from "../evaluation.ts";
import { answersData, answersSection } from "./answers.ts";
import { hero } from "./hero.ts";
import { labelEfficiency, trainingCurves } from "./learning-charts.ts";
import { html, type Markup, nothing, raw } from "./markup.ts";
import { pageScript } from "./page-script.ts";
import { pageStyle } from "./page-style.ts";
import { amounts, qualityChart } from "./quality-chart.ts";
import type { Report } from "./schema.ts";
import { buildsSection, forgettingSection, glossarySection, madeSection, methodSection, missingSection, runSection } from "./sections.ts";
import { candidatesTable, differencesTable } from "./tables.ts";
import { headline } from "./view.ts";

export interface HtmlReportOptions {
  readonly report: Report;
  /** Row by row, for the answers side by side. */
  readonly evaluations: readonly Evaluation[];
}

/** The page as text, ready to be written to a file and opened. */
export async function htmlReport({ report, evaluations }: HtmlReportOptions): Promise<string> {
  const [quality, labels, training] = await Promise.all([qualityChart(report), labelEfficiency(report), trainingCurves(report)]);
  const sections: readonly (readonly [id: string, title: string, section: Markup])[] = [
    ["quality", amounts[report.objective].heading, quality],
    [
      "candidates",
      "Candidates",
      html`<section aria-labelledby="candidates">
        <h2 id="candidates">Candidates</h2>
        ${candidatesTable(report)}
      </section>`,
    ],
    ["differences", "Differences", differencesTable(report)],
    ["labels", "Labelled examples", labels],
    ["training", "Training", training],
    ["forgetting", "Forgetting", forgettingSection(report)],
    ["builds", "Builds and updates", buildsSection(report)],
    ["answers-heading", "Answers", answersSection(answersData({ report, evaluations }))],
    ["made", "How each was made", madeSection(report)],
    ["missing", "Not run", missingSection(report)],
    ["method", "Method", methodSection(report)],
    ["run", "The run", runSection(report)],
    ["glossary", "Words", glossarySection()],
  ];
  const there = sections.filter(([, , section]) => section.markup !== "");
  const links = html`<nav aria-label="Sections">
    <ul>
      ${there.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
    </ul>
  </nav>`;
  return `<!doctype html>\n${page(report, html`${hero(report)}${links}`, html`${there.map(([, , section]) => section)}`).markup}\n`;
}

// Whole elements as text: the policy names the hash of exactly what stands in them.
const style = raw(`<style>${pageStyle}</style>`);
const script = raw(`<script>${pageScript}</script>`);

function page(report: Report, head: Markup, body: Markup): Markup {
  const policy = `default-src 'none'; style-src '${hashOf(pageStyle)}'; script-src '${hashOf(pageScript)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${headline(report)} ${report.task.name}</title>
      <link rel="icon" href="data:," />
      ${style}
    </head>
    <body>
      <a class="skip" href="#main">To the figures</a>
      <header class="page">${head}</header>
      <main class="page" id="main" tabindex="-1">${body}</main>
      <footer class="page">
        Made by Sartor${report.versions["sartor"] === undefined ? nothing : ` ${report.versions["sartor"]}`}, run ${report.runId}. The same
        in other forms: report.json, report.md.
      </footer>
      ${script}
    </body>
  </html>`;
}

const hashOf = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;
