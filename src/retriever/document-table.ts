// The documents of a segment on disk: found by id or by place, read one at a time. Knows nothing of terms or vectors.
import { join } from "node:path";
import type { Document } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import type { Chunk } from "./chunk-source.ts";
import type { Metadata } from "./metadata.ts";
import { closeAll, openPagedFiles, type PageCache, type PagedFile } from "./paged-file.ts";
import { PieceWriter } from "./piece-writer.ts";

/** The file or page a document was read from, as it was then. */
export interface SourceFile {
  /** Its id; documents that a file holds have longer ones. */
  readonly file: string;
  /** Milliseconds since 1970; 0 for a page. */
  readonly modified: number;
  readonly bytes: number;
  /** What the server calls this version of a page. */
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What is known of a document without reading its text. */
export interface DocumentEntry {
  readonly id: string;
  readonly title: string;
  /** Changes with title and text. */
  readonly key: string;
  readonly metadata: Metadata;
  /** When it was last changed, as its {@link Document} tells. */
  readonly modified?: string;
  readonly source?: SourceFile;
  readonly passages: number;
}

/** A document as a segment keeps it. */
export interface StoredDocument {
  readonly document: Document;
  readonly chunks: readonly Chunk[];
}

/** A passage's place: its document's, where it begins there, and its terms. */
export interface PassageRecord {
  readonly document: number;
  readonly start: number;
  readonly length: number;
}

/** A document to be written, with the beginnings and lengths of its passages. */
export interface TableDocument {
  readonly entry: DocumentEntry;
  /** A {@link StoredDocument} as a line of JSON. */
  readonly stored: Uint8Array;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
}

/**
 * Documents and entries as lines of JSON; of each document four float64: where its passages, its line and its entry begin, and nothing,
 * with a last such record for the ends; of each passage four int32: document, start, length, nothing; hashes of ids in order, each with
 * the document's place.
 */
const files = {
  documents: "documents.jsonl",
  entries: "entries.jsonl",
  places: "documents.bin",
  passages: "passages.bin",
  ids: "ids.bin",
} as const;

const DOCUMENT_BYTES = 32;
const PASSAGE_BYTES = 16;
const ID_BYTES = 8;

/** Writes documents in their order and returns how many passages they have. */
export function writeDocumentTable(folder: string, documents: Iterable<TableDocument>): number {
  using texts = new PieceWriter(join(folder, files.documents));
  using entries = new PieceWriter(join(folder, files.entries));
  using places = new PieceWriter(join(folder, files.places));
  using passages = new PieceWriter(join(folder, files.passages));
  using ids = new PieceWriter(join(folder, files.ids));
  const hashes: bigint[] = [];
  let count = 0;
  const record = (): void => places.write(Float64Array.of(count, texts.bytes, entries.bytes, 0));
  for (const { entry, stored, starts, lengths } of documents) {
    record();
    texts.write(stored);
    entries.write(Buffer.from(`${JSON.stringify(entry)}\n`));
    starts.forEach((start, passage) => passages.write(Int32Array.of(hashes.length, start, lengths[passage]!, 0)));
    hashes.push((BigInt(hashOf(entry.id)) << 32n) | BigInt(hashes.length));
    count += starts.length;
  }
  record();
  const sorted = BigUint64Array.from(hashes).sort();
  ids.write(
    Uint32Array.from({ length: 2 * sorted.length }, (_, at) => Number((sorted[at >> 1]! >> (at % 2 === 0 ? 32n : 0n)) & 0xffffffffn)),
  );
  for (const file of [texts, entries, places, passages, ids]) file.finish();
  return count;
}

/** As a table keeps a document. */
export function storedLine(stored: StoredDocument): Uint8Array {
  return Buffer.from(`${JSON.stringify(stored)}\n`);
}

/** The documents of one folder, open until disposed. */
export class DocumentTable implements Disposable {
  readonly documents: number;
  readonly passages: number;
  readonly #files: { readonly [F in keyof typeof files]: PagedFile };

  constructor(folder: string, pages: PageCache) {
    this.#files = openPagedFiles(folder, files, pages);
    this.documents = this.#files.places.bytes / DOCUMENT_BYTES - 1;
    this.passages = this.#files.passages.bytes / PASSAGE_BYTES;
  }

  /** The place of the document of an id. */
  find(id: string): number | undefined {
    const hash = hashOf(id);
    let low = 0;
    let high = this.documents;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#hash(middle)[0]! >>> 0 < hash) low = middle + 1;
      else high = middle;
    }
    for (; low < this.documents; low++) {
      const [found, document] = this.#hash(low) as unknown as readonly [number, number];
      if (found >>> 0 !== hash) return undefined;
      if (this.entry(document).id === id) return document;
    }
    return undefined;
  }

  entry(document: number): DocumentEntry {
    const [from, to] = this.#range(document, 2);
    return JSON.parse(textOf(this.#files.entries.read(from, to - from))) as DocumentEntry;
  }

  /** Every document's entry, in order. */
  *entries(): Iterable<DocumentEntry> {
    for (let document = 0; document < this.documents; document++) yield this.entry(document);
  }

  /** A document with its text, as a line of JSON. */
  line(document: number): Uint8Array {
    const [from, to] = this.#range(document, 1);
    return this.#files.documents.read(from, to - from);
  }

  read(document: number): StoredDocument {
    return JSON.parse(textOf(this.line(document))) as StoredDocument;
  }

  /** Its first passage and the one after its last. */
  passagesOf(document: number): readonly [number, number] {
    return this.#range(document, 0);
  }

  passage(passage: number): PassageRecord {
    const [document, start, length] = this.#files.passages.integers(PASSAGE_BYTES * passage, 3) as unknown as readonly [
      number,
      number,
      number,
    ];
    return { document, start, length };
  }

  [Symbol.dispose](): void {
    closeAll(this.#files);
  }

  /** A field of a document's record and of the next one's. */
  #range(document: number, field: number): readonly [number, number] {
    const at = (place: number): number => this.#files.places.floats(DOCUMENT_BYTES * place, 4)[field]!;
    return [at(document), at(document + 1)];
  }

  #hash(place: number): Int32Array {
    return this.#files.ids.integers(ID_BYTES * place, 2);
  }
}

const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string => Buffer.from(buffer, byteOffset, byteLength).toString("utf8");

/** 32 bits of an id. */
function hashOf(id: string): number {
  return Number.parseInt(sha256(id).slice(0, 8), 16);
}
