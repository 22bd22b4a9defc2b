// The tables of the page: candidates, and their differences to the recommended one.
import { bytes, cost, count, difference, interval, notMeasured, score, seconds } from "../util/figures.ts";
import { html, type Markup, nothing } from "./markup.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { strip, stripAxis, stripScale, type StripScale } from "./strip.ts";
import { type Difference, differencesTo, metricName, nameById, nameOf, ranked, referenceOf, statusWords } from "./view.ts";

interface Column {
  readonly title: string;
  readonly sort: (candidate: ReportCandidate) => number;
  readonly cell: (candidate: ReportCandidate) => string;
}

const columns: readonly Column[] = [
  { title: "p50", sort: ({ latency }) => latency.p50, cell: ({ latency }) => seconds(latency.p50) },
  { title: "p95", sort: ({ latency }) => latency.p95, cell: ({ latency }) => seconds(latency.p95) },
  { title: "1,000 answers", sort: ({ cost: { per1k } }) => per1k, cell: ({ cost: { per1k, unit } }) => cost(per1k, unit) },
  { title: "Build", sort: ({ build }) => build.seconds, cell: ({ build }) => seconds(build.seconds) },
  { title: "Update", sort: ({ update }) => update.seconds, cell: ({ update }) => seconds(update.seconds) },
  {
    title: "Memory",
    sort: ({ inference }) => inference.peakMemoryBytes ?? -1,
    cell: ({ inference }) => (inference.peakMemoryBytes === null ? notMeasured : bytes(inference.peakMemoryBytes)),
  },
  { title: "Labels", sort: ({ build }) => build.labelledExamples, cell: ({ build }) => count(build.labelledExamples) },
  { title: "Errors", sort: (one) => one.score.errors, cell: (one) => count(one.score.errors) },
];

/** Every candidate; sorted by score, and by any column once the page's script runs. */
export function candidatesTable(report: Report): Markup {
  const candidates = ranked(report);
  if (candidates.length === 0) return html`<p>No candidate was measured.</p>`;
  const scale = stripScale(candidates.map((one) => one.score));
  const sortable = (title: string, order: string): Markup =>
    html`<th scope="col" aria-sort="${order}"><button type="button">${title}</button></th>`;
  return html`<p class="measure quiet">
      ${report.metric.name} with its 95 % interval on ${count(report.split.test)} test examples;
      ${report.metric.higherIsBetter ? "higher" : "lower"} is better.
    </p>
    <div class="scroll" role="group" aria-labelledby="candidates" tabindex="0">
      <table class="pinned sortable">
        <caption class="hidden">
          Candidates
        </caption>
        <thead>
          <tr>
            <th scope="col" class="text" aria-sort="none"><button type="button">Candidate</button></th>
            ${sortable("Score", report.metric.higherIsBetter ? "descending" : "ascending")}
            <th scope="col" class="text plot">95 % interval</th>
            ${columns.map(({ title }) => sortable(title, "none"))}
          </tr>
        </thead>
        <tbody>
          ${candidates.map((one, index) => candidateRow({ report, one, number: index + 1, scale }))}
        </tbody>
      </table>
    </div>`;
}

function candidateRow({
  report,
  one,
  number,
  scale,
}: {
  readonly report: Report;
  readonly one: ReportCandidate;
  readonly number: number;
  readonly scale: StripScale;
}): Markup {
  const kind = one.status.replaceAll(" ", "-");
  const state = one.status === "measured" ? nothing : html`<span class="state">${statusWords[one.status]}</span>`;
  return html`<tr class="${kind}">
    <th scope="row" class="text name numbered" data-value="${number}"><span class="no">${number} </span>${nameOf(report, one)}${state}</th>
    <td class="lead" data-value="${one.score.value}">${score(one.score.value)}</td>
    <td class="text plot">${strip(one.score, scale)}<span class="small quiet">${interval(one.score)}</span></td>
    ${columns.map(({ sort, cell }) => html`<td data-value="${sort(one)}">${cell(one)}</td>`)}
  </tr>`;
}

/** Differences with their simultaneous bands, a row a candidate; nothing where none was computed. */
export function differencesTable(report: Report): Markup {
  const reference = referenceOf(report);
  const found = reference === undefined ? [] : differencesTo(report, reference);
  if (reference === undefined || found.length === 0) return nothing;
  const { metric, tolerance } = report;
  const name = nameOf(report, reference);
  const side = metric.higherIsBetter ? "left" : "right";
  return html`<section aria-labelledby="differences">
    <h2 id="differences">Differences to ${name}</h2>
    <p class="measure quiet">
      Each candidate's ${metricName(report)} minus that of ${name} on the same examples, with bands that hold all at once (95 %). The solid
      line is no difference, the dotted one the tolerance of ${score(tolerance)}: a band that ends ${side} of it belongs to a candidate that
      is not better by more than that.
    </p>
    <div class="scroll" role="group" aria-labelledby="differences" tabindex="0">
      <table class="forest">
        <caption class="hidden">
          Differences to ${name}
        </caption>
        ${differencesRows(report, found)}
      </table>
    </div>
  </section>`;
}

function differencesRows(report: Report, found: readonly Difference[]): Markup {
  const edge = report.metric.higherIsBetter ? report.tolerance : -report.tolerance;
  const bands = found.map((one) => ({ ...one, value: one.difference }));
  const scale = stripScale(bands, [0, edge]);
  const [least, most] = [Math.min(...found.map(({ low }) => low)), Math.max(...found.map(({ high }) => high))];
  const ticks = [least, 0, most]
    .filter((value) => value === 0 || Math.abs(value) > (scale.high - scale.low) * 0.15)
    .map((value) => ({ value, label: value === 0 ? "0" : difference(value) }));
  const rows = bands.map((one) => {
    const status = report.candidates.find(({ id }) => id === one.a)?.status ?? "measured";
    return html`<tr class="${status.replaceAll(" ", "-")}">
      <th scope="row" class="text name">${nameById(report, one.a)}</th>
      <td class="plot">${strip(one, scale, { zero: 0, edges: [edge] })}</td>
      <td>${difference(one.difference)} <span class="band">${interval(one)}</span></td>
    </tr>`;
  });
  return html`<thead>
      <tr>
        <th scope="col" class="text">Candidate</th>
        <td class="plot">${stripAxis(ticks, scale)}</td>
        <th scope="col">Difference and band</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>`;
}
