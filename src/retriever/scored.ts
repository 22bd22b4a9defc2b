// Things found, with scores: the best few, and rankings merged. Knows nothing of what was found.

/** Something found, by its id; a higher score is better. */
export interface Scored {
  readonly id: string;
  readonly score: number;
}

/** Best first; equal scores by id, so that every ranking is one ranking. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || (a.id < b.id ? -1 : Number(a.id > b.id));
}

export interface BestOptions {
  readonly k: number;
  /** Scores at or below this are left out. */
  readonly above?: number;
  readonly idOf: (index: number) => string;
}

/** The `k` best of scores by index, best first, without sorting all of them. */
export function best(scores: ArrayLike<number>, { k, above = Number.NEGATIVE_INFINITY, idOf }: BestOptions): Scored[] {
  const kept: Scored[] = [];
  let threshold = above;
  // Twice k are kept before they are sorted and cut, so a score costs constant time on average.
  const cut = (): void => {
    kept.sort(byScore).splice(k);
    if (kept.length === k && k > 0) threshold = kept[k - 1]!.score;
  };
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index]!;
    // Equal to the worst one kept may still come before it by id.
    if (!(score > above) || score < threshold) continue;
    kept.push({ id: idOf(index), score });
    if (kept.length >= 2 * k + 16) cut();
  }
  cut();
  return kept;
}

/** Reciprocal rank fusion: the sum over rankings of 1 / (60 + rank), ranks from 1 (Cormack, Clarke and Buettcher 2009). */
export function fuseRanks(rankings: readonly (readonly Scored[])[]): Scored[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings) ranking.forEach(({ id }, index) => scores.set(id, (scores.get(id) ?? 0) + 1 / (60 + index + 1)));
  return Array.from(scores, ([id, score]) => ({ id, score })).sort(byScore);
}

/**
 * The weighted sum of each id's scores after every scoring is standardised (mean 0, deviation 1) over all `ids`; an id that a scoring
 * leaves out scored 0 there. A scoring that tells nothing apart adds nothing. (Convex combination: Bruch, Gai and Ingber 2023.)
 */
export function fuseScores(ids: readonly string[], scorings: readonly (readonly Scored[])[], weights?: readonly number[]): Scored[] {
  const sums = new Map(ids.map((id) => [id, 0]));
  for (const [place, scoring] of scorings.entries()) {
    const weight = weights?.[place] ?? 1;
    const mean = scoring.reduce((sum, { score }) => sum + score, 0) / ids.length;
    const squares = scoring.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) + (ids.length - scoring.length) * mean ** 2;
    const deviation = Math.sqrt(squares / ids.length);
    if (!(deviation > 1e-12)) continue;
    const scored = new Map(scoring.map(({ id, score }) => [id, score]));
    for (const [id, sum] of sums) sums.set(id, sum + (weight * ((scored.get(id) ?? 0) - mean)) / deviation);
  }
  return Array.from(sums, ([id, score]) => ({ id, score })).sort(byScore);
}
