// How well numbers agree with people's: rank correlation, the area under the ROC curve, and intervals by resampling whole groups.
import type { Random } from "../src/util/random.ts";

/** Spearman's rank correlation, ties sharing their mean rank. NaN where one side tells nothing apart. */
export function spearman(left: readonly number[], right: readonly number[]): number {
  return pearson(ranksOf(left), ranksOf(right));
}

/** The probability that a positive one scores above a negative one, ties counting half (Mann and Whitney 1947). */
export function areaUnderRoc(scores: readonly number[], positive: readonly boolean[]): number {
  const ranks = ranksOf(scores);
  const positives = positive.filter(Boolean).length;
  const sum = ranks.reduce((total, rank, index) => total + (positive[index]! ? rank : 0), 0);
  return (sum - (positives * (positives + 1)) / 2) / (positives * (positive.length - positives));
}

/** Ranks from 1. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks: number[] = Array.from(values, () => 0);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (const index of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function pearson(left: readonly number[], right: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  let [product, leftSquares, rightSquares] = [0, 0, 0];
  for (const [index, value] of left.entries()) {
    product += (value - leftMean) * (right[index]! - rightMean);
    leftSquares += (value - leftMean) ** 2;
    rightSquares += (right[index]! - rightMean) ** 2;
  }
  return product / Math.sqrt(leftSquares * rightSquares);
}

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface GroupBootstrap<T> {
  readonly groups: readonly (readonly T[])[];
  readonly statistic: (rows: readonly T[]) => number;
  readonly random: Random;
  /** Default: 1,000. */
  readonly samples?: number;
}

/** A statistic of all rows, and its 95 % percentile interval over groups drawn with replacement; samples without a value are left out. */
export function groupBootstrap<T>({ groups, statistic, random, samples = 1000 }: GroupBootstrap<T>): Interval {
  const drawn = Array.from({ length: samples }, () => statistic(groups.flatMap(() => groups[random.integer(groups.length)]!)));
  const values = drawn.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
  return { value: statistic(groups.flat()), low: at(0.025), high: at(0.975) };
}

/** `.41 [.32, .50]` */
export function intervalText({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}
