// An index folder, opened on this machine: its embedding model comes through the catalogue.
import type { Environment } from "./answer/open.ts";
import { queryOf } from "./answer/query.ts";
import { once } from "./answer/resources.ts";
import { searchOptions } from "./answer/search-options.ts";
import type { Passage } from "./evaluation.ts";
import type { LanguageModel, ModelReference } from "./model.ts";
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
export async function openSearchIndex({
  index,
  model = "smollm2-135m-instruct",
  environment,
  signal,
}: OpenSearchIndexOptions): Promise<SearchIndex> {
  let runtime: Runtime | undefined;
  const running = (): Runtime => (runtime ??= startRuntime(environment));
  const crossEncoders = new Map<string, Promise<CrossEncoder>>();
  const crossEncoder = (folder: string): Promise<CrossEncoder> =>
    once(crossEncoders, folder, () => openCrossEncoder({ folder, runtime: running() }));
  let reader: Promise<LanguageModel> | undefined;
  const read = (): Promise<LanguageModel> => (reader ??= openModel({ ...environment, reference: model, ...(signal && { signal }) }));
  const opened = await openIndex({
    folder: index,
    openEmbedding: async (name) => openEmbeddingModel({ ...environment, name, signal, runtime: running() }),
  });
  return {
    search: async (query, { k = 10, feedback, rewrite, rerank, crossEncoder: folder, ...options } = {}) => {
      const { text, ...searched } = await queryOf({ input: query, rewrite, model: read, signal: options.signal });
      const asked = {
        topK: k,
        ...(feedback && { feedback }),
        ...(rewrite && { rewrite }),
        ...(rerank !== undefined && { rerank }),
        ...(folder !== undefined && { crossEncoder: folder }),
      };
      return opened.search(text, { ...options, ...searched, ...(await searchOptions(asked, { model: read, crossEncoder })) });
    },
    document: (id) => opened.document(id),
    entries: () => opened.entries(),
    get stats() {
      return opened.stats;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await (await reader?.catch(() => undefined))?.[Symbol.asyncDispose]();
      await runtime?.[Symbol.asyncDispose]();
    },
  };
}
