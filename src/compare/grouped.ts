// The rows of several evaluations as one table of summed statistics: group by candidate. Knows nothing of what is cheap.
import type { Metric, Row } from "../evaluation.ts";

/** Rows of a candidate on the test set; all candidates answered the same examples, in any order. */
export interface CandidateRows {
  readonly candidate: string;
  readonly rows: readonly Row[];
}

/** Statistics summed by group, ready to be resampled. */
export interface Grouped {
  readonly candidates: readonly string[];
  readonly groups: number;
  readonly dimensions: number;
  /** [groups, candidates, dimensions] */
  readonly sums: Float64Array;
  /** Rows in each group. */
  readonly counts: Float64Array;
  readonly rows: number;
}

/** Examples on which a candidate has no row, or one whose failure is nobody's fault. */
export function unanswered({ rows }: CandidateRows, examples: ReadonlySet<string>): ReadonlySet<string> {
  const answered = new Set(rows.filter((row) => row.error?.fault !== "nobody").map(({ id }) => id));
  return new Set([...examples].filter((id) => !answered.has(id)));
}

/** Every example that any of the evaluations has. */
export function examplesOf(evaluations: readonly CandidateRows[]): ReadonlySet<string> {
  return new Set(evaluations.flatMap(({ rows }) => rows.map(({ id }) => id)));
}

/** Sums the metric's statistics by group over the examples that every candidate answered. */
export function groupRows(evaluations: readonly CandidateRows[], metric: Metric): Grouped {
  const examples = examplesOf(evaluations);
  const left = new Set(evaluations.flatMap((one) => [...unanswered(one, examples)]));
  const kept = (evaluations[0]?.rows ?? []).filter(({ id }) => !left.has(id));
  const groupNames = [...new Set(kept.map(({ group }) => group))];
  const groupOf = new Map(kept.map(({ id, group }) => [id, groupNames.indexOf(group)]));
  const dimensions = kept[0]?.scores[metric.name]?.statistics.length ?? 0;
  const counts = new Float64Array(groupNames.length);
  for (const group of groupOf.values()) counts[group] = (counts[group] ?? 0) + 1;
  const sums = new Float64Array(groupNames.length * evaluations.length * dimensions);
  for (const [candidate, { rows }] of evaluations.entries()) {
    for (const row of rows) {
      const group = groupOf.get(row.id);
      if (group === undefined) continue;
      const start = (group * evaluations.length + candidate) * dimensions;
      row.scores[metric.name]?.statistics.forEach((value, index) => (sums[start + index] = (sums[start + index] ?? 0) + value));
    }
  }
  return {
    candidates: evaluations.map(({ candidate }) => candidate),
    groups: groupNames.length,
    dimensions,
    sums,
    counts,
    rows: kept.length,
  };
}
