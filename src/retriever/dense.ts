// The dense side of a retriever: embeddings of its passages in a vector store.
import type { EmbeddingCache } from "./embedding-cache.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import type { Scored } from "./scored.ts";
import type { Side, SideQuery } from "./side.ts";
import type { VectorQuery, VectorStore } from "./vector-store.ts";

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
    search: async ({ query, k, accept, exact = false, signal }) =>
      accepted(vectors, { vector: await cache.query(query, signal), k, exact }, accept),
    [Symbol.asyncDispose]: () => vectors[Symbol.asyncDispose](),
  };
}

/** Asks a store that knows no filter for more, until enough of what it finds is accepted or there is no more. */
async function accepted(vectors: VectorStore, query: VectorQuery, accept: SideQuery["accept"]): Promise<Scored[]> {
  if (accept === undefined) return vectors.search(query);
  for (let k = query.k; ; k = 4 * k + 16) {
    const found = await vectors.search({ ...query, k });
    const allowed = found.filter(({ id }) => accept(id));
    if (allowed.length >= query.k || found.length < k) return allowed.slice(0, query.k);
  }
}
