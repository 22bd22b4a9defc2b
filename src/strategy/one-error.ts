// The one-standard-error rule: on few validation examples the best is mostly luck, and the simpler one costs less.
import type { Metric } from "../evaluation.ts";
import type { Scored } from "./strategy.ts";

/**
 * The first of `tried` (simplest first) that is not worse than the best by more than one standard error of their paired difference
 * (Breiman et al. 1984, section 3.4.3; Hastie et al. 2009, section 7.10).
 */
export function firstWithinOneError<T extends { readonly scored: Scored }>(tried: readonly T[], metric: Metric): T {
  const sign = metric.higherIsBetter ? 1 : -1;
  const best = tried.reduce((a, b) => (sign * (b.scored.score - a.scored.score) > 0 ? b : a));
  const close = tried.find((one) => {
    const gaps = rowScores(best.scored, metric).map((value, row) => sign * (value - rowScores(one.scored, metric)[row]!));
    return mean(gaps) <= standardError(gaps);
  });
  return close ?? best;
}

const rowScores = ({ evaluation }: Scored, { name }: Metric): readonly number[] => evaluation.rows.map(({ scores }) => scores[name]!.value);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, values.length - 1);
  return Math.sqrt(variance / values.length);
}
