// Documents into an index folder: reads what is new or changed, takes out what is gone, and lets all of it count at once.
import { relative, resolve } from "node:path";
import type { Environment } from "./answer/open.ts";
import { bringFile, type BringOptions, bringPage, type Change, type Indexed, unchanged } from "./bring-source.ts";
import type { FoundFile } from "./document/find.ts";
import { createFileReader } from "./document/file-reader.ts";
import { defaultLimits } from "./document/limits.ts";
import { findSources, nameOfSource } from "./document/sources.ts";
import { isUrl, type UrlSource } from "./document/url.ts";
import { UserError } from "./errors.ts";
import type { EmbeddingModel } from "./model.ts";
import type { FetchEvent } from "./model/fetch-model.ts";
import { fetchModel } from "./model/fetch-model.ts";
import type { ChunkOptions } from "./retriever/chunk.ts";
import { inCatalogue, openEmbeddingModel } from "./retriever/embed.ts";
import { type IndexWriter, openIndexWriter } from "./retriever/index-writer.ts";
import { type Manifest, readManifest, type Sources } from "./retriever/manifest.ts";
import { startRuntime } from "./runtime/runtime.ts";
import { groupBy } from "./util/group-by.ts";

export interface IndexDocumentsOptions {
  /** The index folder; made when it is not there. */
  readonly index: string;
  /** Files, folders and patterns, relative to `folder`, and addresses: added to those that the index knows already, all of which are looked at again. */
  readonly documents?: readonly string[];
  /** Those that the index is to know no more, with their documents. */
  readonly forget?: readonly string[];
  /** What the paths are relative to. */
  readonly folder: string;
  /** How passages are cut, and how long. Default: as the index was made, else by structure, 200 words, 40 of overlap. */
  readonly chunk?: ChunkOptions;
  /** Catalogue name of the embedding model, folder, server, or "none": a multi-modal one takes pictures or sounds too. Default: as the index was made, else all-minilm-l6-v2. */
  readonly embedding?: string;
  /** Whether documents and sections are summarised, so that searches can descend through them. Default: as the index was made, else not. */
  readonly summaries?: boolean;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export interface IndexResult {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** One line for each document that could not be read, or was passed over. */
  readonly notices: readonly string[];
  readonly documents: number;
}

export type IndexEvent =
  | { readonly kind: "fetch"; readonly event: FetchEvent }
  /** A file or page was looked at. */
  | { readonly kind: "document"; readonly id: string; readonly done: number; readonly of: number }
  /** Counts from the last event on. */
  | { readonly kind: "change"; readonly id: string; readonly change: Exclude<Change, "unchanged"> }
  | ({ readonly kind: "done" } & IndexResult);

const defaultChunk: ChunkOptions = { words: 200, overlap: 40 };
const defaultEmbedding = "all-minilm-l6-v2";

/**
 * Brings an index to what its documents are now, and yields what happens; the last event counts the changes. Costs what changed: files
 * with the size and date they had are not read. Killed at any point, the index is as it was before.
 * @throws {UserError} for paths that name nothing, and settings other than the index was made with.
 */
export async function* indexDocuments(options: IndexDocumentsOptions): AsyncGenerator<IndexEvent, void, void> {
  const kept = await readManifest(options.index);
  await using embedding = yield* openEmbedding(options, kept);
  yield* indexOnce({ ...options, kept, embedding, failed: new Map() });
}

export interface IndexOnceOptions extends Omit<IndexDocumentsOptions, "embedding"> {
  readonly kept: Manifest | undefined;
  readonly embedding: OpenedEmbedding;
  /** What could not be read, see {@link BringOptions}. */
  readonly failed: Map<string, string>;
  /** Whether servers are asked for new versions of pages. Default: true. */
  readonly askServers?: boolean;
}

/** {@link indexDocuments} with an embedding model that is open already. */
export async function* indexOnce(options: IndexOnceOptions): AsyncGenerator<IndexEvent, void, void> {
  const { index, kept, failed, embedding, askServers = true, environment, signal } = options;
  const sources = sourcesOf(options, kept?.sources);
  const { files, urls } = await findSources({ sources: sources.paths, folder: resolve(index, sources.folder) });
  await using writer = await openIndexWriter({
    folder: index,
    chunk: options.chunk ?? kept?.settings.chunk ?? defaultChunk,
    ...((options.summaries ?? kept?.settings.summaries !== undefined) && { summaries: { name: "extractive" } }),
    ...(embedding.opened && { embedding: embedding.opened }),
    signal,
  });
  const told = yield* bringAll([...files, ...urls], { writer, failed, askServers, secret: environment.secret, signal });
  await writer.commit({ sources, signal });
  yield { kind: "done", ...told, documents: writer.ids().length };
}

/** Every file and page, and takes out the documents of those that are gone. */
async function* bringAll(
  all: readonly (FoundFile | UrlSource)[],
  options: Omit<BringOptions, "reader" | "before"> & { readonly askServers: boolean },
): AsyncGenerator<IndexEvent, Omit<IndexResult, "documents">, void> {
  const { writer, signal } = options;
  const counts = { added: 0, changed: 0, unchanged: 0, removed: 0 };
  const notices: string[] = [];
  await using reader = createFileReader(defaultLimits);
  const known = groupBy(documentsOfFiles(writer), ({ source }) => source.file);
  for (const [done, source] of all.entries()) {
    signal?.throwIfAborted();
    const bringing = { ...options, reader, before: known.get(source.id) ?? [] };
    const brought = await ("path" in source
      ? bringFile(source, bringing)
      : options.askServers
        ? bringPage(source, bringing)
        : unchanged(bringing.before));
    for (const { id, change } of brought.changes) {
      counts[change]++;
      if (change !== "unchanged") yield { kind: "change", id, change };
    }
    notices.push(...brought.notices);
    yield { kind: "document", id: source.id, done: done + 1, of: all.length };
  }
  const there = new Set(all.map(({ id }) => id));
  for (const { id } of [...known].flatMap(([file, gone]) => (there.has(file) ? [] : gone))) {
    await writer.remove(id);
    counts.removed++;
    yield { kind: "change", id, change: "removed" };
  }
  return { ...counts, notices };
}

type Named = Pick<IndexDocumentsOptions, "index" | "documents" | "forget" | "folder">;

/** Those known and those given, all relative to the folder of the first time. */
function sourcesOf({ index, documents = [], forget = [], folder }: Named, kept: Sources | undefined): Sources {
  const base = kept === undefined || kept.paths.length === 0 ? resolve(folder) : resolve(index, kept.folder);
  const asKept = (path: string): string => (isUrl(path) ? path : relative(base, resolve(folder, path)) || ".");
  const forgotten = new Set(forget.map(asKept));
  const unknown = [...forgotten].find((path) => kept?.paths.includes(path) !== true);
  if (unknown !== undefined)
    throw new UserError(
      `"${nameOfSource(unknown)}" is none of what this index was made of (${kept?.paths.map(nameOfSource).join(", ") ?? "nothing yet"}). Name one of those.`,
    );
  const paths = [...new Set([...(kept?.paths ?? []), ...documents.map(asKept)])].filter((path) => !forgotten.has(path));
  if (paths.length === 0 && forgotten.size === 0) throw new UserError("No documents were named. Write: sartor index handbook/");
  return { folder: relative(resolve(index), base) || ".", paths };
}

export interface OpenedEmbedding extends AsyncDisposable {
  /** Absent for an index without embeddings. */
  readonly opened?: { readonly name: string; readonly model: EmbeddingModel };
}

/** The embedding model that is named, else the one that the index was made with, else the default. */
export async function* openEmbedding(
  { embedding, environment, signal }: Pick<IndexDocumentsOptions, "embedding" | "environment" | "signal">,
  kept: Manifest | undefined,
): AsyncGenerator<IndexEvent, OpenedEmbedding, void> {
  const name = embedding ?? (kept === undefined ? defaultEmbedding : (kept.settings.embedding?.name ?? "none"));
  if (name === "none") return { [Symbol.asyncDispose]: async () => undefined };
  if (inCatalogue(name)) for await (const event of fetchModel({ ...environment, name, signal })) yield { kind: "fetch", event };
  const runtime = startRuntime(environment);
  const model = await openEmbeddingModel({ ...environment, name, runtime, signal });
  return {
    opened: { name, model },
    [Symbol.asyncDispose]: async () => {
      await model[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** Documents that were read from files. */
function documentsOfFiles(writer: IndexWriter): readonly Indexed[] {
  return writer.ids().flatMap((id) => {
    const entry = writer.entry(id);
    return entry?.source === undefined ? [] : [{ ...entry, source: entry.source }];
  });
}
