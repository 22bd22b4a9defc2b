// Chooses how much something counts in a search, such as the embeddings in convex fusion, on questions whose passages are known.
import type { Passage } from "../evaluation.ts";

export interface ChooseWeightOptions {
  readonly queries: readonly {
    readonly text: string;
    /** How good a ranking is for it; higher is better. */
    readonly score: (found: readonly Passage[]) => number;
  }[];
  readonly search: (query: string, weight: number) => Promise<readonly Passage[]>;
  /** What is tried; of equally good ones the first is chosen. Default: 0 to 1 in tenths, from equal weights outwards. */
  readonly weights?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface ChosenWeight {
  readonly weight: number;
  /** Mean score by weight. */
  readonly scores: { readonly [weight: string]: number };
}

/** Equal weights first, then away from them: a weight must be better than all nearer ones to be chosen. */
const outwards = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9, 0, 1] as const;

/** The weight with the highest mean score. */
export async function chooseWeight({ queries, search, weights = outwards, signal }: ChooseWeightOptions): Promise<ChosenWeight> {
  const scores: Record<string, number> = {};
  let best = { weight: weights[0]!, score: Number.NEGATIVE_INFINITY };
  for (const weight of weights) {
    let sum = 0;
    for (const { text, score } of queries) {
      signal?.throwIfAborted();
      sum += score(await search(text, weight));
    }
    const mean = queries.length === 0 ? 0 : sum / queries.length;
    scores[weight] = mean;
    if (mean > best.score) best = { weight, score: mean };
  }
  return { weight: best.weight, scores };
}
