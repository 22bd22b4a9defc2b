// The top of the page: what to use, why, and the figures that matter.
import { bytes, cost, interval, moment, score, seconds } from "../util/figures.ts";
import { html, type Markup, nothing } from "./markup.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { metricName, nameOf, reasonText, referenceOf, syntheticText, verdicts, winnerOf } from "./view.ts";

export function hero(report: Report): Markup {
  const { task, createdAt, recommendation } = report;
  const shown = referenceOf(report);
  const reason = reasonText(report);
  const synthetic = syntheticText(report);
  return html`<div class="masthead"><b>Sartor</b><span class="quiet">${task.name}, ${moment(createdAt)}</span></div>
    <p class="verdict">${verdicts[recommendation.status]}</p>
    <h1>${sentence(report)}</h1>
    ${reason === "" ? nothing : html`<p class="lede">${reason}</p>`}${synthetic === "" ? nothing : html`<p class="lede"><b>${synthetic}</b></p>`}${shown === undefined ? nothing : keyFigures(report, shown)}`;
}

/** The recommendation with its figures. */
function sentence(report: Report): Markup {
  const winner = winnerOf(report);
  if (winner === undefined) return html`No technique is recommended for ${report.task.name}.`;
  const { score: measured, cost: price } = winner;
  const price1k =
    price.unit === "dollars"
      ? `${cost(price.per1k, price.unit)} for 1,000 answers`
      : `${cost(price.per1k, price.unit)} of machine time for 1,000 answers`;
  return html`${report.recommendation.status === "provisional" ? "For now, use" : "Use"}
    <span class="chain">${nameOf(report, winner)}</span>: ${score(measured.value)}
    <span class="nowrap">${metricName(report)},</span> ${price1k}.`;
}

function keyFigures(report: Report, one: ReportCandidate): Markup {
  const { score: measured, latency, build, update, inference } = one;
  const corrected =
    measured.corrected === undefined ? "" : `; ${score(measured.corrected)} corrected for being the best of ${report.candidates.length}`;
  const best = winnerOf(report) === undefined ? `Best ${metricName(report)}, of ${nameOf(report, one)}` : metricName(report);
  const figures: readonly (readonly [title: string, figure: string, note: string])[] = [
    [best, score(measured.value), `95 % interval ${interval(measured)}${corrected}`],
    ["Median answer", seconds(latency.p50), `95 % within ${seconds(latency.p95)}`],
    [
      "To build",
      seconds(build.seconds),
      build.labelledExamples === 0 ? "without labelled examples" : `from ${build.labelledExamples} labelled examples`,
    ],
    ["An update", seconds(update.seconds), update.how],
    ...(inference.peakMemoryBytes === null ? [] : ([["Memory", bytes(inference.peakMemoryBytes), "to answer, at its peak"]] as const)),
  ];
  return html`<dl class="figures">
    ${figures.map(
      ([title, figure, note]) =>
        html`<div>
          <dt>${title}</dt>
          <dd>${figure}</dd>
          <dd class="note">${note}</dd>
        </div>`,
    )}
  </dl>`;
}
