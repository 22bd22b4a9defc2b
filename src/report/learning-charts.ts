// What training looked like: the score by number of labelled examples, the loss by epoch.
import { counted, notMeasured, score } from "../util/figures.ts";
import { html, type Markup, nothing, raw } from "./markup.ts";
import { linearAxis } from "./scale.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { chartConfig, colour, type Specification, vegaSvg } from "./vega-svg.ts";
import { metricName, nameOf, ranked } from "./view.ts";

const sizes = { wide: { width: 620, height: 300 }, narrow: { width: 285, height: 260 } } as const;

/** Score by training examples, as a chart and a table; nothing where no candidate was built from less. */
export async function labelEfficiency(report: Report): Promise<Markup> {
  const learners = ranked(report).filter(({ curve }) => curve !== undefined && curve.length > 1);
  if (learners.length === 0) return nothing;
  const drawn = await Promise.all(
    Object.entries(sizes).map(
      async ([name, size]) => html`<div class="${name}">${raw(await vegaSvg(curves(report, learners, size)))}</div>`,
    ),
  );
  return html`<section aria-labelledby="labels">
    <h2 id="labels">What more labelled examples bring</h2>
    <p class="measure quiet">
      The candidates still in the race, built again from a part of the training examples and tested on the same test examples.
    </p>
    <figure class="chart">
      <div role="img" aria-label="${metricName(report)} by number of training examples; the table below has the figures.">${drawn}</div>
    </figure>
    <div class="scroll" role="group" aria-labelledby="labels" tabindex="0">${curvesTable(report, learners)}</div>
  </section>`;
}

function curvesTable(report: Report, learners: readonly ReportCandidate[]): Markup {
  const steps = [...new Set(learners.flatMap(({ curve = [] }) => curve.map(({ examples }) => examples)))].toSorted((a, b) => a - b);
  const row = (one: ReportCandidate): Markup =>
    html`<tr class="${one.status === "winner" ? "winner" : ""}">
      <th scope="row" class="text name">${nameOf(report, one)}</th>
      ${steps.map((step) => {
        const point = one.curve?.find(({ examples }) => examples === step);
        return html`<td>${point === undefined ? notMeasured : score(point.score)}</td>`;
      })}
    </tr>`;
  const heads = steps.map((step) => html`<th scope="col">${counted(step, "example")}</th>`);
  return html`<table>
    <caption class="hidden">
      ${metricName(report)} by training examples
    </caption>
    <thead>
      <tr>
        <th scope="col" class="text">Candidate</th>
        ${heads}
      </tr>
    </thead>
    <tbody>
      ${learners.map(row)}
    </tbody>
  </table>`;
}

interface CurvePoint {
  readonly examples: number;
  readonly score: number;
  readonly name: string;
  readonly colour: string;
  readonly last: boolean;
}

function curvePoints(report: Report, learners: readonly ReportCandidate[]): readonly CurvePoint[] {
  return learners.flatMap((one) => {
    const points = (one.curve ?? []).toSorted((a, b) => a.examples - b.examples);
    const own = { name: nameOf(report, one), colour: one.status === "winner" ? colour.accent : colour.ink };
    return points.map((point, index) => ({ ...point, ...own, last: index === points.length - 1 }));
  });
}

function curves(
  report: Report,
  learners: readonly ReportCandidate[],
  { width, height }: { readonly width: number; readonly height: number },
): Specification {
  const values = curvePoints(report, learners);
  const scores = values.map((point) => point.score);
  const y = linearAxis(Math.min(0, ...scores), Math.max(...scores) * 1.05);
  const steps = [...new Set(values.map(({ examples }) => examples))];
  const ends = values.filter(({ last }) => last).map((point) => ({ ...point, py: (1 - y.at(point.score)) * height }));
  const exact = { nice: false, zero: false };
  const quantitative = { type: "quantitative", title: null };
  const encoding = {
    x: {
      ...quantitative,
      field: "examples",
      title: "training examples",
      scale: { ...exact, domain: [Math.min(...steps), Math.max(...steps)] },
      axis: { grid: false, values: steps, labelBound: false },
    },
    y: { ...quantitative, field: "score", scale: { ...exact, domain: [...y.domain] }, axis: { values: [...y.ticks] } },
    color: { field: "colour", type: "nominal", scale: null },
  };
  const names = {
    data: { values: spreadEnds(ends, 15) },
    mark: { type: "text", align: "left", baseline: "middle", dx: 10, fontSize: 12 },
    encoding: { ...encoding, y: { ...quantitative, field: "py", scale: null, axis: null }, text: { field: "name" } },
  };
  const lines = { mark: { type: "line", strokeWidth: 1.5 }, encoding: { ...encoding, detail: { field: "name" } } };
  const points = { mark: { type: "point", filled: true, size: 40, opacity: 1 }, encoding };
  // Names stand beside the ends of lines where there is room for them; the table has them in any case.
  return { width, height, config: chartConfig, data: { values }, layer: [lines, points, ...(width > 400 ? [names] : [])] } as Specification;
}

/** Labels at the ends of lines, moved down until none covers another. */
export function spreadEnds<P extends { readonly py: number }>(ends: readonly P[], apart: number): readonly P[] {
  let free = Number.NEGATIVE_INFINITY;
  return ends
    .toSorted((a, b) => a.py - b.py)
    .map((end) => {
      const py = Math.max(end.py, free);
      free = py + apart;
      return { ...end, py };
    });
}

/** Loss by epoch, a small chart a candidate whose weights were trained; nothing where there is none. */
export async function trainingCurves(report: Report): Promise<Markup> {
  const trained = ranked(report).filter(({ training }) => training !== undefined && training.length > 0);
  if (trained.length === 0) return nothing;
  const figures = await Promise.all(
    trained.map(
      async (one) =>
        html`<figure class="small">
          <h3>${nameOf(report, one)}</h3>
          <div class="chart" role="img" aria-label="Loss by epoch. ${lossSentence(one)}">${raw(await vegaSvg(losses(one)))}</div>
          <figcaption>${lossSentence(one)}</figcaption>
        </figure>`,
    ),
  );
  return html`<section aria-labelledby="training">
    <h2 id="training">Training</h2>
    <p class="measure quiet">
      Loss a token by epoch: training as a thin line, validation as a strong one. The epoch with the lowest validation loss is kept.
    </p>
    <div class="grid">${figures}</div>
  </section>`;
}

const bestEpoch = ({ training = [] }: ReportCandidate): { readonly epoch: number; readonly validationLoss: number } | undefined => {
  const seen = training.flatMap(({ epoch, validationLoss }) => (validationLoss === null ? [] : [{ epoch, validationLoss }]));
  return seen.toSorted((a, b) => a.validationLoss - b.validationLoss)[0];
};

function lossSentence(one: ReportCandidate): string {
  const { training = [] } = one;
  const [first, last] = [training[0], training.at(-1)];
  const best = bestEpoch(one);
  const kept =
    best === undefined ? "No validation loss." : `Lowest validation loss ${score(best.validationLoss)}, after epoch ${best.epoch}.`;
  return first === undefined || last === undefined
    ? kept
    : `Training ${score(first.trainLoss)} to ${score(last.trainLoss)} in ${counted(training.length, "epoch")}. ${kept}`;
}

function losses(one: ReportCandidate): Specification {
  const { training = [] } = one;
  const best = bestEpoch(one);
  const validation = training.flatMap(({ epoch, validationLoss }) => (validationLoss === null ? [] : [{ epoch, loss: validationLoss }]));
  const train = training.map(({ epoch, trainLoss }) => ({ epoch, loss: trainLoss }));
  const all = [...train, ...validation].map(({ loss }) => loss);
  const epochs = training.map(({ epoch }) => epoch);
  const y = linearAxis(Math.min(0, ...all), Math.max(...all) * 1.05);
  const ticks = epochs.length === 1 ? epochs : linearAxis(Math.min(...epochs), Math.max(...epochs)).ticks.filter(Number.isInteger);
  const encoding = {
    x: {
      field: "epoch",
      type: "quantitative",
      title: null,
      scale: { zero: false, nice: false },
      axis: { grid: false, values: [...ticks], format: "d" },
    },
    y: {
      field: "loss",
      type: "quantitative",
      title: null,
      scale: { domain: [...y.domain], nice: false },
      axis: { values: y.ticks.filter((_, index) => index % 2 === 0) },
    },
  };
  return {
    width: 210,
    height: 110,
    config: chartConfig,
    layer: [
      { data: { values: train }, mark: { type: "line", strokeWidth: 1, color: colour.quiet }, encoding },
      { data: { values: validation }, mark: { type: "line", strokeWidth: 2, color: colour.ink }, encoding },
      {
        data: { values: best === undefined ? [] : [{ epoch: best.epoch, loss: best.validationLoss }] },
        mark: { type: "point", filled: true, size: 60, opacity: 1, color: colour.accent },
        encoding,
      },
    ],
  } as Specification;
}
