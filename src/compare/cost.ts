// What a candidate costs to run: requests, updates and its building, in money or in machine-seconds. Knows nothing of quality.
import type { Objective, Prices, Usage } from "../task.ts";

/** What was measured of a candidate that its cost follows from. */
export interface CostProfile {
  readonly local: boolean;
  /** Mean seconds of a request. */
  readonly secondsPerRequest: number;
  /** What the servers it asks take for 1,000 requests; absent where their price is not known. */
  readonly dollarsPer1k?: number;
  readonly latency: { readonly p50: number; readonly p95: number };
  readonly buildSeconds: number;
  /** From a changed document to the first answer that uses it. */
  readonly updateSeconds: number;
}

export type CostUnit = "dollars" | "machine-seconds";

/** The cost of 1,000 requests in dollars; undefined where a price is missing. A server's time is in its price, this machine's is not. */
export function dollarsPer1k(
  { local, secondsPerRequest, dollarsPer1k: served }: CostProfile,
  prices: Prices | undefined,
): number | undefined {
  if (!local) return served;
  return prices?.machineHour === undefined ? undefined : (served ?? 0) + (secondsPerRequest * 1000 * prices.machineHour) / 3600;
}

/** Dollars where every candidate has its prices, else machine-seconds, so that all are counted alike. */
export function costUnit(profiles: readonly CostProfile[], prices: Prices | undefined): CostUnit {
  return profiles.every((profile) => dollarsPer1k(profile, prices) !== undefined) ? "dollars" : "machine-seconds";
}

/** The cost of 1,000 requests in the unit; in machine-seconds, a request's seconds wherever they are spent. */
export function costPer1k(profile: CostProfile, unit: CostUnit, prices: Prices | undefined): number {
  return unit === "dollars" ? (dollarsPer1k(profile, prices) ?? Number.NaN) : profile.secondsPerRequest * 1000;
}

/** A month's requests and updates, and the building over the months that pay it off, in the unit. */
export function costPerMonth(
  profile: CostProfile,
  { unit, prices, usage }: { unit: CostUnit; prices: Prices | undefined; usage: Usage },
): number {
  const ofSeconds = (seconds: number): number => (unit === "dollars" ? (seconds * (prices?.machineHour ?? 0)) / 3600 : seconds);
  return (
    (usage.requestsPerMonth * costPer1k(profile, unit, prices)) / 1000 +
    usage.updatesPerMonth * ofSeconds(profile.updateSeconds) +
    ofSeconds(profile.buildSeconds) / Math.max(1, usage.months)
  );
}

const objectives: {
  readonly [K in Objective]: (profile: CostProfile, options: { unit: CostUnit; prices: Prices | undefined; usage: Usage }) => number;
} = {
  cost: costPerMonth,
  latency: ({ latency }) => latency.p50,
  update: ({ updateSeconds }) => updateSeconds,
};

/** What "cheapest" means for the task: cost a month, median seconds of a request, or seconds of an update. */
export function objectiveValue(
  profile: CostProfile,
  { objective, unit, prices, usage }: { objective: Objective; unit: CostUnit; prices: Prices | undefined; usage: Usage },
): number {
  return objectives[objective](profile, { unit, prices, usage });
}
