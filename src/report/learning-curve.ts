// The loss of one training run as a drawing: every step's as a thin line, validation as a strong one, the epoch that was kept marked.
import { score } from "../util/figures.ts";
import { mean } from "../util/mean.ts";
import { linearAxis } from "./scale.ts";
import { colour, type Specification, vegaSvgFile } from "./vega-svg.ts";

/** Losses in nats a predicted token. */
export interface LearningCurve {
  readonly steps: readonly { readonly step: number; readonly loss: number }[];
  /** By the last step of each epoch. */
  readonly epochs: readonly { readonly step: number; readonly validationLoss?: number }[];
}

const size = { width: 620, height: 300 } as const;
const legend = {
  text: "thin: training, strong: validation, red: the weights kept",
  anchor: "start",
  fontSize: 12,
  fontWeight: "normal",
  color: colour.quiet,
} as const;
/** More points than the drawing has room for are averaged, neighbours together. */
const mostPoints = 310;

/** The curve as an SVG file. */
export function learningCurveSvg(curve: LearningCurve): Promise<string> {
  return vegaSvgFile(specification(curve), sentence(curve));
}

interface Point {
  readonly step: number;
  readonly loss: number;
}

function specification(curve: LearningCurve): Specification {
  const training = thinned(curve.steps);
  const validation = validationOf(curve);
  const best = bestOf(validation);
  const last = Math.max(1, ...[...curve.steps, ...validation].map(({ step }) => step));
  const [x, y] = [linearAxis(0, last), linearAxis(0, Math.max(...[...training, ...validation].map(({ loss }) => loss), 0.1) * 1.05)];
  const encoding = {
    x: axis("step", "step", { domain: x.domain, ticks: x.ticks.filter(Number.isInteger) }, false),
    y: axis("loss", "loss a token, nats", y, true),
  };
  const line = (points: readonly Point[], strokeWidth: number, stroke: string) => ({
    data: { values: points },
    mark: { type: "line", strokeWidth, color: stroke },
    encoding,
  });
  const point = (points: readonly Point[], area: number, fill: string) => ({
    data: { values: points },
    mark: { type: "point", filled: true, size: area, opacity: 1, color: fill },
    encoding,
  });
  const marks = [point(validation, 25, colour.ink), point(best === undefined ? [] : [best], 70, colour.accent)];
  return { ...size, title: legend, layer: [line(training, 1, colour.quiet), line(validation, 2, colour.ink), ...marks] } as Specification;
}

function axis(field: string, title: string, { domain, ticks }: { domain: readonly number[]; ticks: readonly number[] }, grid: boolean) {
  return {
    field,
    type: "quantitative",
    title,
    scale: { domain: [...domain], nice: false, zero: false },
    axis: { grid, values: [...ticks] },
  };
}

const validationOf = ({ epochs }: LearningCurve): readonly Point[] =>
  epochs.flatMap(({ step, validationLoss }) => (validationLoss === undefined ? [] : [{ step, loss: validationLoss }]));

const bestOf = (points: readonly Point[]): Point | undefined => points.toSorted((a, b) => a.loss - b.loss)[0];

function thinned(steps: readonly Point[]): readonly Point[] {
  const together = Math.ceil(steps.length / mostPoints);
  return Array.from({ length: Math.ceil(steps.length / Math.max(1, together)) }, (_, index) => {
    const some = steps.slice(index * together, (index + 1) * together);
    return { step: mean(some.map(({ step }) => step)), loss: mean(some.map(({ loss }) => loss)) };
  });
}

/** What the drawing shows, in words. */
function sentence(curve: LearningCurve): string {
  const [first, last] = [curve.steps[0], curve.steps.at(-1)];
  const best = bestOf(validationOf(curve));
  const trained =
    first === undefined || last === undefined ? "" : `Training loss ${score(first.loss)} to ${score(last.loss)} in ${last.step} steps. `;
  return `${trained}${best === undefined ? "No validation loss." : `Lowest validation loss ${score(best.loss)}, after step ${best.step}.`}`;
}
