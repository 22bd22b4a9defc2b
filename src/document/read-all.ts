// All documents of a task.
import { open, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { DocumentReader } from "../data/read-task.ts";
import { UserError } from "../errors.ts";
import { fileSystemStore } from "../store/file-system.ts";
import type { Store } from "../store.ts";
import type { Document, DocumentSource } from "../task.ts";
import { groupBy } from "../util/group-by.ts";
import { cachedReader } from "./cached-reader.ts";
import { createFileReader, type FileReader } from "./file-reader.ts";
import { beginsAsDocument, formatNames, HEAD_BYTES } from "./formats.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Piece } from "./pieces.ts";
import { contentsOf, type FileContents, isReadable, type Skipped } from "./read.ts";
import { readKeptUrl } from "./read-url.ts";
import { type FileToRead, findSources, nameOfSource, type PostgresSource, type Sources } from "./sources.ts";
import type { Secret } from "./url.ts";

export interface ReadDocumentsOptions {
  /** Files, folders and patterns, relative to `folder`; addresses; queries and graphs. */
  readonly sources: readonly DocumentSource[];
  /** The task's folder, absolute. */
  readonly folder: string;
  /** Files, relative to `folder`, that are no documents wherever they lie. */
  readonly exclude?: readonly string[];
  readonly signal?: AbortSignal;
  /** Instead of {@link defaultLimits}. */
  readonly limits?: Partial<Limits>;
  /** For addresses of databases that are written `$NAME`, and `${NAME}` in those of pages. */
  readonly secret?: Secret;
  /** Keeps what was read of a file, by its content, and of an address until there is another version. */
  readonly cache?: Store;
}

export interface ReadDocuments {
  /** By id. */
  readonly documents: readonly Document[];
  /** Files that are no documents, or none that can be read. */
  readonly skipped: readonly Skipped[];
  /** What a person should know: files left out, the same text twice. One line each. */
  readonly notices: readonly string[];
}

/** Lines about single files that were skipped; how many more there are is one more line. */
const MOST_TOLD = 20;

/** {@link readDocuments} for tasks: what was read of a file is kept below the task's `.sartor`. */
export function documentReader({ secret, signal }: { readonly secret: Secret; readonly signal?: AbortSignal | undefined }): DocumentReader {
  return (options) =>
    readDocuments({ ...options, secret, ...(signal && { signal }), cache: fileSystemStore(join(options.folder, ".sartor", "documents")) });
}

/**
 * The documents that `sources` name. A file that can't be read (of another format, broken, encrypted, too large, a scan without text) is
 * left out with a notice when a folder or a pattern holds it. Throws UserError when it is named itself, when a database can't be asked or
 * a page not fetched that never was, and when there is no document at all.
 */
export async function readDocuments(options: ReadDocumentsOptions): Promise<ReadDocuments> {
  const { sources, folder, exclude, secret } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { files, urls, queries } = await findSources({ sources, folder, exclude });
  const [readable, others]: [FileToRead[], FileToRead[]] = [[], []];
  for (const file of files) ((await isCandidate(file)) ? readable : others).push(file);
  const contents = await readFiles({ files: readable, urls }, { ...options, limits });
  for (const query of queries) contents.push(await readQuery(query, limits, secret));
  const documents = contents.flatMap((one) => one.documents).sort((a, b) => (a.id < b.id ? -1 : 1));
  const skipped = contents.flatMap((one) => one.skipped);
  if (sources.length > 0 && documents.length === 0) throw new UserError(nothingIn(sources, skipped));
  checkIds(documents);
  const notices = contents.flatMap((one) => one.notices);
  return { documents, skipped, notices: [...leftOut(others), ...told(skipped), ...notices, ...sameTexts(documents)] };
}

async function readFiles(
  { files, urls }: Pick<Sources, "files" | "urls">,
  { limits, cache, secret, signal }: Pick<ReadDocumentsOptions, "cache" | "secret" | "signal"> & { readonly limits: Limits },
): Promise<FileContents[]> {
  const all: FileContents[] = [];
  await using direct = createFileReader(limits);
  const reader = cache === undefined ? direct : cachedReader({ reader: direct, cache, limits });
  for (const file of files) {
    const contents = await readFileContents(file, reader, signal);
    const failed = contents.skipped.find(({ whole }) => whole);
    if (file.named && failed !== undefined) throw new UserError(`${file.name} ${failed.reason}`);
    all.push(contents);
  }
  for (const source of urls) all.push(await readKeptUrl({ source, reader: direct, limits, cache, secret, signal }));
  return all;
}

/** Whether a file is to be read: because it is named, or its name or its first bytes are a document's. */
export async function isCandidate({ named, path }: Pick<FileToRead, "named" | "path">): Promise<boolean> {
  return named || isReadable(path) || (await hasDocumentHead(path));
}

/** What a file holds. What of it cannot be read is told there. */
export async function readFileContents(file: FileToRead, reader: Pick<FileReader, "read">, signal?: AbortSignal): Promise<FileContents> {
  const { mtime } = await stat(file.path);
  return contentsOf({ ...file, modified: mtime.toISOString() }, await piecesIn(file, reader, signal));
}

async function piecesIn({ path, as }: FileToRead, reader: Pick<FileReader, "read">, signal?: AbortSignal): Promise<Piece[]> {
  const pieces: Piece[] = [];
  signal?.throwIfAborted();
  for await (const piece of reader.read(path, as)) {
    pieces.push(piece);
    signal?.throwIfAborted();
  }
  return pieces;
}

async function readQuery(
  { postgres, name = "postgres", ...fields }: PostgresSource,
  limits: Limits,
  secret?: Secret,
): Promise<FileContents> {
  const variable = /^\$\{?(\w+)\}?$/.exec(postgres)?.[1];
  const address = variable === undefined ? postgres : secret?.(variable);
  if (address === undefined)
    throw new UserError(`documents: the environment variable ${variable} is not set. Set it to the address of the database.`);
  const { readPostgres } = await import("./postgres.ts");
  const parts = await readPostgres({ address, name, fields, limits });
  const pieces = parts.flatMap((part): Piece[] => (part.kind === "document" ? [{ ...part, inner: part.inner ?? "" }] : []));
  return contentsOf({ id: name, name }, pieces);
}

/** Files whose names tell no format, or another. */
async function hasDocumentHead(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const head = new Uint8Array(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return beginsAsDocument(head.subarray(0, bytesRead));
  } catch {
    return false;
  }
}

/** Ids of one source are its own; two queries may give the same. */
function checkIds(documents: readonly Document[]): void {
  documents.forEach(({ id }, index) => {
    if (documents[index + 1]?.id === id)
      throw new UserError(`documents: two sources give the document "${id}". Give each query a name of its own.`);
  });
}

function nothingIn(sources: readonly DocumentSource[], [first]: readonly Skipped[]): string {
  const named = `documents: "${sources.map(nameOfSource).join('", "')}" holds no document`;
  return first === undefined ? `${named}. Documents are ${formatNames}.` : `${named} that can be read: ${first.name} ${first.reason}`;
}

function leftOut(files: readonly FileToRead[]): string[] {
  const byExtension = groupBy(files, ({ path }) => extname(path).toLowerCase());
  return [...byExtension].map(([extension, [first, ...more]]) => {
    const others = more.length === 0 ? "" : ` and ${more.length} more ${extension || "such"} file${more.length === 1 ? "" : "s"}`;
    return `documents: ${first?.name}${others} left out: documents are ${formatNames}.`;
  });
}

function told(skipped: readonly Skipped[]): string[] {
  const lines = skipped.slice(0, MOST_TOLD).map(({ name, reason }) => `documents: ${name} left out: it ${reason}`);
  return skipped.length <= MOST_TOLD ? lines : [...lines, `documents: ${skipped.length - MOST_TOLD} more files left out.`];
}

function sameTexts(documents: readonly Document[]): string[] {
  const bySum = groupBy(documents, ({ sha256 }) => sha256);
  const lines = [...bySum.values()]
    .filter((same) => same.length > 1)
    .map((same) => `documents: ${same.map(({ id }) => id).join(" and ")} hold the same text.`);
  return lines.length <= MOST_TOLD
    ? lines
    : [...lines.slice(0, MOST_TOLD), `documents: ${lines.length - MOST_TOLD} more texts stand twice.`];
}
