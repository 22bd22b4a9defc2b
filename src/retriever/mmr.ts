// Chooses passages that say something new. Knows nothing of how they were found.

export interface MmrOptions {
  readonly k: number;
  /** 1 is relevance alone, 0 difference alone. */
  readonly lambda: number;
  /** Of two places in the ranking: 1 for the same, 0 for nothing in common. */
  readonly similarity: (one: number, other: number) => number;
}

export interface Chosen {
  /** Place in the ranking. */
  readonly index: number;
  /** What it adds; never more than that of the one before. */
  readonly score: number;
}

/**
 * Maximal marginal relevance (Carbonell and Goldstein 1998): again and again the one with the highest
 * lambda * relevance - (1 - lambda) * (similarity to the most similar one chosen before). Relevances are scores brought to [0, 1].
 */
export function maximalMarginalRelevance(scores: readonly number[], { k, lambda, similarity }: MmrOptions): Chosen[] {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const left = scores.map((score, index) => ({ index, relevance: high > low ? (score - low) / (high - low) : 1, nearest: 0 }));
  const chosen: Chosen[] = [];
  while (chosen.length < k && left.length > 0) {
    const values = left.map(({ relevance, nearest }) => lambda * relevance - (1 - lambda) * nearest);
    const place = values.indexOf(Math.max(...values));
    const [{ index }] = left.splice(place, 1) as [(typeof left)[number]];
    chosen.push({ index, score: values[place]! });
    for (const one of left) one.nearest = Math.max(one.nearest, similarity(one.index, index));
  }
  return chosen;
}
