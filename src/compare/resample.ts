// Bootstrap and jackknife over groups: all candidates are resampled together and the metric recomputed from summed statistics.
import type { Metric } from "../evaluation.ts";
import type { Random } from "../util/random.ts";
import type { Grouped } from "./grouped.ts";

export interface Resamples {
  readonly samples: number;
  /** How often each group was drawn: [samples, groups]. */
  readonly weights: Uint8Array;
  /** Scores: [samples, candidates]. */
  readonly values: Float64Array;
}

/** Draws as many groups as there are, with replacement, `samples` times (Efron 1979; by clusters, Davison and Hinkley 1997, 3.8). */
export function bootstrap(grouped: Grouped, metric: Metric, { samples, random }: { samples: number; random: Random }): Resamples {
  const { groups, candidates } = grouped;
  const weights = new Uint8Array(samples * groups);
  for (let sample = 0; sample < samples; sample += 1) {
    for (let draw = 0; draw < groups; draw += 1) {
      const cell = sample * groups + Math.floor(random.next() * groups);
      weights[cell] = (weights[cell] ?? 0) + 1;
    }
  }
  const values = new Float64Array(samples * candidates.length);
  const accumulator = accumulate(grouped, metric);
  for (let sample = 0; sample < samples; sample += 1) {
    accumulator.fill(weights.subarray(sample * groups, (sample + 1) * groups));
    for (let candidate = 0; candidate < candidates.length; candidate += 1)
      values[sample * candidates.length + candidate] = accumulator.value(candidate);
  }
  return { samples, weights, values };
}

/** The score of each candidate on all rows. */
export function scores(grouped: Grouped, metric: Metric): Float64Array {
  const accumulator = accumulate(grouped, metric);
  accumulator.fill(new Uint8Array(grouped.groups).fill(1));
  return Float64Array.from(grouped.candidates, (_, candidate) => accumulator.value(candidate));
}

/**
 * Jackknife pseudo-values, [groups, candidates]: G times the score less (G - 1) times the score without the group. For a mean over
 * groups of equal size they are the groups' own values. Over fewer than two groups, the scores themselves.
 */
export function pseudoValues(grouped: Grouped, metric: Metric): Float64Array {
  const { groups, candidates } = grouped;
  const whole = scores(grouped, metric);
  const pseudo = new Float64Array(groups * candidates.length);
  const accumulator = accumulate(grouped, metric);
  const weights = new Uint8Array(groups).fill(1);
  for (let group = 0; group < groups; group += 1) {
    if (groups > 1) weights[group] = 0;
    accumulator.fill(weights);
    weights[group] = 1;
    for (let candidate = 0; candidate < candidates.length; candidate += 1) {
      pseudo[group * candidates.length + candidate] = groups * (whole[candidate] ?? 0) - (groups - 1) * accumulator.value(candidate);
    }
  }
  return pseudo;
}

/** The score of one candidate on the groups that a sample left out; undefined where it left none out. */
export function leftOutScore(grouped: Grouped, metric: Metric, weights: Uint8Array, candidate: number): number | undefined {
  const { groups, dimensions, candidates, sums, counts } = grouped;
  const total = new Float64Array(dimensions);
  let rows = 0;
  for (let group = 0; group < groups; group += 1) {
    if ((weights[group] ?? 0) > 0) continue;
    rows += counts[group] ?? 0;
    const start = (group * candidates.length + candidate) * dimensions;
    for (let index = 0; index < dimensions; index += 1) total[index] = (total[index] ?? 0) + (sums[start + index] ?? 0);
  }
  return rows === 0 ? undefined : metric.value(total, rows);
}

/** Weighted sums of all candidates in one buffer, and the metric's value of each. */
function accumulate({ groups, dimensions, candidates, sums, counts }: Grouped, metric: Metric) {
  const width = candidates.length * dimensions;
  const total = new Float64Array(width);
  const views = candidates.map((_, candidate) => total.subarray(candidate * dimensions, (candidate + 1) * dimensions));
  let rows = 0;
  const fill = (weights: Uint8Array): void => {
    total.fill(0);
    rows = 0;
    for (let group = 0; group < groups; group += 1) {
      const weight = weights[group] as number;
      if (weight === 0) continue;
      rows += weight * (counts[group] as number);
      const start = group * width;
      for (let index = 0; index < width; index += 1) total[index] = (total[index] as number) + weight * (sums[start + index] as number);
    }
  };
  return { fill, value: (candidate: number): number => metric.value(views[candidate] as Float64Array, rows) };
}
