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
export function best(scores: ArrayLike<number>, options: BestOptions): Scored[] {
  const kept = new BestKept(options);
  for (let index = 0; index < scores.length; index++) kept.offer(index, scores[index]!);
  return kept.found();
}

interface Kept {
  readonly index: number;
  readonly score: number;
  id?: string;
}

/** Keeps the best of what it is offered. Ids are asked for where scores are equal, and of what is found. */
export class BestKept {
  readonly #options: Required<BestOptions>;
  #kept: Kept[] = [];
  #threshold: number;

  constructor({ above = Number.NEGATIVE_INFINITY, ...options }: BestOptions) {
    this.#options = { above, ...options };
    this.#threshold = above;
  }

  /** What scores below this is not among the best any more. */
  get threshold(): number {
    return this.#threshold;
  }

  offer(index: number, score: number): void {
    // Equal to the worst one kept may still come before it by id.
    if (!(score > this.#options.above) || score < this.#threshold) return;
    this.#kept.push({ index, score });
    // Twice k are kept before they are sorted and cut, so a score costs constant time on average.
    if (this.#kept.length >= 2 * this.#options.k + 16) this.#cut();
  }

  /** The `k` best, best first. */
  found(): Scored[] {
    this.#cut();
    return this.#kept.map((one) => ({ id: this.#idOf(one), score: one.score }));
  }

  /** The indexes of the `k` best, best first. */
  indexes(): number[] {
    this.#cut();
    return this.#kept.map(({ index }) => index);
  }

  #cut(): void {
    const { k } = this.#options;
    this.#kept.sort((one, other) => other.score - one.score || (this.#idOf(one) < this.#idOf(other) ? -1 : 1)).splice(k);
    if (this.#kept.length === k && k > 0) this.#threshold = this.#kept[k - 1]!.score;
  }

  #idOf(one: Kept): string {
    return (one.id ??= this.#options.idOf(one.index));
  }
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
