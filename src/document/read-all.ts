// All documents of a task.
import { open } from "node:fs/promises";
import { extname } from "node:path";
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";
import { groupBy } from "../util/group-by.ts";
import { createFileReader, type FileReader } from "./file-reader.ts";
import { findFiles, type FoundFile } from "./find.ts";
import { beginsAsDocument, formatNames, HEAD_BYTES } from "./formats.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Piece } from "./pieces.ts";
import { contentsOf, type FileContents, isReadable, type Skipped } from "./read.ts";

export interface ReadDocumentsOptions {
  /** Files, folders and patterns, relative to `folder`. */
  readonly paths: readonly string[];
  /** The task's folder, absolute. */
  readonly folder: string;
  /** Instead of {@link defaultLimits}. */
  readonly limits?: Partial<Limits>;
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

/**
 * The documents that `paths` name. A file that can't be read (of another format, broken, encrypted, too large, a scan without text) is
 * left out with a notice when a folder or a pattern holds it. Throws UserError when it is named itself, or when there is no document at all.
 */
export async function readDocuments({ paths, folder, limits }: ReadDocumentsOptions): Promise<ReadDocuments> {
  const files = await findFiles({ paths, folder });
  const [readable, others]: [FoundFile[], FoundFile[]] = [[], []];
  for (const file of files) ((await isCandidate(file)) ? readable : others).push(file);
  const { documents, skipped, notices } = await readFiles(readable, { ...defaultLimits, ...limits });
  if (paths.length > 0 && documents.length === 0) throw new UserError(nothingIn(paths, skipped));
  return {
    documents: [...documents].sort((a, b) => (a.id < b.id ? -1 : 1)),
    skipped,
    notices: [...leftOut(others), ...told(skipped), ...notices, ...sameTexts(documents)],
  };
}

async function readFiles(files: readonly FoundFile[], limits: Limits): Promise<FileContents> {
  const all: FileContents[] = [];
  await using reader = createFileReader(limits);
  for (const file of files) {
    const contents = await readFileContents(file, reader);
    const failed = contents.skipped.find(({ whole }) => whole);
    if (file.named && failed !== undefined) throw new UserError(`${file.name} ${failed.reason}`);
    all.push(contents);
  }
  return {
    documents: all.flatMap(({ documents }) => documents),
    skipped: all.flatMap(({ skipped }) => skipped),
    notices: all.flatMap(({ notices }) => notices),
  };
}

/** Whether a file is to be read: because it is named, or its name or its first bytes are a document's. */
export async function isCandidate({ named, path }: FoundFile): Promise<boolean> {
  return named || isReadable(path) || (await hasDocumentHead(path));
}

/** What a file holds. What of it cannot be read is told there. */
export async function readFileContents(file: FoundFile, reader: FileReader): Promise<FileContents> {
  return contentsOf(file, await piecesIn(file, reader));
}

async function piecesIn({ path }: FoundFile, reader: FileReader): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of reader.read(path)) pieces.push(piece);
  return pieces;
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

function nothingIn(paths: readonly string[], [first]: readonly Skipped[]): string {
  const named = `documents: "${paths.join('", "')}" holds no document`;
  return first === undefined ? `${named}. Documents are ${formatNames}.` : `${named} that can be read: ${first.name} ${first.reason}`;
}

function leftOut(files: readonly FoundFile[]): string[] {
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
  return [...bySum.values()]
    .filter((same) => same.length > 1)
    .map((same) => `documents: ${same.map(({ id }) => id).join(" and ")} hold the same text.`);
}
