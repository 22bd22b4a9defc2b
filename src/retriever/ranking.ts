// How passages are ranked from what each side of an index finds, by scorer. Knows nothing of where the sides keep them.
import type { Scorer } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import { placesWithin } from "../task.ts";
import { checkHops, type Tied, withHops } from "./hops.ts";
import { innerProduct, termCosine, termVector } from "./similarity.ts";
import { maximalMarginalRelevance } from "./mmr.ts";
import { sharedScores } from "./neighbours.ts";
import { type Unit, unitAround } from "./parent.ts";
import { type IndexedPassage, placeOf, textOf } from "./passages.ts";
import type { QueryMap } from "./query-map.ts";
import { type Feedback, type Rewrite, withFeedback, withRewrites } from "./query-work.ts";
import { defaultDepth, reranked, type RerankOptions } from "./rerank.ts";
import { fuseRanks, fuseScores, type Scored } from "./scored.ts";
import type { Searchable, SideQuery } from "./side.ts";

export interface SearchOptions {
  readonly k: number;
  /** Passages that are not to be found. */
  readonly exclude?: (passage: Passage) => boolean;
  /** Only the best passage of each document. */
  readonly onePerDocument?: boolean;
  /** What is returned for a passage found: itself, or the section or document around it, each once. Default: passage. */
  readonly unit?: Unit;
  /** Of convex: how much the embeddings count, 0 to 1. Default: .5. */
  readonly weight?: number;
  /** Tuned embeddings: a learnt map of the query's. */
  readonly queryMap?: QueryMap;
  /** How much of a passage's score its nearest among those found decide, 0 to 1. Only where passages have embeddings. */
  readonly neighbours?: number;
  /** Passages that say something new come first: maximal marginal relevance with this lambda, 1 being relevance alone. */
  readonly mmr?: number;
  /** Searches for something else in place of the query. */
  readonly rewrite?: Rewrite;
  /** Adds words of what is found first. */
  readonly feedback?: Feedback;
  /** Follows the ties between documents (neighbours in a graph) so far, 0 to 2: what is tied to what is found is found too. Default: 0. */
  readonly hops?: number;
  /** Has the passages found read and ranked again. */
  readonly rerank?: RerankOptions;
  readonly signal?: AbortSignal | undefined;
}

export interface Sides {
  readonly lexical?: Searchable;
  readonly dense?: Searchable;
}

export type RankQuery = SideQuery & Pick<SearchOptions, "weight">;
export type Ranker = (query: RankQuery) => Promise<Scored[]>;

/** Passages of each side that rank fusion sees. */
const FUSED = 100;

const rankers: { readonly [S in Scorer]: (sides: Sides, query: RankQuery, ids: () => readonly string[]) => Promise<Scored[]> } = {
  "tf-idf": ({ lexical }, query) => present(lexical).search(query),
  bm25: ({ lexical }, query) => present(lexical).search(query),
  dense: ({ dense }, query) => present(dense).search(query),
  hybrid: async (sides, query) => fuseRanks(await both(sides, { ...query, k: Math.max(FUSED, query.k) })),
  convex: async (sides, { weight, ...query }, ids) => {
    const all = ids();
    return fuseScores(all, await both(sides, { ...query, k: all.length, exact: true }), convexWeights(weight));
  },
};

/** Of the lexical and the dense scores: both 1 for the weight .5. */
export const convexWeights = (weight = 0.5): readonly [number, number] => [2 * (1 - weight), 2 * weight];

/** The ranking of a scorer; `ids`: all passages. */
export function ranker(scorer: Scorer, sides: Sides, ids: () => readonly string[]): Ranker {
  return (query) => rankers[scorer](sides, query, ids);
}

interface RankedPassages extends SearchOptions {
  readonly rank: Ranker;
  readonly sides: Sides;
  /** A passage by its id; none where it does not count any more. */
  readonly passage: (id: string) => IndexedPassage | undefined | Promise<IndexedPassage | undefined>;
  /** A document with its ties. */
  readonly tied: Tied;
  readonly query: string;
}

/** At most `k` passages, best first. */
export async function rankedPassages({ mmr, rerank, neighbours = 0, ...options }: RankedPassages): Promise<Passage[]> {
  const { k, query, signal } = options;
  const depth = Math.max(
    k,
    neighbours === 0 ? 0 : SHARED,
    rerank === undefined ? 0 : (rerank.depth ?? defaultDepth),
    mmr === undefined ? 0 : Math.max(POOL, POOL_TIMES * k),
  );
  const found = await foundPassages({ ...options, k: depth, rank: worked(options) });
  const shared = neighbours === 0 ? found : await withNeighbours(found, neighbours, options);
  const judged = rerank === undefined ? shared : await rerankedFound(query, shared, rerank, signal);
  if (mmr === undefined) return judged.slice(0, k).map(({ shown }) => shown);
  const similarity = await similarityOf(judged, options);
  const scores = judged.map(({ shown }) => shown.score);
  return maximalMarginalRelevance(scores, { k, lambda: mmr, similarity }).map(({ index, score }) => ({ ...judged[index]!.shown, score }));
}

/** Passages among which scores are shared. */
const SHARED = 100;

async function withNeighbours(found: readonly Found[], share: number, { sides, signal }: Pick<RankedPassages, "sides" | "signal">) {
  const vectors = await sides.dense?.vectors?.(
    found.map(({ indexed }) => indexed),
    signal,
  );
  if (vectors === undefined) return found;
  const scores = sharedScores(
    found.map(({ shown }) => shown.score),
    vectors,
    share,
  );
  return found
    .map(({ indexed, shown }, at) => ({ indexed, shown: { ...shown, score: scores[at]! } }))
    .sort((a, b) => b.shown.score - a.shown.score);
}

function worked({ rank, sides, passage, rewrite, feedback, hops = 0, tied }: RankedPassages): Ranker {
  const fed =
    feedback === undefined || sides.lexical === undefined ? rank : withFeedback(rank, { lexical: sides.lexical, passage, feedback });
  const rewritten = rewrite === undefined ? fed : withRewrites(fed, rewrite);
  return checkHops(hops) === 0 ? rewritten : withHops(rewritten, { hops, tied });
}

async function rerankedFound(
  query: string,
  found: readonly Found[],
  rerank: RerankOptions,
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const byPlace = new Map(found.map(({ indexed, shown }) => [placeKey(shown), indexed]));
  const passages = found.map(({ shown }) => shown);
  return (await reranked(query, passages, rerank, signal)).map((shown) => ({ shown, indexed: byPlace.get(placeKey(shown))! }));
}

const placeKey = ({ document, start, end }: Passage): string => `${document} ${start} ${end}`;

/** Passages among which those that say something new are looked for. */
const POOL = 30;
const POOL_TIMES = 3;

interface Found {
  readonly indexed: IndexedPassage;
  readonly shown: Passage;
}

/** Asks for more until enough are left after exclusion, or there are no more. */
async function foundPassages(options: Omit<RankedPassages, "mmr">): Promise<Found[]> {
  const { rank, passage, query, k, exclude = () => false, onePerDocument = false, unit = "passage", weight, queryMap, signal } = options;
  for (let wanted = k; ; wanted = 4 * wanted + 16) {
    const ranked = await rank({ query, k: wanted, signal, ...(weight !== undefined && { weight }), ...(queryMap && { queryMap }) });
    const found: Found[] = [];
    const seen = new Set<string>();
    for (const { id, score } of ranked) {
      if (found.length === k) break;
      if (onePerDocument && seen.has(placeOf(id).document)) continue;
      const indexed = await passage(id);
      if (indexed === undefined) continue;
      const shown = asPassage(indexed, score, unit);
      const key = onePerDocument ? shown.document : placeKey(shown);
      if (seen.has(key) || exclude(shown)) continue;
      seen.add(key);
      found.push({ indexed, shown });
    }
    if (found.length === k || ranked.length < wanted) return found;
  }
}

function asPassage({ document, chunk }: IndexedPassage, score: number, unit: Unit): Passage {
  const { start, end } = unitAround(document.text, chunk, unit);
  return {
    document: document.id,
    title: document.title,
    start,
    end,
    text: document.text.slice(start, end),
    score,
    ...(document.pages && { pages: placesWithin(document.pages, start, end) }),
    ...(document.modified !== undefined && { modified: document.modified }),
    ...(document.media && { media: document.media.kind }),
  };
}

/** The cosine of the embeddings, or where there are none, of the counts of terms. */
async function similarityOf(found: readonly Found[], { sides, signal }: Pick<RankedPassages, "sides" | "signal">) {
  const vectors = await sides.dense?.vectors?.(
    found.map(({ indexed }) => indexed),
    signal,
  );
  if (vectors !== undefined) return (one: number, other: number) => innerProduct(vectors[one]!, vectors[other]!);
  const counts = found.map(({ indexed }) => termVector(textOf(indexed)));
  return (one: number, other: number) => termCosine(counts[one]!, counts[other]!);
}

async function both({ lexical, dense }: Sides, query: SideQuery): Promise<Scored[][]> {
  return Promise.all([present(lexical).search(query), present(dense).search(query)]);
}

function present<T>(side: T | undefined): T {
  if (side === undefined) throw new Error("A scorer without the side it needs.");
  return side;
}
