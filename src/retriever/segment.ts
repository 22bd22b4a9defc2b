// A part of an index on disk: some documents with their passages, postings and vectors. Written once, never changed, read piece by piece.
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Document } from "../task.ts";
import { writeFileAtomic, writePieces } from "../util/atomic.ts";
import type { Chunk } from "./chunk-source.ts";
import type { Postings } from "./inverted-index.ts";
import type { Metadata } from "./metadata.ts";
import { PostingsFile, writePostings } from "./postings-file.ts";

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

interface Parts extends Pick<Segment, "starts" | "lengths" | "postings"> {
  readonly table: readonly TableEntry[];
  readonly texts: FileHandle;
  readonly vectors: FileHandle | undefined;
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
  readonly #vectorFile: FileHandle | undefined;
  #vectors: Promise<Float32Array> | undefined;

  private constructor(name: string, { table, starts, lengths, postings, texts, vectors }: Parts) {
    this.name = name;
    this.starts = starts;
    this.lengths = lengths;
    this.postings = postings;
    this.documents = table;
    this.#table = table;
    this.#texts = texts;
    this.#vectorFile = vectors;
    this.firsts = new Int32Array(table.length + 1);
    table.forEach(({ passages }, ordinal) => (this.firsts[ordinal + 1] = this.firsts[ordinal]! + passages));
  }

  /** Opens every file, so that they can be read when a writer has removed them. */
  static async open(folder: string, name: string): Promise<Segment> {
    const path = join(folder, name);
    return new Segment(name, {
      table: JSON.parse(await readFile(join(path, files.table), "utf8")) as TableEntry[],
      starts: numbersOf(Int32Array, await readFile(join(path, files.starts))),
      lengths: numbersOf(Int32Array, await readFile(join(path, files.lengths))),
      postings: new PostingsFile(path),
      texts: await open(join(path, files.documents), "r"),
      vectors: await open(join(path, files.vectors), "r").catch(() => undefined),
    });
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
    await readWhole(this.#texts, bytes, at);
    return JSON.parse(bytes.toString("utf8")) as StoredDocument;
  }

  /** [passages, dimensions], flat: read once, then held. */
  vectors(): Promise<Float32Array> {
    this.#vectors ??= this.#readVectors();
    return this.#vectors;
  }

  /** [passages of the document, dimensions], flat; read from the file. */
  async vectorsOf(document: number, dimensions: number): Promise<Float32Array> {
    const rows = new Float32Array(this.documents[document]!.passages * dimensions);
    await readWhole(this.#present(), bytesOf(rows), 4 * dimensions * this.firsts[document]!);
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.postings[Symbol.dispose]();
    await this.#texts.close();
    await this.#vectorFile?.close();
  }

  #present(): FileHandle {
    if (this.#vectorFile === undefined) throw new Error(`The segment ${this.name} holds no vectors.`);
    return this.#vectorFile;
  }

  async #readVectors(): Promise<Float32Array> {
    const file = this.#present();
    const vectors = new Float32Array((await file.stat()).size / 4);
    await readWhole(file, bytesOf(vectors), 0);
    return vectors;
  }
}

/** One read may give less than was asked, and never gives more than 2 GB. */
async function readWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 1 << 30), position + at);
    if (bytesRead === 0) throw new Error(`An index file ends ${bytes.length - at} bytes early.`);
    at += bytesRead;
  }
}

function bytesOf(numbers: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function numbersOf<T extends Int32Array | Float32Array>(type: new (length: number) => T, bytes: Uint8Array): T {
  const numbers = new type(bytes.length / 4);
  bytesOf(numbers).set(bytes);
  return numbers;
}
