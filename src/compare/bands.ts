// Simultaneous confidence bands for the differences between all candidates' scores.
import { quantile, studentQuantile } from "./distribution.ts";
import type { Resamples } from "./resample.ts";

export interface Bands {
  readonly candidates: number;
  /** Score of the row's candidate less score of the column's: [candidates, candidates]. */
  readonly differences: Float64Array;
  /** Half the width of each band: [candidates, candidates]. */
  readonly halves: Float64Array;
}

export interface Band {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

interface BandOptions {
  readonly scores: Float64Array;
  readonly resamples: Resamples;
  /** [groups, candidates] */
  readonly pseudo: Float64Array;
  readonly level?: number;
}

/**
 * Bands that hold all true differences at once with probability `level`, by the max-t bootstrap (Westfall and Young 1993; Romano and
 * Wolf 2005): the critical value is the quantile of the largest |difference* - difference| / error over all pairs. For small samples
 * the standard errors are stabilised and the critical value is widened pair by pair, see {@link spread}.
 */
export function simultaneousBands({ scores, resamples, pseudo, level = 0.95 }: BandOptions): Bands {
  const count = scores.length;
  const differences = new Float64Array(count * count);
  const spreads: { a: number; b: number; error: number; degrees: number }[] = [];
  const largest = new Float64Array(resamples.samples);
  for (let a = 0; a < count; a += 1) {
    for (let b = a + 1; b < count; b += 1) {
      differences[a * count + b] = (scores[a] ?? 0) - (scores[b] ?? 0);
      differences[b * count + a] = (scores[b] ?? 0) - (scores[a] ?? 0);
      const variance = pairVariance(resamples, a, b, count);
      keepLargest(largest, resamples, { a, b, count, difference: differences[a * count + b] ?? 0, error: Math.sqrt(variance) });
      spreads.push({ a, b, ...spread(pseudo, a, b, count, variance) });
    }
  }
  const critical = quantile(largest, level);
  const halves = new Float64Array(count * count);
  for (const { a, b, error, degrees } of spreads) {
    halves[a * count + b] = studentQuantile(critical, degrees) * error;
    halves[b * count + a] = halves[a * count + b] ?? 0;
  }
  return { candidates: count, differences, halves };
}

/** The band of score of `a` less score of `b`. */
export function band({ candidates, differences, halves }: Bands, a: number, b: number): Band {
  const difference = differences[a * candidates + b] ?? 0;
  const half = halves[a * candidates + b] ?? 0;
  return { difference, low: difference - half, high: difference + half };
}

function pairVariance({ values, samples }: Resamples, a: number, b: number, count: number): number {
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < values.length; at += count) {
    const difference = (values[at + a] as number) - (values[at + b] as number);
    sum += difference;
    squares += difference * difference;
  }
  return Math.max(0, squares / samples - (sum / samples) ** 2);
}

/**
 * Standard error of a difference and how well it is known. Two candidates that differ on two examples of fifty are not known to be
 * almost equal, so to the groups on which they differ a half is added either way, each as large as such groups typically are: where
 * rows are 0 or 1, Agresti and Min's (2005) half on each discordant count. The degrees of freedom are Satterthwaite's, from the
 * kurtosis of the groups' differences: about twice the number of groups on which the two differ, where these are few.
 */
function spread(pseudo: Float64Array, a: number, b: number, count: number, variance: number): { error: number; degrees: number } {
  const groups = pseudo.length / count;
  const differences = Float64Array.from(
    { length: groups },
    (_, group) => (pseudo[group * count + a] ?? 0) - (pseudo[group * count + b] ?? 0),
  );
  const discordant = differences.filter((difference) => Math.abs(difference) > 1e-9);
  const typical = discordant.length === 0 ? 1 : discordant.reduce((total, difference) => total + difference ** 2, 0) / discordant.length;
  const mean = differences.reduce((total, difference) => total + difference, 0) / groups;
  const second = differences.reduce((total, difference) => total + (difference - mean) ** 2, typical);
  const fourth = differences.reduce((total, difference) => total + (difference - mean) ** 4, typical ** 2);
  const kurtosis = (groups * fourth) / second ** 2;
  const unbiased = groups < 2 ? variance : (variance * groups) / (groups - 1);
  const degrees = kurtosis > 1 ? (2 * groups) / (kurtosis - 1) : Number.POSITIVE_INFINITY;
  return { error: Math.sqrt(unbiased + typical / groups ** 2), degrees: Math.max(1, Math.min(groups - 1, degrees)) };
}

/** For each sample the largest of its own and what is there, in bootstrap standard errors; a pair that never differs adds nothing. */
function keepLargest(
  largest: Float64Array,
  { values, samples }: Resamples,
  { a, b, count, difference, error }: { a: number; b: number; count: number; difference: number; error: number },
): void {
  if (error === 0) return;
  for (let sample = 0; sample < samples; sample += 1) {
    const resampled = (values[sample * count + a] as number) - (values[sample * count + b] as number);
    const t = Math.abs(resampled - difference) / error;
    if (t > (largest[sample] as number)) largest[sample] = t;
  }
}
