// Ask the cheap candidate first, the better one when it is unsure. Pair and threshold are chosen on validation answers at hand.
import type { Candidate } from "../../candidate.ts";
import { UserError } from "../../errors.ts";
import { type Evaluation, type Metric, type Row, scoreOf } from "../../evaluation.ts";
import { nothingNeeded } from "../needs.ts";
import type { Built, Strategy, StrategyContext } from "../strategy.ts";
import { answerWeight } from "./weight.ts";

interface Choice {
  readonly first: Built;
  readonly second: Built;
  readonly threshold: number;
  readonly score: number;
  /** Mean work per answer, in the units of `answerWeight`. */
  readonly work: number;
}

/** FrugalGPT's cascade (Chen et al. 2023) with the candidates built before. No model is asked anything new. */
export const cascadeStrategy: Strategy = {
  name: "cascade",
  summary: "Asks a cheap candidate first and a better one when the first is unsure.",
  combines: true,
  shape: (start) => start,
  estimate: () => nothingNeeded,
  async *run(start, _data, context) {
    const best = strongest(context.built, context.metric);
    const choice = best && bestChoice(context, best);
    if (best === undefined || choice === undefined)
      throw new UserError("On validation no pair of candidates was better than the best alone, or as good for less work.");
    const candidate: Candidate = {
      kind: "cascade",
      id: start.id,
      manifest: start.manifest,
      first: choice.first.candidate,
      second: choice.second.candidate,
      threshold: choice.threshold,
    };
    const parameters = { first: choice.first.candidate.id, second: choice.second.candidate.id, threshold: choice.threshold };
    yield { kind: "candidate", result: { candidate, parameters } };
  },
};

export function strongest(built: readonly Built[], metric: Metric): Built | undefined {
  const sign = metric.higherIsBetter ? 1 : -1;
  return built.toSorted((a, b) => sign * (b.score - a.score) || answerWeight(a) - answerWeight(b))[0];
}

/** The highest validation score; among equals the least work. Better than the best alone, or as good for less. */
function bestChoice({ built, metric }: StrategyContext, best: Built): Choice | undefined {
  const sign = metric.higherIsBetter ? 1 : -1;
  const choices = built.flatMap((first) =>
    built.filter((second) => answerWeight(first) < answerWeight(second)).flatMap((second) => thresholdsOf(first, second, metric)),
  );
  const [top] = choices.toSorted((a, b) => sign * (b.score - a.score) || a.work - b.work);
  if (top === undefined) return undefined;
  const gain = sign * (top.score - best.score);
  return gain > 0 || (gain === 0 && top.work < answerWeight(best)) ? top : undefined;
}

function thresholdsOf(first: Built, second: Built, metric: Metric): readonly Choice[] {
  const sure = first.evaluation.rows.map((row) => row.confidence);
  if (sure.some((confidence) => confidence === undefined)) return [];
  const sorted = (sure as number[]).toSorted((a, b) => a - b);
  const thresholds = new Set(
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((share) => Number(sorted[Math.floor(share * sorted.length)]!.toPrecision(4))),
  );
  return [...thresholds].map((threshold) => {
    const { rows, asked } = mixed(first.evaluation, second.evaluation, threshold);
    return { first, second, threshold, score: scoreOf(rows, metric), work: answerWeight(first) + asked * answerWeight(second) };
  });
}

function mixed(first: Evaluation, second: Evaluation, threshold: number): { rows: readonly Row[]; asked: number } {
  const better = new Map(second.rows.map((row) => [row.id, row]));
  const unsure = first.rows.filter((row) => (row.confidence ?? 0) < threshold && better.has(row.id));
  const passed = new Set(unsure.map((row) => row.id));
  return {
    rows: first.rows.map((row) => (passed.has(row.id) ? better.get(row.id)! : row)),
    asked: unsure.length / Math.max(1, first.rows.length),
  };
}
