// One side of a retriever, lexical or dense: what it must do for the two to be merged.
import type { WeightedTerms } from "./feedback.ts";
import type { IndexedPassage } from "./passages.ts";
import type { QueryMap } from "./query-map.ts";
import type { Scored } from "./scored.ts";

export interface SideQuery {
  readonly query: string;
  /** What the lexical side looks for in place of the query's terms. */
  readonly terms?: WeightedTerms;
  /** What the dense side embeds in place of the query: the mean of these. */
  readonly embedded?: readonly string[];
  /** What the dense side makes of the query's embedding before it searches. */
  readonly queryMap?: QueryMap;
  readonly k: number;
  /** Score every passage, also where an index would leave some out. */
  readonly exact?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a ranking needs of a side. */
export interface Searchable {
  /** The `k` best passages, best first. The lexical side leaves out those that share no term with the query. */
  search(query: SideQuery): Promise<Scored[]>;
  /** The unit vectors of passages that it holds, where it holds any. */
  vectors?(passages: readonly IndexedPassage[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface Side extends Searchable, AsyncDisposable {
  add(passages: readonly IndexedPassage[], signal?: AbortSignal): Promise<void>;
  remove(passages: readonly IndexedPassage[]): Promise<void>;
}
