// The chart of quality against what the task wants little of: cost, latency or time of an update. Intervals as thin lines.
import { cost, roundCost, roundSeconds, score, seconds } from "../util/figures.ts";
import { html, type Markup, nothing, raw } from "./markup.ts";
import { placeLabels } from "./place-labels.ts";
import { amountAxis, type Axis, linearAxis } from "./scale.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { chartConfig, colour, type Specification, vegaSvg } from "./vega-svg.ts";
import { metricName, nameOf, ranked, winnerOf } from "./view.ts";

interface Amount {
  readonly heading: string;
  readonly axis: string;
  readonly of: (candidate: ReportCandidate) => number;
  readonly show: (value: number, candidate: ReportCandidate) => string;
  readonly tick: (value: number, candidate: ReportCandidate) => string;
}

export const amounts: { readonly [O in Report["objective"]]: Amount } = {
  cost: {
    heading: "Quality against cost",
    axis: "cost of 1,000 answers",
    of: (one) => one.cost.per1k,
    show: (value, one) => cost(value, one.cost.unit),
    tick: (value, one) => roundCost(value, one.cost.unit),
  },
  latency: {
    heading: "Quality against latency",
    axis: "median latency of an answer",
    of: (one) => one.latency.p50,
    show: seconds,
    tick: roundSeconds,
  },
  update: {
    heading: "Quality against time of an update",
    axis: "time until an answer uses an update",
    of: (one) => one.update.seconds,
    show: seconds,
    tick: roundSeconds,
  },
};

interface Point {
  readonly x: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly colour: string;
  readonly kind: "winner" | "race" | "rest" | "aside";
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly narrow: boolean;
}

const sizes: { readonly [variant in "wide" | "narrow"]: Size } = {
  wide: { width: 980, height: 420, narrow: false },
  narrow: { width: 290, height: 340, narrow: true },
};

/** A section of the page; nothing without candidates. */
export async function qualityChart(report: Report): Promise<Markup> {
  const candidates = ranked(report);
  if (candidates.length === 0) return nothing;
  const drawn = await Promise.all(
    Object.entries(sizes).map(
      async ([name, size]) => html`<div class="${name}">${raw(await vegaSvg(specification(report, candidates, size)))}</div>`,
    ),
  );
  const amount = amounts[report.objective];
  return html`<section aria-labelledby="quality">
    <h2 id="quality">${amount.heading}</h2>
    <figure class="chart">
      <div role="img" aria-label="${spoken(report)}">${drawn}</div>
      <figcaption>
        ${metricName(report)} with 95 % intervals; ${report.metric.higherIsBetter ? "higher" : "lower"} is better, further left is
        ${report.objective === "cost" ? "cheaper" : "faster"}. Numbers are those of the table below. The dashed line joins the candidates
        that no other beats on both.
      </figcaption>
    </figure>
  </section>`;
}

/** The chart in words. */
function spoken(report: Report): string {
  const amount = amounts[report.objective];
  const front = frontier(report).map((one) => `${nameOf(report, one)}: ${score(one.score.value)} at ${amount.show(amount.of(one), one)}`);
  const winner = winnerOf(report);
  const said = winner === undefined ? "" : ` Recommended: ${nameOf(report, winner)}.`;
  return `${amount.heading}, ${report.candidates.length} candidates. Not beaten on both: ${front.join("; ")}.${said} The table of candidates has every figure.`;
}

/** Candidates for which no other is at least as good and cheaper, from the cheapest; eligible ones only. */
export function frontier(report: Report): readonly ReportCandidate[] {
  const sign = report.metric.higherIsBetter ? 1 : -1;
  const amount = amounts[report.objective];
  let best = Number.NEGATIVE_INFINITY;
  return report.candidates
    .filter(({ status }) => status !== "ineligible")
    .toSorted((a, b) => amount.of(a) - amount.of(b) || sign * (b.score.value - a.score.value))
    .filter((one) => {
      if (sign * one.score.value <= best) return false;
      best = sign * one.score.value;
      return true;
    });
}

const kindOf: { readonly [S in ReportCandidate["status"]]: Point["kind"] } = {
  winner: "winner",
  "in the race": "race",
  measured: "race",
  beaten: "rest",
  ineligible: "aside",
};
const colourOf: { readonly [K in Point["kind"]]: string } = {
  winner: colour.accent,
  race: colour.ink,
  rest: colour.quiet,
  aside: colour.faint,
};

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

function specification(report: Report, candidates: readonly ReportCandidate[], size: Size): Specification {
  const amount = amounts[report.objective];
  const x = amountAxis(candidates.map(amount.of));
  const scores = candidates.flatMap((one) => [one.score.low, one.score.high]);
  const y = linearAxis(Math.min(0, ...scores), Math.max(...scores) * 1.02);
  const place = (one: ReportCandidate): number => Math.max(amount.of(one), x.domain[0]);
  const points = candidates.map((one): Point => {
    const kind = kindOf[one.status];
    return { x: place(one), ...one.score, colour: colourOf[kind], kind };
  });
  const front = frontier(report).map((one) => ({ x: place(one), value: one.score.value }));
  const labels = labelsOf({ report, candidates, points, axes: { x, y }, size });
  const ticks = x.ticks.map((value) => amount.tick(value, candidates[0]!));
  const xChannel = { ...channel("x", x), title: amount.axis, axis: { ...labelled(x, ticks), grid: false } };
  const drawn = layers({ points, front, labels, xChannel, yChannel: channel("value", y) });
  const { width, height } = size;
  return { ...drawn, width, height, autosize: { type: "pad" }, config: chartConfig } as Specification;
}

const channel = (field: string, axis: Axis): object => ({
  field,
  type: "quantitative",
  title: null,
  scale: { type: axis.type, domain: [...axis.domain], nice: false, ...(axis.type === "log" ? {} : { zero: false }) },
  axis: { values: [...axis.ticks] },
});

/** Ticks with texts of their own, found by the tick's value. */
const labelled = ({ ticks }: Axis, texts: readonly string[]): object => ({
  values: [...ticks],
  labelExpr: `${JSON.stringify(texts)}[indexof(${JSON.stringify(ticks)}, datum.value)]`,
  labelOverlap: true,
});

interface Layers {
  readonly points: readonly Point[];
  readonly front: readonly { readonly x: number; readonly value: number }[];
  readonly labels: readonly object[];
  readonly xChannel: object;
  readonly yChannel: object;
}

const own = { field: "colour", type: "nominal", scale: null };
const pixels = { type: "quantitative", scale: null, axis: null };

function layers({ points, front, labels, xChannel, yChannel }: Layers): object {
  const symbol = (kinds: readonly Point["kind"][], mark: object): object => ({
    data: { values: points.filter(({ kind }) => kinds.includes(kind)) },
    mark: { type: "point", opacity: 1, filled: true, ...mark },
    encoding: { x: xChannel, y: yChannel, color: own },
  });
  const opacity = { condition: { test: 'datum.kind === "winner"', value: 1 }, value: 0.55 };
  return {
    layer: [
      {
        data: { values: front },
        mark: { type: "line", strokeDash: [3, 4], strokeWidth: 1, color: colour.faint },
        encoding: { x: xChannel, y: yChannel, order: { field: "x", type: "quantitative" } },
      },
      {
        data: { values: points },
        mark: { type: "rule", strokeWidth: 1 },
        encoding: { x: xChannel, y: { ...yChannel, field: "low" }, y2: { field: "high" }, color: own, opacity },
      },
      symbol(["rest", "race"], { size: 44 }),
      symbol(["aside"], { shape: "cross", size: 50 }),
      symbol(["winner"], { size: 120 }),
      ...[true, false].flatMap((strong) => [textLayer(labels, "left", strong), textLayer(labels, "right", strong)]),
    ],
  };
}

const textLayer = (labels: readonly object[], align: "left" | "right", strong: boolean): object => ({
  data: { values: labels },
  transform: [{ filter: `datum.align === "${align}" && datum.strong === ${strong}` }],
  mark: { type: "text", align, baseline: "middle", fontSize: 12, fontWeight: strong ? 600 : 400 },
  encoding: { x: { ...pixels, field: "px" }, y: { ...pixels, field: "py" }, text: { field: "text", type: "nominal" }, color: own },
});

interface LabelInput {
  readonly report: Report;
  readonly candidates: readonly ReportCandidate[];
  readonly points: readonly Point[];
  readonly axes: Axes;
  readonly size: Size;
}

/** Names for the winner and the frontier where there is room, numbers of the table for the rest. */
function labelsOf({ report, candidates, points, axes: { x, y }, size }: LabelInput): readonly object[] {
  const named = new Set(frontier(report).map(({ id }) => id));
  const importance = ({ status, id }: ReportCandidate): number =>
    status === "winner" ? 0 : named.has(id) ? 1 : status === "in the race" ? 2 : 3;
  const order = candidates.map((_, index) => index).toSorted((a, b) => importance(candidates[a]!) - importance(candidates[b]!));
  const down = (value: number): number => (1 - y.at(value)) * size.height;
  const wanted = order.map((index) => {
    const [one, point] = [candidates[index]!, points[index]!];
    const withName = importance(one) < (size.narrow ? 1 : 3);
    const texts = [...(withName ? [nameOf(report, one)] : []), String(index + 1)];
    return { x: x.at(point.x) * size.width, y: down(point.value), top: down(point.high), bottom: down(point.low), texts };
  });
  return placeLabels({ ...size, fontSize: 12, points: wanted }).map(({ index, text, x: px, y: py, align }) => {
    const { kind, colour: drawn } = points[order[index]!]!;
    return { text, px, py, align, colour: drawn === colour.faint ? colour.quiet : drawn, strong: kind === "winner" };
  });
}
