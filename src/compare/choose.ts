// The rule of choice over bands and costs: beaten, clear winner, provisional choice. Pure arithmetic; knows no names.
import { band, type Bands } from "./bands.ts";
import type { Resamples } from "./resample.ts";

export interface Choice {
  readonly status: "clear" | "provisional";
  readonly winner: number;
  /** Candidates that another one is surely better than. */
  readonly beaten: readonly number[];
  /** How much score each choice is expected to give up against the best: [candidates]. */
  readonly regrets: readonly number[];
}

export interface ChoiceOptions {
  readonly bands: Bands;
  readonly resamples: Resamples;
  /** Candidates from the cheapest to the dearest. */
  readonly order: readonly number[];
  readonly tolerance: number;
  readonly higherIsBetter: boolean;
}

/**
 * Beaten: the lower bound of (another - this) is above 0. Clear winner: the cheapest whose upper bounds of (any other - this) are
 * all within tolerance. Else provisional: the cheapest whose expected regret is within tolerance of the smallest.
 */
export function choose({ bands, resamples, order, tolerance, higherIsBetter }: ChoiceOptions): Choice {
  const all = Array.from({ length: bands.candidates }, (_, index) => index);
  const gain = (other: number, one: number): { low: number; high: number } =>
    higherIsBetter ? band(bands, other, one) : band(bands, one, other);
  const beaten = all.filter((one) => all.some((other) => other !== one && gain(other, one).low > 0));
  const regrets = expectedRegrets(resamples, bands.candidates, higherIsBetter);
  const clear = order.find((one) => all.every((other) => other === one || gain(other, one).high <= tolerance));
  if (clear !== undefined) return { status: "clear", winner: clear, beaten, regrets };
  const smallest = Math.min(...regrets);
  const provisional = order.find((one) => (regrets[one] ?? 0) <= smallest + tolerance) ?? 0;
  return { status: "provisional", winner: provisional, beaten, regrets };
}

/** Mean over the bootstrap samples of how far each candidate is below that sample's best. */
function expectedRegrets({ values, samples }: Resamples, count: number, higherIsBetter: boolean): readonly number[] {
  const sign = higherIsBetter ? 1 : -1;
  const regrets = new Float64Array(count);
  for (let at = 0; at < values.length; at += count) {
    let best = Number.NEGATIVE_INFINITY;
    for (let one = 0; one < count; one += 1) best = Math.max(best, sign * (values[at + one] as number));
    for (let one = 0; one < count; one += 1) regrets[one] = (regrets[one] as number) + best - sign * (values[at + one] as number);
  }
  return Array.from(regrets, (total) => total / samples);
}

/**
 * About how many groups would make the winner clear, if the differences stay what they are and errors shrink with the root of the
 * number: the smallest n at which difference + critical * error * sqrt(groups / n) <= tolerance for every other. Undefined where
 * another is better by the tolerance or more.
 */
export function groupsNeeded(
  { bands, tolerance, higherIsBetter }: Omit<ChoiceOptions, "resamples" | "order">,
  winner: number,
  groups: number,
): number | undefined {
  let needed = groups;
  for (let other = 0; other < bands.candidates; other += 1) {
    if (other === winner) continue;
    const { difference, high } = band(bands, other, winner);
    const margin = tolerance - (higherIsBetter ? difference : -difference);
    if (margin <= 0) return undefined;
    needed = Math.max(needed, groups * ((high - difference) / margin) ** 2);
  }
  return Math.ceil(needed);
}
