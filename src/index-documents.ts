// Documents into an index folder: reads what is new or changed, takes out what is gone, and lets all of it count at once.
import { stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import type { Environment } from "./answer/open.ts";
import { type FoundFile, findFiles } from "./document/find.ts";
import { createFileReader, type FileReader } from "./document/file-reader.ts";
import { formatNames } from "./document/formats.ts";
import { defaultLimits } from "./document/limits.ts";
import { isCandidate, readFileContents } from "./document/read-all.ts";
import { UserError } from "./errors.ts";
import type { EmbeddingModel } from "./model.ts";
import type { FetchEvent } from "./model/fetch-model.ts";
import { fetchModel } from "./model/fetch-model.ts";
import type { ChunkOptions } from "./retriever/chunk.ts";
import { inCatalogue, openEmbeddingModel } from "./retriever/embed.ts";
import { type IndexWriter, openIndexWriter } from "./retriever/index-writer.ts";
import { documentKey } from "./retriever/passages.ts";
import { readManifest, type Sources } from "./retriever/manifest.ts";
import type { DocumentEntry, SourceFile } from "./retriever/segment.ts";
import { startRuntime } from "./runtime/runtime.ts";
import { groupBy } from "./util/group-by.ts";

export interface IndexDocumentsOptions {
  /** The index folder; made when it is not there. */
  readonly index: string;
  /** Files, folders and patterns, relative to `folder`: added to those that the index knows already, all of which are read again. */
  readonly documents?: readonly string[];
  /** Files, folders and patterns that the index is to know no more, with their documents. */
  readonly forget?: readonly string[];
  /** What the paths are relative to. */
  readonly folder: string;
  /** How passages are cut, and how long. Default: as the index was made, else by structure, 200 words, 40 of overlap. */
  readonly chunk?: ChunkOptions;
  /** Catalogue name of the embedding model, or "none". Default: as the index was made, else all-minilm-l6-v2. */
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
  | { readonly kind: "document"; readonly id: string; readonly done: number; readonly of: number }
  | ({ readonly kind: "done" } & IndexResult);

const defaultChunk: ChunkOptions = { words: 200, overlap: 40 };
const defaultEmbedding = "all-minilm-l6-v2";

/**
 * Brings an index to what its documents are now, and yields what happens; the last event counts the changes. Costs what changed: files
 * with the size and date they had are not read. Killed at any point, the index is as it was before.
 * @throws {UserError} for paths that name nothing, and settings other than the index was made with.
 */
export async function* indexDocuments(options: IndexDocumentsOptions): AsyncGenerator<IndexEvent, void, void> {
  const { index, environment, signal } = options;
  const kept = await readManifest(index);
  const sources = sourcesOf(options, kept?.sources);
  const files = await findFiles({ paths: sources.paths, folder: resolve(index, sources.folder) });
  const name = options.embedding ?? (kept === undefined ? defaultEmbedding : (kept.settings.embedding?.name ?? "none"));
  await using opened = yield* openEmbedding(name, environment, signal);
  await using writer = await openIndexWriter({
    folder: index,
    chunk: options.chunk ?? kept?.settings.chunk ?? defaultChunk,
    ...((options.summaries ?? kept?.settings.summaries !== undefined) && { summaries: { name: "extractive" } }),
    ...(opened.model && { embedding: { name, model: opened.model } }),
    signal,
  });
  const counts = { added: 0, changed: 0, unchanged: 0, removed: 0 };
  const notices: string[] = [];
  await using reader = createFileReader(defaultLimits);
  const known = groupBy(documentsOfFiles(writer), ({ source }) => source.file);
  for (const [done, file] of files.entries()) {
    signal?.throwIfAborted();
    const brought = await bring({ writer, reader, file, before: known.get(file.id) ?? [], signal });
    for (const change of brought.changes) counts[change]++;
    notices.push(...brought.notices);
    yield { kind: "document", id: file.id, done: done + 1, of: files.length };
  }
  const there = new Set(files.map(({ id }) => id));
  for (const [file, gone] of known) {
    if (there.has(file)) continue;
    for (const { id } of gone) await writer.remove(id);
    counts.removed += gone.length;
  }
  await writer.commit({ sources, signal });
  yield { kind: "done", ...counts, notices, documents: writer.ids().length };
}

/** Those known and those given, all relative to the folder of the first time. */
function sourcesOf({ index, documents = [], forget = [], folder }: IndexDocumentsOptions, kept: Sources | undefined): Sources {
  const base = kept === undefined || kept.paths.length === 0 ? resolve(folder) : resolve(index, kept.folder);
  const asKept = (path: string): string => relative(base, resolve(folder, path)) || ".";
  const forgotten = new Set(forget.map(asKept));
  const unknown = [...forgotten].find((path) => kept?.paths.includes(path) !== true);
  if (unknown !== undefined)
    throw new UserError(
      `"${unknown}" is none of what this index was made of (${kept?.paths.join(", ") ?? "nothing yet"}). Name one of those.`,
    );
  const paths = [...new Set([...(kept?.paths ?? []), ...documents.map(asKept)])].filter((path) => !forgotten.has(path));
  if (paths.length === 0 && forgotten.size === 0) throw new UserError("No documents were named. Write: sartor index handbook/");
  return { folder: relative(resolve(index), base) || ".", paths };
}

interface OpenedEmbedding extends AsyncDisposable {
  readonly model?: EmbeddingModel;
}

async function* openEmbedding(
  name: string,
  environment: Environment,
  signal: AbortSignal | undefined,
): AsyncGenerator<IndexEvent, OpenedEmbedding, void> {
  if (name === "none") return { [Symbol.asyncDispose]: async () => undefined };
  if (inCatalogue(name)) for await (const event of fetchModel({ ...environment, name, signal })) yield { kind: "fetch", event };
  const runtime = startRuntime(environment);
  const model = await openEmbeddingModel({ ...environment, name, runtime, signal });
  return { model, [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose]() };
}

type Indexed = DocumentEntry & { readonly source: SourceFile };

/** Documents that were read from files. */
function documentsOfFiles(writer: IndexWriter): readonly Indexed[] {
  return writer.ids().flatMap((id) => {
    const entry = writer.entry(id);
    return entry?.source === undefined ? [] : [{ ...entry, source: entry.source }];
  });
}

interface BringOptions {
  readonly writer: IndexWriter;
  readonly reader: FileReader;
  readonly file: FoundFile;
  /** What the index holds of it. */
  readonly before: readonly Indexed[];
  readonly signal: AbortSignal | undefined;
}

interface Brought {
  readonly changes: readonly ("added" | "changed" | "unchanged" | "removed")[];
  readonly notices: readonly string[];
}

/** Puts a file's documents in, unless they are there as they are. A file that cannot be read leaves what the index holds of it. */
async function bring({ writer, reader, file, before, signal }: BringOptions): Promise<Brought> {
  if (!(await isCandidate(file))) return { changes: [], notices: [`${file.name} left out: documents are ${formatNames}.`] };
  const { mtimeMs: modified, size: bytes } = await stat(file.path);
  const source: SourceFile = { file: file.id, modified, bytes };
  if (before.length > 0 && before.every((one) => one.source.modified === modified && one.source.bytes === bytes))
    return { changes: before.map(() => "unchanged"), notices: [] };
  const { documents, skipped, notices } = await readFileContents(file, reader, signal);
  const left = skipped.map(({ name, reason }) => `${name} left out: it ${reason}`);
  if (documents.length === 0)
    return {
      changes: [],
      notices: [...left.map((line) => (before.length === 0 ? line : `${line} The index keeps what it was before.`)), ...notices],
    };
  const keys = new Map(before.map(({ id, key }) => [id, key]));
  const changes: Brought["changes"][number][] = [];
  for (const document of documents) {
    await writer.put(document, { source, signal });
    const key = keys.get(document.id);
    keys.delete(document.id);
    changes.push(key === undefined ? "added" : key === documentKey(document) ? "unchanged" : "changed");
  }
  for (const id of keys.keys()) {
    await writer.remove(id);
    changes.push("removed");
  }
  return { changes, notices: [...left, ...notices] };
}
