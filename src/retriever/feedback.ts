// Expands a query with the words of what it finds at first: RM3. Knows nothing of where texts are kept.

/** Terms with weights that sum to 1. */
export type WeightedTerms = ReadonlyMap<string, number>;

export interface FeedbackOptions {
  /** Terms that are added, at most. */
  readonly terms?: number;
  /** How much the query itself still counts, 0 to 1. */
  readonly original?: number;
}

/**
 * The relevance model RM3 (Lavrenko and Croft 2001; Abdul-Jaleel et al. 2004): the words that best tell the passages found, each
 * passage counting by its share of the scores, mixed with the words of the query.
 */
export function expandedTerms(
  query: readonly string[],
  found: readonly { readonly terms: readonly string[]; readonly score: number }[],
  { terms = 10, original = 0.5 }: FeedbackOptions = {},
): WeightedTerms {
  const asked = distribution(query, 1);
  if (found.length === 0) return asked;
  const total = found.reduce((sum, { score }) => sum + score, 0);
  const told = new Map<string, number>();
  for (const { terms: words, score } of found)
    for (const [term, weight] of distribution(words, total > 0 ? score / total : 1 / found.length))
      told.set(term, (told.get(term) ?? 0) + weight);
  const best = [...told].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, terms);
  const kept = best.reduce((sum, [, weight]) => sum + weight, 0);
  const mixed = new Map(Array.from(asked, ([term, weight]) => [term, original * weight]));
  for (const [term, weight] of best) mixed.set(term, (mixed.get(term) ?? 0) + ((1 - original) * weight) / kept);
  return mixed;
}

function distribution(terms: readonly string[], mass: number): Map<string, number> {
  const shares = new Map<string, number>();
  for (const term of terms) shares.set(term, (shares.get(term) ?? 0) + mass / terms.length);
  return shares;
}
