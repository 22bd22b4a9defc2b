// How passages are ranked from what each side of an index finds, by scorer. Knows nothing of where the sides keep them.
import type { Scorer } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import { type IndexedPassage, placeOf } from "./passages.ts";
import { fuseRanks, fuseScores, type Scored } from "./scored.ts";
import type { Searchable, SideQuery } from "./side.ts";

export interface SearchOptions {
  readonly k: number;
  /** Passages that are not to be found. */
  readonly exclude?: (passage: Passage) => boolean;
  /** Only the best passage of each document. */
  readonly onePerDocument?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Sides {
  readonly lexical?: Searchable;
  readonly dense?: Searchable;
}

export type Ranker = (query: SideQuery) => Promise<Scored[]>;

/** Passages of each side that rank fusion sees. */
const FUSED = 100;

const rankers: { readonly [S in Scorer]: (sides: Sides, query: SideQuery, ids: () => readonly string[]) => Promise<Scored[]> } = {
  "tf-idf": ({ lexical }, query) => present(lexical).search(query),
  bm25: ({ lexical }, query) => present(lexical).search(query),
  dense: ({ dense }, query) => present(dense).search(query),
  hybrid: async (sides, query) => fuseRanks(await both(sides, { ...query, k: Math.max(FUSED, query.k) })),
  convex: async (sides, query, ids) => {
    const all = query.accept === undefined ? ids() : ids().filter(query.accept);
    return fuseScores(all, await both(sides, { ...query, k: all.length, exact: true }));
  },
};

/** The ranking of a scorer; `ids`: all passages. */
export function ranker(scorer: Scorer, sides: Sides, ids: () => readonly string[]): Ranker {
  return (query) => rankers[scorer](sides, query, ids);
}

interface RankedPassages extends SearchOptions {
  readonly rank: Ranker;
  /** A passage by its id; none where it does not count any more. */
  readonly passage: (id: string) => IndexedPassage | undefined | Promise<IndexedPassage | undefined>;
  readonly query: string;
  readonly accept?: SideQuery["accept"];
}

/** At most `k` passages, best first: asks for more until enough are left after exclusion, or there are no more. */
export async function rankedPassages(options: RankedPassages): Promise<Passage[]> {
  const { rank, passage, query, k, exclude = () => false, onePerDocument = false, accept, signal } = options;
  for (let wanted = k; ; wanted = 4 * wanted + 16) {
    const ranked = await rank({ query, k: wanted, accept, signal });
    const allowed: Passage[] = [];
    const shownDocuments = new Set<string>();
    for (const { id, score } of ranked) {
      if (allowed.length === k) break;
      if (onePerDocument && shownDocuments.has(placeOf(id).document)) continue;
      const found = await passage(id);
      const shown = found && asPassage(found, score);
      if (shown === undefined || exclude(shown)) continue;
      allowed.push(shown);
      shownDocuments.add(shown.document);
    }
    if (allowed.length === k || ranked.length < wanted) return allowed;
  }
}

function asPassage({ document, chunk: { start, end } }: IndexedPassage, score: number): Passage {
  return { document: document.id, title: document.title, start, end, text: document.text.slice(start, end), score };
}

async function both({ lexical, dense }: Sides, query: SideQuery): Promise<Scored[][]> {
  return Promise.all([present(lexical).search(query), present(dense).search(query)]);
}

function present<T>(side: T | undefined): T {
  if (side === undefined) throw new Error("A scorer without the side it needs.");
  return side;
}
