// The dense side of a retriever: embeddings of its passages in a vector store.
import { type EmbeddingCache, meanVector } from "./embedding-cache.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import { mapQuery } from "./query-map.ts";
import type { Side } from "./side.ts";
import type { VectorStore } from "./vector-store.ts";

/** Passages embedded and stored together: bounds the memory that a large corpus takes while it is built. */
const TOGETHER = 4096;

export interface DenseSide extends Side {
  /** Brings the store to exactly these passages, whatever it held: rows of a build that was cut off are not made again. */
  hold(passages: readonly IndexedPassage[], signal?: AbortSignal): Promise<void>;
}

export function denseSide({ cache, vectors }: { readonly cache: EmbeddingCache; readonly vectors: VectorStore }): DenseSide {
  const add = async (passages: readonly IndexedPassage[], signal?: AbortSignal): Promise<void> => {
    for (let from = 0; from < passages.length; from += TOGETHER) {
      const part = passages.slice(from, from + TOGETHER);
      const embedded = await cache.passages(part.map(textOf), signal);
      await vectors.upsert(part.map(({ id }, index) => ({ id, vector: embedded[index]! })));
    }
  };
  return {
    add,
    hold: async (passages, signal) => {
      const held = new Set(await vectors.ids());
      await add(
        passages.filter(({ id }) => !held.has(id)),
        signal,
      );
      for (const { id } of passages) held.delete(id);
      await vectors.remove([...held]);
    },
    vectors: (passages, signal) => cache.passages(passages.map(textOf), signal),
    remove: (passages) => vectors.remove(passages.map(({ id }) => id)),
    search: async ({ query, embedded = [query], queryMap, k, exact = false, signal }) => {
      const vector = await meanVector((text, stop) => cache.query(text, stop), embedded, signal);
      return vectors.search({ vector: queryMap === undefined ? vector : mapQuery(queryMap, vector), k, exact });
    },
    [Symbol.asyncDispose]: () => vectors[Symbol.asyncDispose](),
  };
}
