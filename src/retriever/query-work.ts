// Work on a query before it is ranked: other wordings, parts, a passage imagined, words of what is found first.
import { expandedTerms, type FeedbackOptions } from "./feedback.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import type { Ranker, RankQuery } from "./ranking.ts";
import { fuseRanks } from "./scored.ts";
import type { Searchable } from "./side.ts";
import { stemmedTerms } from "../util/terms.ts";

/** What is searched for in place of a query. */
export interface Rewritten {
  readonly text: string;
  /** What is embedded in place of the text: the mean of these. */
  readonly embedded?: readonly string[];
}

/** A query as one or more others, whose rankings are fused. */
export type Rewrite = (query: string, signal?: AbortSignal) => Promise<readonly Rewritten[]>;

/** Passages of each ranking that are fused. */
const FUSED = 100;

/** Ranks by each of what the query is rewritten to, and fuses the rankings (RRF). */
export function withRewrites(rank: Ranker, rewrite: Rewrite): Ranker {
  const known = new Map<string, Promise<readonly Rewritten[]>>();
  return async (query) => {
    const rewritten = known.get(query.query) ?? rewrite(query.query, query.signal);
    known.set(query.query, rewritten);
    const queries = (await rewritten).map(({ text, embedded }): RankQuery => ({
      ...query,
      query: text,
      ...(embedded !== undefined && { embedded }),
    }));
    if (queries.length === 0) return rank(query);
    if (queries.length === 1) return rank(queries[0]!);
    return fuseRanks(await Promise.all(queries.map((one) => rank({ ...one, k: Math.max(FUSED, query.k) })))).slice(0, query.k);
  };
}

export interface Feedback extends FeedbackOptions {
  /** Passages whose words are taken. Default: 10. */
  readonly passages?: number;
}

interface WithFeedback {
  readonly lexical: Searchable;
  readonly passage: (id: string) => IndexedPassage | undefined | Promise<IndexedPassage | undefined>;
  readonly feedback: Feedback;
}

/** Ranks with the words of the passages found first added to the query, on the lexical side. */
export function withFeedback(rank: Ranker, { lexical, passage, feedback: { passages = 10, ...options } }: WithFeedback): Ranker {
  return async (query) => {
    const first = await lexical.search({ ...query, k: passages });
    const found = [];
    for (const { id, score } of first) {
      const indexed = await passage(id);
      if (indexed !== undefined) found.push({ terms: stemmedTerms(textOf(indexed)), score });
    }
    return rank({ ...query, terms: expandedTerms(stemmedTerms(query.query), found, options) });
  };
}
