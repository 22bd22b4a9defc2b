// A part of an index on disk: some documents with their passages, postings and vectors. Written once, never changed, read piece by piece.
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Document } from "../task.ts";
import { writeFileAtomic, writePieces } from "../util/atomic.ts";
import type { Chunk } from "./chunk-source.ts";
import type { Postings } from "./inverted-index.ts";
import type { Metadata } from "./metadata.ts";
import { PostingsFile, writePostings } from "./postings-file.ts";

/** The file a document was read from, as it was then. */
export interface SourceFile {
  /** Its id; documents that a file holds have longer ones. */
  readonly file: string;
  readonly modified: number;
  readonly bytes: number;
}

/** What is known of a document without reading its text. */
export interface DocumentEntry {
  readonly id: string;
  readonly title: string;
  /** Changes with title and text. */
  readonly key: string;
  readonly metadata: Metadata;
  readonly source?: SourceFile;
  readonly passages: number;
}

/** A document as a segment keeps it. */
export interface StoredDocument {
  readonly document: Document;
  readonly chunks: readonly Chunk[];
}

export interface SegmentContent {
  readonly documents: readonly (DocumentEntry & { readonly stored: () => Promise<StoredDocument> })[];
  /** Of every passage, in order: where it begins in its document, and its terms. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** In order of terms; slots are the passages' places. */
  readonly postings: Iterable<readonly [string, Postings]>;
  /** One after another, any number at a time. Absent where nothing is embedded. */
  readonly vectors?: AsyncIterable<Float32Array>;
}

interface TableEntry extends DocumentEntry {
  /** Where the document's line begins, and its bytes. */
  readonly at: number;
  readonly size: number;
}

const files = {
  documents: "documents.jsonl",
  table: "table.json",
  starts: "starts.bin",
  lengths: "lengths.bin",
  vectors: "vectors.bin",
} as const;

/** Writes a segment into a new folder. It counts only once a manifest names it. */
export async function writeSegment(folder: string, { documents, starts, lengths, postings, vectors }: SegmentContent): Promise<void> {
  await mkdir(folder, { recursive: true });
  const table = await writeDocuments(join(folder, files.documents), documents);
  await writePostings(folder, postings);
  await writeFileAtomic(join(folder, files.starts), bytesOf(starts));
  await writeFileAtomic(join(folder, files.lengths), bytesOf(lengths));
  if (vectors !== undefined) await writePieces(join(folder, files.vectors), vectors);
  await writeFileAtomic(join(folder, files.table), JSON.stringify(table));
}

async function writeDocuments(path: string, documents: SegmentContent["documents"]): Promise<TableEntry[]> {
  const table: TableEntry[] = [];
  const lines = async function* (): AsyncIterable<Uint8Array> {
    let at = 0;
    for (const { stored, ...entry } of documents) {
      const line = Buffer.from(`${JSON.stringify(await stored())}\n`);
      table.push({ ...entry, at, size: line.length });
      at += line.length;
      yield line;
    }
  };
  await writePieces(path, lines());
  return table;
}

/** A segment opened for reading. */
export class Segment implements AsyncDisposable {
  readonly name: string;
  readonly documents: readonly DocumentEntry[];
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly postings: PostingsFile;
  /** The first passage of every document, and the count of passages last. */
  readonly firsts: Int32Array;
  readonly #table: readonly TableEntry[];
  readonly #texts: FileHandle;
  readonly #folder: string;
  #vectors: Promise<Float32Array> | undefined;

  private constructor(
    folder: string,
    name: string,
    parts: Pick<Segment, "starts" | "lengths" | "postings">,
    table: readonly TableEntry[],
    texts: FileHandle,
  ) {
    this.#folder = folder;
    this.name = name;
    this.starts = parts.starts;
    this.lengths = parts.lengths;
    this.postings = parts.postings;
    this.documents = table;
    this.#table = table;
    this.#texts = texts;
    this.firsts = new Int32Array(table.length + 1);
    table.forEach(({ passages }, ordinal) => (this.firsts[ordinal + 1] = this.firsts[ordinal]! + passages));
  }

  static async open(folder: string, name: string): Promise<Segment> {
    const path = join(folder, name);
    const table = JSON.parse(await readFile(join(path, files.table), "utf8")) as TableEntry[];
    const starts = numbersOf(Int32Array, await readFile(join(path, files.starts)));
    const lengths = numbersOf(Int32Array, await readFile(join(path, files.lengths)));
    const postings = await PostingsFile.open(path);
    return new Segment(path, name, { starts, lengths, postings }, table, await open(join(path, files.documents), "r"));
  }

  get passages(): number {
    return this.starts.length;
  }

  /** The document of a passage. */
  documentOf(passage: number): number {
    let low = 0;
    let high = this.#table.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.firsts[middle]! <= passage) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Reads a document with its text. */
  async read(document: number): Promise<StoredDocument> {
    const { at, size } = this.#table[document]!;
    const bytes = Buffer.alloc(size);
    await this.#texts.read(bytes, 0, size, at);
    return JSON.parse(bytes.toString("utf8")) as StoredDocument;
  }

  /** [passages, dimensions], flat: read once, then held. */
  vectors(): Promise<Float32Array> {
    this.#vectors ??= readFile(join(this.#folder, files.vectors)).then((bytes) => numbersOf(Float32Array, bytes));
    return this.#vectors;
  }

  /** [passages of the document, dimensions], flat; read from the file. */
  async vectorsOf(document: number, dimensions: number): Promise<Float32Array> {
    const rows = new Float32Array(this.documents[document]!.passages * dimensions);
    await using file = await open(join(this.#folder, files.vectors), "r");
    await file.read(bytesOf(rows), 0, rows.byteLength, 4 * dimensions * this.firsts[document]!);
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.postings[Symbol.dispose]();
    await this.#texts.close();
  }
}

export function bytesOf(numbers: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function numbersOf<T extends Int32Array | Float32Array>(type: new (length: number) => T, bytes: Uint8Array): T {
  const numbers = new type(bytes.length / 4);
  bytesOf(numbers).set(bytes);
  return numbers;
}
