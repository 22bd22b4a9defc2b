// The 95 % interval of one candidate's score over the sampling of test examples.
import { normal975, normalProbability, normalQuantile, quantile, studentQuantile, variance } from "./distribution.ts";

export interface ScoreInterval {
  readonly low: number;
  readonly high: number;
}

interface IntervalOptions {
  readonly score: number;
  readonly rows: number;
  readonly groups: number;
  /** Whether rows are 0 or 1 and the score their mean. */
  readonly proportion: boolean;
  /** The score in each bootstrap sample of groups. */
  readonly resampled: ArrayLike<number>;
  /** Jackknife pseudo-values by group. */
  readonly pseudo: ArrayLike<number>;
}

/** Wilson's interval for proportions, BCa bootstrap for everything else, and Wilson's again where no sample differs from the score. */
export function scoreInterval(options: IntervalOptions): ScoreInterval {
  const { proportion, resampled, groups, score } = options;
  if (groups === 0) return { low: Number.NaN, high: Number.NaN };
  const spread = variance(resampled);
  if (proportion) return wilson(options, spread);
  if (spread > 1e-18) return biasCorrected(options);
  return score >= 0 && score <= 1 ? wilson({ ...options, rows: groups }, 0) : { low: score, high: score };
}

/**
 * Wilson's score interval (1927). Rows of one group are no independent evidence: the number of rows is divided by the design effect,
 * the bootstrap's variance over that of independent rows (Kish 1965), and the quantile is Student's at groups - 1.
 */
function wilson({ score, rows, groups }: IntervalOptions, spread: number): ScoreInterval {
  const independent = (score * (1 - score)) / rows;
  const unbiased = groups < 2 ? spread : (spread * groups) / (groups - 1);
  const effect = groups === rows ? 1 : unbiased > 0 && independent > 0 ? Math.max(1, unbiased / independent) : rows / groups;
  const n = rows / effect;
  const z = groups === rows || groups < 2 ? normal975 : studentQuantile(normal975, groups - 1);
  const middle = (score + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((score * (1 - score)) / n + z ** 2 / (4 * n ** 2));
  return { low: Math.max(0, Math.min(score, middle - half)), high: Math.min(1, Math.max(score, middle + half)) };
}

/**
 * Bias corrected and accelerated percentiles (Efron 1987), with the tails widened for small samples (Hesterberg 2015, section 4.3).
 * Plain percentiles cover only 87 to 92 % for macro-F1 at 50 to 100 examples, for resampling biases it downwards.
 */
function biasCorrected({ score, groups, resampled, pseudo }: IntervalOptions): ScoreInterval {
  const values = Float64Array.from(resampled);
  const below = values.reduce((total, value) => total + (value < score ? 1 : value === score ? 0.5 : 0), 0) / values.length;
  const bias = normalQuantile(Math.min(0.999, Math.max(0.001, below)));
  const mean = Float64Array.from(pseudo).reduce((total, value) => total + value, 0) / groups;
  const second = Float64Array.from(pseudo).reduce((total, value) => total + (value - mean) ** 2, 0);
  const third = Float64Array.from(pseudo).reduce((total, value) => total + (value - mean) ** 3, 0);
  const acceleration = second > 0 ? third / (6 * second ** 1.5) : 0;
  const z = groups < 2 ? normal975 : Math.sqrt(groups / (groups - 1)) * studentQuantile(normal975, groups - 1);
  const level = (tail: number): number => normalProbability(bias + (bias + tail) / Math.max(0.1, 1 - acceleration * (bias + tail)));
  return { low: Math.min(score, quantile(values, level(-z))), high: Math.max(score, quantile(values, level(z))) };
}
