// A metric that is the mean of its rows' values: accuracy, exact match, token F1, ROUGE-L.
import type { Metric, Prediction } from "../evaluation.ts";

interface MeanOptions {
  readonly name: string;
  /** Whether every row is 0 or 1. */
  readonly proportion: boolean;
  /** The value of an answer against the one output of its example. */
  readonly row: (prediction: Prediction) => number;
  readonly reason: (prediction: Prediction, value: number) => string;
}

/**
 * Statistics are `[value]`, the score their mean, the worst 0. Where an example has alternatives, the output that the answer comes
 * closest to counts, as in SQuAD's evaluation (Rajpurkar et al. 2016, section 6).
 */
export function meanMetric({ name, proportion, row, reason }: MeanOptions): Metric {
  return {
    name,
    higherIsBetter: true,
    proportion,
    statistics: (prediction) => [closest(prediction, row).value],
    worst: () => [0],
    value: (sums, count) => (sums[0] ?? 0) / count,
    reason: (prediction) => {
      const { against, value } = closest(prediction, row);
      return reason(against, value);
    },
  };
}

/** The first of the best. */
function closest(prediction: Prediction, row: MeanOptions["row"]): { readonly against: Prediction; readonly value: number } {
  const { example } = prediction;
  const all = [example.output, ...(example.alternatives ?? [])].map((output) => {
    const against = { ...prediction, example: { ...example, output } };
    return { against, value: row(against) };
  });
  return all.reduce((best, one) => (one.value > best.value ? one : best));
}
