// What the score hangs on beside the test examples: how many training examples there are, and luck. Candidates are built again from
// less, or with another seed; how that is done is handed in.
import type { MeasureEvent } from "./evaluate/measure-all.ts";
import type { LabelledExample } from "./task.ts";
import { seededRandom } from "./util/random.ts";

export interface Rebuilding {
  readonly train: readonly LabelledExample[];
  readonly seed: number;
}

/** A candidate built again, and its score on the test examples. */
export interface Rebuilt {
  readonly id: string;
  readonly score: number;
}

export interface RebuildOptions extends Rebuilding {
  readonly rebuild: (other: Rebuilding) => Promise<readonly Rebuilt[]>;
}

type ById<T> = ReadonlyMap<string, readonly (T & { readonly score: number })[]>;

/** Scores by candidate with a share of the training examples, the smaller share within the larger. */
export async function* labelEfficiency({
  train,
  seed,
  shares,
  rebuild,
}: RebuildOptions & { readonly shares: readonly number[] }): AsyncGenerator<MeasureEvent, ById<{ readonly examples: number }>> {
  const shuffled = seededRandom(`label efficiency ${seed}`).shuffle(train);
  const points: (Rebuilt & { readonly examples: number })[] = [];
  for (const [index, share] of shares.entries()) {
    yield { kind: "measure", what: "label efficiency", done: index, of: shares.length };
    const part = shuffled.slice(0, Math.round(share * shuffled.length));
    points.push(...(await rebuild({ train: part, seed })).map((one) => ({ ...one, examples: part.length })));
  }
  return byId(points);
}

/** Scores by candidate with the seeds that follow: the spread that no interval over test examples shows. */
export async function* otherSeeds({
  train,
  seed,
  count,
  rebuild,
}: RebuildOptions & { readonly count: number }): AsyncGenerator<MeasureEvent, ById<{ readonly seed: number }>> {
  const scores: (Rebuilt & { readonly seed: number })[] = [];
  for (let repeat = 1; repeat <= count; repeat++) {
    yield { kind: "measure", what: "other seeds", done: repeat - 1, of: count };
    scores.push(...(await rebuild({ train, seed: seed + repeat })).map((one) => ({ ...one, seed: seed + repeat })));
  }
  return byId(scores);
}

function byId<T extends Rebuilt>(scores: readonly T[]): ReadonlyMap<string, readonly Omit<T, "id">[]> {
  const ids = [...new Set(scores.map(({ id }) => id))];
  return new Map(ids.map((id) => [id, scores.filter((one) => one.id === id).map(({ id: _id, ...rest }) => rest)]));
}
