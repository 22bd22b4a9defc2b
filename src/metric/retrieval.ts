// How well the passages were retrieved, on the examples that name their gold passages.
import type { Metric, MetricFactory, Passage, Prediction } from "../evaluation.ts";
import type { Evidence } from "../task.ts";
import { foundAt, ranked } from "./evidence.ts";

/** Share of the gold passages that were retrieved, averaged over the examples that have any. 0 where none has. */
export const retrievalRecall: MetricFactory = () =>
  overEvidence("retrieval-recall", (ranks) => ranks.filter((rank) => rank !== undefined).length / ranks.length);

/**
 * Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) with binary gains: each gold passage gains once, at the rank
 * where it is found. At most 1, also where one retrieved passage holds two gold ones. 0 where no example names gold passages.
 */
export const ndcg: MetricFactory = () => overEvidence("ndcg", ndcgOfRanks);

/** The same of one ranking. */
export function ndcgOf(evidence: readonly Evidence[], passages: readonly Passage[]): number {
  const order = ranked(passages);
  return ndcgOfRanks(evidence.map((one) => foundAt(one, order)));
}

function ndcgOfRanks(ranks: readonly (number | undefined)[]): number {
  const gain = ranks.reduce<number>((total, rank) => total + (rank === undefined ? 0 : discount(rank)), 0);
  const ideal = ranks.reduce<number>((total, _, index) => total + discount(index + 1), 0);
  return Math.min(1, gain / ideal);
}

function discount(rank: number): number {
  return 1 / Math.log2(1 + rank);
}

/** Statistics are `[value, 1]` for an example with evidence and `[0, 0]` for one without. */
function overEvidence(name: string, row: (ranks: readonly (number | undefined)[]) => number): Metric {
  return {
    name,
    higherIsBetter: true,
    proportion: false,
    statistics: (prediction) => {
      const ranks = ranksOf(prediction);
      return ranks.length === 0 ? [0, 0] : [row(ranks), 1];
    },
    worst: ({ evidence = [] }) => (evidence.length === 0 ? [0, 0] : [0, 1]),
    value: (sums) => ((sums[1] ?? 0) === 0 ? 0 : (sums[0] ?? 0) / (sums[1] ?? 1)),
    reason: (prediction) => {
      const ranks = ranksOf(prediction);
      if (ranks.length === 0) return "no gold passage is named";
      return `gold passages at rank ${ranks.map((rank) => rank ?? "none").join(", ")}`;
    },
  };
}

function ranksOf({ example, passages }: Prediction): readonly (number | undefined)[] {
  const order = ranked(passages);
  return (example.evidence ?? []).map((evidence) => foundAt(evidence, order));
}
