// Which candidates break a constraint, by how much, before any score is looked at.
import type { Constraints, Prices } from "../task.ts";
import { dollarsPer1k, type CostProfile } from "./cost.ts";

export interface Rejection {
  readonly id: string;
  /** A constraint of the task, or "answered": the share of test examples that got an answer or an error of the candidate's own. */
  readonly constraint: "p95" | "costPer1k" | "memory" | "local" | "answered";
  /** What was measured, in seconds, dollars, bytes or as a share; null where it is not known. */
  readonly value: number | boolean | null;
  readonly limit: number | boolean;
}

export interface ConstrainedProfile extends CostProfile {
  readonly id: string;
  /** Peak memory of inference. */
  readonly memoryBytes?: number;
}

/** At least this share of the test examples must not have failed through nobody's fault. */
const answeredLimit = 0.98;

/**
 * Every constraint the candidate breaks. What is not known breaks a constraint too: a system whose cost nobody stated can't be
 * recommended as cheap enough.
 */
export function rejections(
  profile: ConstrainedProfile,
  { constraints, prices, answered }: { constraints: Constraints; prices: Prices | undefined; answered: number },
): readonly Rejection[] {
  const { id } = profile;
  const cost = dollarsPer1k(profile, prices);
  const above = (constraint: Rejection["constraint"], value: number | undefined, limit: number | undefined): readonly Rejection[] =>
    limit === undefined || (value !== undefined && value <= limit) ? [] : [{ id, constraint, value: value ?? null, limit }];
  return [
    ...above("p95", profile.latency.p95, constraints.p95),
    ...above("costPer1k", cost, constraints.costPer1k),
    ...above("memory", profile.memoryBytes, constraints.memory),
    ...(constraints.local === true && !profile.local ? [{ id, constraint: "local", value: false, limit: true } as const] : []),
    ...(answered < answeredLimit ? [{ id, constraint: "answered", value: answered, limit: answeredLimit } as const] : []),
  ];
}

/** How many candidates break each constraint, and for how many it could not be known: `p95 (3), costPer1k (2, not known of 2)`. */
export function brokenBy(rejected: readonly Rejection[]): string {
  const names = [...new Set(rejected.map(({ constraint }) => constraint))];
  const counts = names.map((name) => {
    const broken = rejected.filter(({ constraint }) => constraint === name);
    const unknown = broken.filter(({ value }) => value === null).length;
    return `${name} (${broken.length}${unknown === 0 ? "" : `, not known of ${unknown}`})`;
  });
  return counts.join(", ");
}
