// The lexical side of a retriever: TF-IDF or BM25 over the terms of its passages.
import type { RetrieverSettings } from "../candidate.ts";
import { bm25Scores } from "./bm25.ts";
import type { WeightedTerms } from "./feedback.ts";
import { InvertedIndex } from "./inverted-index.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import { best } from "./scored.ts";
import type { Side } from "./side.ts";
import { stemmedTerms } from "../util/terms.ts";
import { tfIdfScorer } from "./tf-idf.ts";

export interface LexicalOptions {
  readonly scorer: "tf-idf" | "bm25";
  readonly bm25?: RetrieverSettings["bm25"];
  /** An index that holds exactly `passages`, in that order. */
  readonly loaded?: { readonly index: InvertedIndex; readonly passages: readonly IndexedPassage[] };
}

export interface LexicalSide extends Side {
  readonly index: InvertedIndex;
}

export function lexicalSide({ scorer, bm25, loaded }: LexicalOptions): LexicalSide {
  const index = loaded?.index ?? new InvertedIndex();
  const ids: string[] = (loaded?.passages ?? []).map(({ id }) => id);
  const slots = new Map(ids.map((id, slot) => [id, slot]));
  const tfIdf = tfIdfScorer(index);
  const score = { "tf-idf": tfIdf, bm25: (terms: readonly string[] | WeightedTerms) => bm25Scores(index, terms, bm25) }[scorer];
  return {
    index,
    add: async (passages, signal) => {
      signal?.throwIfAborted();
      for (const passage of passages) {
        const slot = index.add(stemmedTerms(textOf(passage)));
        ids[slot] = passage.id;
        slots.set(passage.id, slot);
      }
    },
    remove: async (passages) => {
      for (const { id } of passages) {
        const slot = slots.get(id);
        if (slot === undefined) continue;
        index.remove(slot);
        slots.delete(id);
      }
    },
    search: async ({ query, terms, k }) => best(score(terms ?? stemmedTerms(query)), { k, above: 0, idOf: (slot) => ids[slot]! }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
