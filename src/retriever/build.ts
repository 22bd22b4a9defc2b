// Builds the sides of a retriever from documents, or loads them. Knows nothing of queries.
import { setImmediate } from "node:timers/promises";
import type { RetrieverSettings, Scorer } from "../candidate.ts";
import { UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import type { Store } from "../store.ts";
import type { Document } from "../task.ts";
import { contentKey } from "../util/hash.ts";
import { chunker, type ChunkOptions } from "./chunk.ts";
import type { Chunk } from "./chunk-source.ts";
import { type DenseSide, denseSide } from "./dense.ts";
import { embeddingCache } from "./embedding-cache.ts";
import { exactStore } from "./exact.ts";
import { readIndexFile, type StoredIndex, writeIndexFile } from "./index-file.ts";
import { InvertedIndex } from "./inverted-index.ts";
import { type LexicalSide, lexicalSide } from "./lexical.ts";
import { documentKey, type IndexedPassage, indexedPassages } from "./passages.ts";
import type { VectorStore } from "./vector-store.ts";
import { vectorStoreAt } from "./vector-uri.ts";

/** What of the settings an index and its answers depend on; the rest is the prompt's business. */
export type IndexSettings = Pick<RetrieverSettings, "scorer" | "chunk" | "embedding" | "bm25">;

export interface Sides {
  readonly lexical?: LexicalSide;
  readonly dense?: DenseSide;
}

export interface Built {
  readonly sides: Sides;
  /** Every document with its passages, by document id. */
  readonly passages: readonly (readonly [Document, readonly IndexedPassage[]])[];
  readonly loaded: boolean;
}

export interface BuildRetrieverOptions {
  readonly settings: IndexSettings;
  readonly documents: readonly Document[];
  /** Where indexes and embeddings are kept. */
  readonly store: Store;
  /** For the scorers dense, hybrid and convex. */
  readonly embedding?: EmbeddingModel | undefined;
  /** Where vectors are kept: postgres:// for pgvector, a folder, s3:// or gs:// for LanceDB. Default: in memory below 50,000 passages, else in LanceDB below `store`. */
  readonly vectors?: string | ((dimensions: number) => Promise<VectorStore>) | undefined;
  /** Where `sartor setup local` put LanceDB. */
  readonly packagesFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Raised when the same documents would give other passages or terms than before, so that old files are not read. */
const FORMAT = 1;
const IN_MEMORY = 50_000;
const BETWEEN_PAUSES = 16;

const parts: { readonly [S in Scorer]: { readonly lexical?: "tf-idf" | "bm25"; readonly dense: boolean } } = {
  "tf-idf": { lexical: "tf-idf", dense: false },
  bm25: { lexical: "bm25", dense: false },
  dense: { dense: true },
  hybrid: { lexical: "bm25", dense: true },
  convex: { lexical: "bm25", dense: true },
};

export async function buildSides(options: BuildRetrieverOptions): Promise<Built> {
  const { settings, store } = options;
  const part = parts[settings.scorer];
  if (part.dense && options.embedding === undefined) {
    throw new UserError(
      `retriever.scorer is "${settings.scorer}", which needs an embedding model. Set retriever.embedding, for example to all-minilm-l6-v2.`,
    );
  }
  const documents = [...new Map(options.documents.map((document) => [document.id, document])).values()].sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  const path = await store.path(`${fileKey(options, documents, part.lexical !== undefined)}.index`);
  const stored = await readIndexFile(path);
  const chunks = stored?.chunks ?? (await chunkAll(options, documents));
  const passages = documents.map((document) => [document, indexedPassages(document, chunks[document.id] ?? [])] as const);
  const all = passages.flatMap(([, own]) => own);
  const lexical = part.lexical && (await lexicalFrom({ scorer: part.lexical, options, all, data: stored?.lexical }));
  if (stored === undefined) await writeIndexFile(path, { chunks, ...(lexical && { lexical: lexical.index.data() }) });
  const dense = part.dense ? await denseFrom(options, all) : undefined;
  return { sides: { ...(lexical && { lexical }), ...(dense && { dense }) }, passages, loaded: stored !== undefined };
}

/** Keys made before there was a method to choose stay what they were. */
export function chunkKey({ words, overlap, method = "structure" }: ChunkOptions): object {
  return { words, overlap, ...(method !== "structure" && { method }) };
}

function fileKey({ settings: { chunk }, embedding }: BuildRetrieverOptions, documents: readonly Document[], lexical: boolean): string {
  const contents = Object.fromEntries(documents.map((document) => [document.id, documentKey(document)]));
  return contentKey({
    format: FORMAT,
    ...chunkKey(chunk),
    ...(chunk.method === "semantic" && { embedding: embedding?.key }),
    lexical,
    contents,
  });
}

async function chunkAll(
  { settings, embedding, signal }: BuildRetrieverOptions,
  documents: readonly Document[],
): Promise<StoredIndex["chunks"]> {
  const chunk = chunker(settings.chunk, embedding);
  const chunks: [string, readonly Chunk[]][] = [];
  for (const [index, document] of documents.entries()) {
    if (index % BETWEEN_PAUSES === 0) await pause(signal);
    chunks.push([document.id, await chunk(document, signal)]);
  }
  return Object.fromEntries(chunks);
}

interface LexicalFrom {
  readonly scorer: "tf-idf" | "bm25";
  readonly options: BuildRetrieverOptions;
  readonly all: readonly IndexedPassage[];
  readonly data: Parameters<typeof InvertedIndex.load>[0] | undefined;
}

async function lexicalFrom({ scorer, options: { settings, signal }, all, data }: LexicalFrom): Promise<LexicalSide> {
  const loaded = data && { index: InvertedIndex.load(data), passages: all };
  const side = lexicalSide({ scorer, ...(settings.bm25 && { bm25: settings.bm25 }), ...(loaded && { loaded }) });
  if (loaded !== undefined) return side;
  for (let from = 0; from < all.length; from += BETWEEN_PAUSES) {
    await pause(signal);
    await side.add(all.slice(from, from + BETWEEN_PAUSES));
  }
  return side;
}

async function denseFrom(
  { settings, store, embedding, vectors, packagesFolder, signal }: BuildRetrieverOptions,
  all: readonly IndexedPassage[],
): Promise<DenseSide> {
  const cache = await embeddingCache(embedding!, store);
  const { dimensions, key } = embedding!;
  const at = async (uri: string): Promise<VectorStore> => {
    const table = contentKey({ key, chunk: settings.chunk, passages: all.map(({ id }) => id) });
    return vectorStoreAt({ uri, table: `sartor_${table.slice(0, 40)}`, dimensions, packagesFolder });
  };
  const inMemory = all.length < IN_MEMORY ? async () => exactStore(dimensions) : undefined;
  const open = typeof vectors === "string" ? () => at(vectors) : (vectors ?? inMemory ?? (async () => at(await store.path("vectors"))));
  const side = denseSide({ cache, vectors: await open(dimensions) });
  await side.hold(all, signal);
  return side;
}

/** Lets others have the event loop, so that a long build can be stopped and a server goes on answering. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
