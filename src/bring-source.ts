// One file or page into an index, as far as it changed. What cannot be read leaves what the index holds of it.
import { stat } from "node:fs/promises";
import type { FileReader } from "./document/file-reader.ts";
import type { FoundFile } from "./document/find.ts";
import { formatNames } from "./document/formats.ts";
import { defaultLimits, Unreadable } from "./document/limits.ts";
import { isCandidate, readFileContents } from "./document/read-all.ts";
import type { FileContents } from "./document/read.ts";
import { contentsOfPage, readUrl } from "./document/read-url.ts";
import type { Secret, UrlSource } from "./document/url.ts";
import { readWhole } from "./document/whole-file.ts";
import { mediaKind } from "./media/formats.ts";
import { mediaDocument } from "./media/media-document.ts";
import type { MediaKind } from "./model.ts";
import type { IndexWriter } from "./retriever/index-writer.ts";
import { documentKey } from "./retriever/passages.ts";
import type { DocumentEntry, SourceFile } from "./retriever/segment.ts";
import type { Document } from "./task.ts";
import { contentKey } from "./util/hash.ts";

export type Indexed = DocumentEntry & { readonly source: SourceFile };

export type Change = "added" | "changed" | "removed" | "unchanged";

export interface Brought {
  readonly changes: readonly { readonly id: string; readonly change: Change }[];
  /** One line for each document that could not be read, or was passed over. */
  readonly notices: readonly string[];
}

export interface BringOptions {
  readonly writer: IndexWriter;
  readonly reader: FileReader;
  /** What the index holds of it. */
  readonly before: readonly Indexed[];
  /** Files that could not be read, as they were then: they are not read again, nor told. */
  readonly failed: Map<string, string>;
  readonly secret: Secret;
  readonly signal: AbortSignal | undefined;
}

/** A file with the size and date that it had is not read. */
export async function bringFile(file: FoundFile, options: BringOptions): Promise<Brought> {
  const { reader, before, failed, signal } = options;
  const { mtimeMs: modified, size: bytes } = await stat(file.path);
  const state = `${modified} ${bytes}`;
  if (failed.get(file.id) === state) return unchanged(before);
  failed.delete(file.id);
  const fail = (notices: readonly string[]): Brought => {
    failed.set(file.id, state);
    return { changes: [], notices };
  };
  const kind = mediaKind(file.path);
  const embedded = kind !== undefined && options.writer.mediaKinds.includes(kind);
  if (!embedded && !(await isCandidate(file))) return fail([`${file.name} left out: documents are ${formatNames}.`]);
  if (before.length > 0 && before.every(({ source }) => source.modified === modified && source.bytes === bytes)) return unchanged(before);
  const source = { file: file.id, modified, bytes };
  if (embedded) return bringMedia({ ...options, file, kind, source, fail });
  const contents = await readFileContents(file, reader, signal);
  const brought = await bringContents({ ...options, contents, source });
  return contents.documents.length === 0 ? fail(brought.notices) : brought;
}

interface BringMedia extends BringOptions {
  readonly file: FoundFile;
  readonly kind: MediaKind;
  readonly source: SourceFile;
  readonly fail: (notices: readonly string[]) => Brought;
}

/** A picture or a sound, which is one document. */
async function bringMedia({ file, kind, fail, ...options }: BringMedia): Promise<Brought> {
  try {
    const media = { kind, bytes: await readWhole(file.path, defaultLimits) };
    const modified = new Date(options.source.modified).toISOString();
    const document = mediaDocument({ file, media, limits: defaultLimits, modified });
    const contents = { documents: [document], skipped: [], notices: [] };
    return await bringContents({ ...options, contents, bytes: media.bytes });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return fail([kept(`${file.name} left out: it ${error.message}`, options.before)]);
  }
}

/** A page is fetched unless its server says that it is what it was. */
export async function bringPage(source: UrlSource, options: BringOptions): Promise<Brought> {
  const { reader, before, failed, secret, signal } = options;
  const { etag, lastModified } = before[0]?.source ?? {};
  const known = { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) };
  try {
    const page = await readUrl({ source, before: known, reader, limits: defaultLimits, secret, signal });
    failed.delete(source.id);
    if (page === "unchanged") return unchanged(before);
    const from = { file: source.id, modified: 0, bytes: page.bytes, ...page.validators };
    return await bringContents({ ...options, contents: contentsOfPage(source, page), source: from });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (failed.get(source.id) === error.message) return unchanged(before);
    failed.set(source.id, error.message);
    return { changes: [], notices: [kept(`${source.name} ${error.message}`, before)] };
  }
}

export function unchanged(before: readonly Indexed[]): Brought {
  return { changes: before.map(({ id }) => ({ id, change: "unchanged" })), notices: [] };
}

const kept = (line: string, before: readonly Indexed[]): string =>
  before.length === 0 ? line : `${line} The index keeps what it was before.`;

interface BringContents extends BringOptions {
  readonly contents: FileContents;
  /** Of a picture or a sound. */
  readonly bytes?: Uint8Array;
  readonly source: SourceFile;
}

async function bringContents({ writer, contents, source, bytes, before, signal }: BringContents): Promise<Brought> {
  const { documents, skipped, notices } = contents;
  const left = skipped.map(({ name, reason }) => `${name} left out: it ${reason}`);
  if (documents.length === 0) return { changes: [], notices: [...left.map((line) => kept(line, before)), ...notices] };
  const known = new Map(before.map((entry) => [entry.id, entry]));
  const changes: Brought["changes"][number][] = [];
  for (const document of documents) {
    const entry = known.get(document.id);
    known.delete(document.id);
    if (entry === undefined || !isAsKept(document, entry, source)) await writer.put(document, { source, signal, ...(bytes && { bytes }) });
    changes.push({
      id: document.id,
      change: entry === undefined ? "added" : entry.key === documentKey(document) ? "unchanged" : "changed",
    });
  }
  for (const id of known.keys()) {
    await writer.remove(id);
    changes.push({ id, change: "removed" });
  }
  return { changes, notices: [...left, ...notices] };
}

/** Whether nothing at all would change: a server may send again what it sent before. */
function isAsKept(document: Document, entry: Indexed, source: SourceFile): boolean {
  return entry.key === documentKey(document) && entry.modified === document.modified && contentKey(entry.source) === contentKey(source);
}
