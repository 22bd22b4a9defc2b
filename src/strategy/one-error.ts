// The one-standard-error rule: on few validation examples the best is mostly luck, and the simpler one costs less.
import type { Metric } from "../evaluation.ts";
import { mean } from "../util/mean.ts";
import type { Scored } from "./strategy.ts";

/**
 * The first of `tried` (simplest first) whose score is within one standard error of the best one's (Breiman et al. 1984, section 3.4.3;
 * Hastie et al. 2009, section 7.10). The error is that of the best one's own mean over rows.
 */
export function firstWithinOneError<T extends { readonly scored: Scored }>(tried: readonly T[], metric: Metric): T {
  const sign = metric.higherIsBetter ? 1 : -1;
  const best = tried.reduce((a, b) => (sign * (b.scored.score - a.scored.score) > 0 ? b : a));
  const error = standardError(best.scored.evaluation.rows.map(({ scores }) => scores[metric.name]!.value));
  return tried.find(({ scored }) => sign * (best.scored.score - scored.score) <= error) ?? best;
}

function standardError(values: readonly number[]): number {
  const center = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, values.length - 1);
  return Math.sqrt(variance / values.length);
}
