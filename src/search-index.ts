// An index folder, opened on this machine: its embedding model comes through the catalogue.
import type { Environment } from "./answer/open.ts";
import { openEmbeddingModel } from "./retriever/embed.ts";
import { openIndex, type OpenIndex } from "./retriever/open-index.ts";
import { type Runtime, startRuntime } from "./runtime/runtime.ts";

export interface OpenSearchIndexOptions {
  readonly index: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

/** What {@link openSearchIndex} opens. Dispose it: it holds files, and the embedding model once a search needed it. */
export type SearchIndex = Pick<OpenIndex, "search" | "document" | "entries" | "stats"> & AsyncDisposable;

/** @throws {UserError} where the folder holds no index. */
export async function openSearchIndex({ index, environment, signal }: OpenSearchIndexOptions): Promise<SearchIndex> {
  let runtime: Runtime | undefined;
  const opened = await openIndex({
    folder: index,
    openEmbedding: async (name) => openEmbeddingModel({ ...environment, name, signal, runtime: (runtime ??= startRuntime(environment)) }),
  });
  return {
    search: (query, options) => opened.search(query, options),
    document: (id) => opened.document(id),
    entries: () => opened.entries(),
    get stats() {
      return opened.stats;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await runtime?.[Symbol.asyncDispose]();
    },
  };
}
