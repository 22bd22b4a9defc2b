// An index folder, opened on this machine: its embedding model comes through the catalogue.
import type { Environment } from "./answer/open.ts";
import { queryOf } from "./answer/query.ts";
import { once } from "./answer/resources.ts";
import { searchOptions } from "./answer/search-options.ts";
import type { Passage } from "./evaluation.ts";
import type { EmbeddingModel, LanguageModel, ModelReference } from "./model.ts";
import { openModel } from "./model/open.ts";
import { type CrossEncoder, openCrossEncoder } from "./retriever/cross-encoder.ts";
import { openEmbeddingModel } from "./retriever/embed.ts";
import { type IndexSearchOptions, openIndex, type OpenIndex } from "./retriever/open-index.ts";
import type { RewriteKind } from "./retriever/rewrite-by-model.ts";
import { type Runtime, startRuntime } from "./runtime/runtime.ts";

export interface OpenSearchIndexOptions {
  readonly index: string;
  /** What rewrites queries and reads passages. Default: smollm2-135m-instruct. */
  readonly model?: ModelReference;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export interface SearchIndexOptions extends Omit<IndexSearchOptions, "rewrite" | "rerank" | "feedback"> {
  /** Words of what is found first are added to the query. */
  readonly feedback?: boolean;
  /** The language model rewrites the query. */
  readonly rewrite?: RewriteKind;
  /** The language model reads so many passages and ranks them again. */
  readonly rerank?: number;
  /** Folder of a cross-encoder that reads them in its place. Default of `rerank`: 20. */
  readonly crossEncoder?: string;
}

/** What {@link openSearchIndex} opens. Dispose it: it holds files, and the embedding model once a search needed it. */
export interface SearchIndex extends Pick<OpenIndex, "document" | "entries" | "stats">, AsyncDisposable {
  /** At most `k` passages (default: 10), best first. A query may be a whole conversation, see {@link transcript}. */
  search(query: string, options?: SearchIndexOptions): Promise<Passage[]>;
}

/** @throws {UserError} where the folder holds no index. */
export async function openSearchIndex(options: OpenSearchIndexOptions): Promise<SearchIndex> {
  const parts = partsOf(options);
  const opened = await openIndex({ folder: options.index, openEmbedding: parts.embedding });
  return {
    search: async (query, { k = 10, feedback, rewrite, rerank, crossEncoder, ...searching } = {}) => {
      const { text, ...searched } = await queryOf({ input: query, rewrite, model: parts.model, signal: searching.signal });
      const asked = {
        topK: k,
        ...(feedback && { feedback }),
        ...(rewrite && { rewrite }),
        ...(rerank !== undefined && { rerank }),
        ...(crossEncoder !== undefined && { crossEncoder }),
      };
      return opened.search(text, { ...searching, ...searched, ...(await searchOptions(asked, parts)) });
    },
    document: (id) => opened.document(id),
    entries: () => opened.entries(),
    get stats() {
      return opened.stats;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await parts[Symbol.asyncDispose]();
    },
  };
}

interface Parts extends AsyncDisposable {
  readonly model: () => Promise<LanguageModel>;
  readonly embedding: (name: string) => Promise<EmbeddingModel>;
  readonly crossEncoder: (folder: string) => Promise<CrossEncoder>;
}

/** Models that are opened when a search first needs them. */
function partsOf({ model: reference = "smollm2-135m-instruct", environment, signal }: OpenSearchIndexOptions): Parts {
  const models = new Map<string, Promise<AsyncDisposable>>();
  let runtime: Runtime | undefined;
  const running = (): Runtime => (runtime ??= startRuntime(environment));
  const open = <T extends AsyncDisposable>(key: string, make: () => Promise<T>): Promise<T> => once(models, key, make) as Promise<T>;
  return {
    model: () => open("model", () => openModel({ ...environment, reference, ...(signal && { signal }) })),
    embedding: (name) => open(`embedding ${name}`, () => openEmbeddingModel({ ...environment, name, signal, runtime: running() })),
    crossEncoder: (folder) => open(`cross-encoder ${folder}`, () => openCrossEncoder({ folder, runtime: running() })),
    [Symbol.asyncDispose]: async () => {
      for (const one of models.values()) await (await one.catch(() => undefined))?.[Symbol.asyncDispose]();
      await runtime?.[Symbol.asyncDispose]();
    },
  };
}
