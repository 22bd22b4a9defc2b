// Embeddings tuned on some of a collection's queries and measured on the others, so that each is held out once; and how sure a gain is.
import type { EmbeddingModel } from "../src/model.ts";
import type { Passage } from "../src/evaluation.ts";
import { chooseWeight } from "../src/retriever/choose-weight.ts";
import type { OpenIndex } from "../src/retriever/open-index.ts";
import type { QueryMap } from "../src/retriever/query-map.ts";
import type { Runtime } from "../src/runtime/runtime.ts";
import { tuneQueryMap, type TuningQuery } from "../src/train/tune-query-map.ts";
import { groupBy } from "../src/util/group-by.ts";
import { seededRandom } from "../src/util/random.ts";
import type { CollectionQuery } from "./collections.ts";

const foldCount = 5;
const hardNegatives = 30;
const samples = 2000;

/** The fold each query is held out in. Queries of one group share it. */
export function foldsOf(queries: readonly CollectionQuery[]): readonly number[] {
  const groups = [...new Set(queries.map(groupOf))];
  const order = seededRandom("folds").shuffle(groups);
  const fold = new Map(order.map((group, at) => [group, at % foldCount]));
  return queries.map((query) => fold.get(groupOf(query))!);
}

const groupOf = ({ id, group = id }: CollectionQuery): string => group;

export interface TuneByFoldOptions {
  readonly index: OpenIndex;
  readonly embedding: EmbeddingModel;
  readonly runtime: Runtime;
  readonly queries: readonly CollectionQuery[];
}

/** For each query the map that was learnt without it: three fifths of the others to learn from, one to stop by. */
export async function tunedByFold({ index, embedding, runtime, queries }: TuneByFoldOptions): Promise<readonly QueryMap[]> {
  const vectors = await index.vectors();
  const place = new Map(vectors.map(({ document }, at) => [document, at]));
  const passages = vectors.map(({ vector }) => vector);
  const tuning: TuningQuery[] = [];
  for (const { text, relevant } of queries) {
    const found = await index.search(text, { method: "bm25", k: hardNegatives });
    tuning.push({
      vector: (await embedding.embed([text]))[0]!,
      answers: [...relevant].flatMap((id) => place.get(id) ?? []),
      others: found.flatMap(({ document }) => (relevant.has(document) ? [] : [place.get(document)!])),
    });
  }
  const folds = foldsOf(queries);
  const maps: QueryMap[] = [];
  for (let fold = 0; fold < foldCount; fold++) {
    const of = (wanted: (one: number) => boolean) => tuning.filter((_, at) => wanted(folds[at]!));
    const stopping = (fold + 1) % foldCount;
    const [train, validation] = [of((one) => one !== fold && one !== stopping), of((one) => one === stopping)];
    const running = tuneQueryMap({ runtime, passages, train, validation });
    for (let step = await running.next(); ; step = await running.next()) {
      if (step.done !== true) continue;
      maps.push({ dimensions: embedding.dimensions, matrix: step.value.matrix });
      break;
    }
  }
  return folds.map((fold) => maps[fold]!);
}

export interface SharesByFoldOptions {
  readonly index: OpenIndex;
  readonly queries: readonly CollectionQuery[];
  readonly score: (found: readonly Passage[], relevant: ReadonlySet<string>) => number;
  /** Queries that one is chosen on, at most. */
  readonly most: number;
}

/** For each query how much of a score neighbours decide, chosen without it and without tuned embeddings. */
export async function sharesByFold({ index, queries, score, most }: SharesByFoldOptions): Promise<readonly number[]> {
  const folds = foldsOf(queries);
  const shares: number[] = [];
  for (let fold = 0; fold < foldCount; fold++) {
    const others = seededRandom("shares").shuffle(queries.filter((_, at) => folds[at] !== fold));
    const { weight } = await chooseWeight({
      queries: others.slice(0, most).map(({ text, relevant }) => ({ text, score: (found) => score(found, relevant) })),
      search: (query, neighbours) => index.search(query, { method: "convex", neighbours, k: 10 }),
      weights: [0, 0.3, 0.5],
    });
    shares.push(weight);
  }
  return folds.map((fold) => shares[fold]!);
}

export interface Gain {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** The mean difference of scores of the same queries, with a 95 % interval by the bootstrap over groups. */
export function gainOf(queries: readonly CollectionQuery[], before: readonly number[], after: readonly number[]): Gain {
  const rows = queries.map((query, at) => ({ group: groupOf(query), gain: after[at]! - before[at]! }));
  const groups = [...groupBy(rows, ({ group }) => group).values()].map((own) => ({
    sum: own.reduce((total, { gain }) => total + gain, 0),
    count: own.length,
  }));
  const random = seededRandom("gain");
  const mean = (drawn: typeof groups): number =>
    drawn.reduce((total, { sum }) => total + sum, 0) / drawn.reduce((total, { count }) => total + count, 0);
  const means = Array.from({ length: samples }, () => mean(groups.map(() => groups[random.integer(groups.length)]!))).sort((a, b) => a - b);
  return { mean: mean(groups), low: means[Math.floor(0.025 * samples)]!, high: means[Math.floor(0.975 * samples)]! };
}
