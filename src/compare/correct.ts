// The winner's score without the flattery of having been chosen. Knows nothing of names or costs.
import type { Metric } from "../evaluation.ts";
import type { Bands } from "./bands.ts";
import type { Grouped } from "./grouped.ts";
import { leftOutScore, type Resamples } from "./resample.ts";

interface CorrectOptions {
  readonly grouped: Grouped;
  readonly metric: Metric;
  readonly resamples: Resamples;
  readonly bands: Bands;
  readonly order: readonly number[];
  readonly tolerance: number;
}

/**
 * Bootstrap bias corrected score (Tsamardinos, Greasidou and Borboudakis 2018, algorithm 5): the rule of choice is repeated on every
 * bootstrap sample, its choice is scored on the groups that the sample left out, and these scores are averaged. The bands keep the
 * width they have on all rows. NaN where no sample leaves a group out.
 */
export function correctedScore({ grouped, metric, resamples, bands, order, tolerance }: CorrectOptions): number {
  const { weights, values, samples } = resamples;
  const count = grouped.candidates.length;
  let total = 0;
  let used = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const chosen = chosenIn(values.subarray(sample * count, (sample + 1) * count), bands, order, tolerance, metric.higherIsBetter ? 1 : -1);
    const score = leftOutScore(grouped, metric, weights.subarray(sample * grouped.groups, (sample + 1) * grouped.groups), chosen);
    if (score === undefined) continue;
    total += score;
    used += 1;
  }
  return total / used;
}

/** The rule on one sample. Within a sample, expected regret less the smallest is the distance to the best score. */
function chosenIn(scores: Float64Array, bands: Bands, order: readonly number[], tolerance: number, sign: number): number {
  const count = scores.length;
  const surelyClose = (one: number): boolean => {
    for (let other = 0; other < count; other += 1) {
      const gain = sign * ((scores[other] as number) - (scores[one] as number));
      if (other !== one && gain + (bands.halves[other * count + one] as number) > tolerance) return false;
    }
    return true;
  };
  const best = scores.reduce((top, score) => Math.max(top, sign * score), Number.NEGATIVE_INFINITY);
  return order.find(surelyClose) ?? order.find((one) => best - sign * (scores[one] as number) <= tolerance) ?? 0;
}
