// Passages found, ranked again by something that reads them. Knows nothing of what that is.
import type { Passage } from "../evaluation.ts";

/** How well each passage answers the query, in any unit; higher is better. */
export type Judge = (query: string, passages: readonly Passage[], signal?: AbortSignal) => Promise<readonly number[]>;

export interface RerankOptions {
  readonly judge: Judge;
  /** Passages that are read. Default: 20. */
  readonly depth?: number;
  /** How much the judge counts beside the first ranking, 0 to 1. Default: .5. */
  readonly weight?: number;
}

export const defaultDepth = 20;

/**
 * The first `depth` passages by the weighted sum of their scores and the judge's, each standardised over them; the rest follow as they
 * were. Scores are the sums, the rest's below all of them.
 */
export async function reranked(
  query: string,
  passages: readonly Passage[],
  { judge, depth = defaultDepth, weight = 0.5 }: RerankOptions,
  signal?: AbortSignal,
): Promise<Passage[]> {
  const read = passages.slice(0, depth);
  if (read.length < 2) return [...passages];
  const judged = standardised(await judge(query, read, signal));
  const before = standardised(read.map(({ score }) => score));
  const sums = read.map((passage, index) => ({ ...passage, score: (1 - weight) * before[index]! + weight * judged[index]! }));
  // The sort is stable: equal sums keep the order they had.
  sums.sort((a, b) => b.score - a.score);
  const lowest = sums.at(-1)!.score;
  return [...sums, ...passages.slice(depth).map((passage, index) => ({ ...passage, score: lowest - 1 - index }))];
}

function standardised(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation > 1e-12 ? (value - mean) / deviation : 0));
}
