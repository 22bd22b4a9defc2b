// A part of an index on disk: some documents with their passages, postings and vectors. Written once, never changed, read piece by piece.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DocumentTable, type TableDocument, writeDocumentTable } from "./document-table.ts";
import type { Postings } from "./inverted-index.ts";
import { closeAll, type PageCache, PagedFile } from "./paged-file.ts";
import { PieceWriter, syncFiles } from "./piece-writer.ts";
import { PostingsFile, writePostings } from "./postings-file.ts";
import { VectorLists } from "./vector-lists.ts";

export type { DocumentEntry, SourceFile, StoredDocument } from "./document-table.ts";

export interface SegmentContent {
  readonly documents: Iterable<TableDocument>;
  /** In order of terms; slots are the passages' places. */
  readonly postings: Iterable<readonly [string, Postings]>;
  /** Terms of each passage. */
  readonly lengths: Int32Array;
  /** One after another, any number at a time. Absent where nothing is embedded. */
  readonly vectors?: Iterable<Float32Array>;
}

const vectorsFile = "vectors.bin";

/** Writes a segment into a new folder. It counts only once a manifest names it. */
export async function writeSegment(folder: string, { documents, postings, lengths, vectors }: SegmentContent): Promise<void> {
  await mkdir(folder, { recursive: true });
  writeDocumentTable(folder, documents);
  writePostings(folder, postings, (slot) => lengths[slot]!);
  if (vectors !== undefined) {
    using file = new PieceWriter(join(folder, vectorsFile));
    for (const some of vectors) file.write(some);
    file.finish();
  }
  await syncFiles(folder);
}

export interface OpenSegment {
  readonly folder: string;
  readonly name: string;
  /** Whether it has vectors, and lists of them. */
  readonly vectors: boolean;
  readonly lists: boolean;
  readonly pages: PageCache;
}

interface SegmentFiles {
  readonly [name: string]: Disposable | undefined;
  readonly table: DocumentTable;
  readonly postings: PostingsFile;
  readonly lists: VectorLists | undefined;
  readonly vectors: PagedFile | undefined;
}

/** A segment opened for reading. Every file is open, so that they can be read when a writer has removed them. */
export class Segment implements Disposable {
  readonly name: string;
  readonly #files: SegmentFiles;
  #held: Float32Array | undefined;

  private constructor(name: string, opened: SegmentFiles) {
    this.name = name;
    this.#files = opened;
  }

  static open({ folder, name, vectors, lists, pages }: OpenSegment): Segment {
    const path = join(folder, name);
    const opened: { -readonly [F in keyof SegmentFiles]?: SegmentFiles[F] } = {};
    try {
      opened.table = new DocumentTable(path, pages);
      opened.postings = new PostingsFile(path, pages);
      opened.vectors = vectors ? new PagedFile(join(path, vectorsFile), pages) : undefined;
      opened.lists = lists ? new VectorLists(path, pages) : undefined;
      return new Segment(name, opened as SegmentFiles);
    } catch (error) {
      closeAll(opened);
      throw error;
    }
  }

  get table(): DocumentTable {
    return this.#files.table;
  }

  get postings(): PostingsFile {
    return this.#files.postings;
  }

  /** Of segments with many vectors. */
  get lists(): VectorLists | undefined {
    return this.#files.lists;
  }

  get documents(): number {
    return this.table.documents;
  }

  get passages(): number {
    return this.table.passages;
  }

  /** [passages, dimensions], flat: read once, then held. */
  heldVectors(): Float32Array {
    if (this.#held === undefined) {
      this.#held = new Float32Array(this.#vectors.bytes / 4);
      this.#vectors.readInto(bytesOf(this.#held), 0);
    }
    return this.#held;
  }

  /** Fills `rows`, [some passages, dimensions], with the vectors of passages from `first` on. */
  vectorsInto(rows: Float32Array, first: number, dimensions: number): void {
    this.#vectors.readInto(bytesOf(rows), 4 * first * dimensions);
  }

  /** [passages of the document, dimensions], flat. */
  vectorsOf(document: number, dimensions: number): Float32Array {
    const [first, end] = this.table.passagesOf(document);
    const rows = new Float32Array((end - first) * dimensions);
    this.vectorsInto(rows, first, dimensions);
    return rows;
  }

  [Symbol.dispose](): void {
    closeAll(this.#files);
  }

  get #vectors(): PagedFile {
    const { vectors } = this.#files;
    if (vectors === undefined) throw new Error(`The segment ${this.name} holds no vectors.`);
    return vectors;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
