// A metric that is the mean of its rows' values: accuracy, exact match, token F1, ROUGE-L.
import type { Metric, Prediction } from "../evaluation.ts";

interface MeanOptions {
  readonly name: string;
  /** Whether every row is 0 or 1. */
  readonly proportion: boolean;
  readonly row: (prediction: Prediction) => number;
  readonly reason: (prediction: Prediction, value: number) => string;
}

/** Statistics are `[value]`, the score their mean, the worst 0. */
export function meanMetric({ name, proportion, row, reason }: MeanOptions): Metric {
  return {
    name,
    higherIsBetter: true,
    proportion,
    statistics: (prediction) => [row(prediction)],
    worst: () => [0],
    value: (sums, count) => (sums[0] ?? 0) / count,
    reason: (prediction) => reason(prediction, row(prediction)),
  };
}
