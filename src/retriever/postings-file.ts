// Postings on disk, dictionary included: terms are found and their postings read by position, so that memory does not grow with them.
// Knows nothing of scores.
import { join } from "node:path";
import type { Postings } from "./inverted-index.ts";
import { closeAll, openPagedFiles, type PageCache, type PagedFile } from "./paged-file.ts";
import { PieceWriter } from "./piece-writer.ts";
import { BLOCK_POSTINGS, DIRECTORY_FIELDS, encodePostings, PostingsCursor } from "./postings-blocks.ts";

/**
 * Terms in order, one after another, as UTF-8; of each term four float64: where its text and its postings begin, how many texts hold it,
 * and nothing; a last such record holds the ends.
 */
const files = { terms: "terms.txt", places: "terms.bin", postings: "postings.bin" } as const;

const RECORD_BYTES = 32;

/** Writes postings into a folder. Terms must come in order ({@link inOrder}); `lengthOf`: terms of the text in a slot. */
export function writePostings(folder: string, postings: Iterable<readonly [string, Postings]>, lengthOf: (slot: number) => number): void {
  using terms = new PieceWriter(join(folder, files.terms));
  using places = new PieceWriter(join(folder, files.places));
  using entries = new PieceWriter(join(folder, files.postings));
  const record = (texts: number): void => places.write(Float64Array.of(terms.bytes, entries.bytes, texts, 0));
  for (const [term, found] of postings) {
    if (found.length === 0) continue;
    record(found.length);
    terms.write(Buffer.from(term));
    entries.write(encodePostings(found, lengthOf));
  }
  record(0);
  for (const file of [terms, places, entries]) file.finish();
}

/** The order of terms in a file: by UTF-16 code units, JavaScript's own. */
export const inOrder = (terms: Iterable<string>): string[] => [...terms].sort();

/** A term's place in the dictionary. */
export interface TermPlace {
  /** Where its postings begin. */
  readonly at: number;
  /** Texts that hold it. */
  readonly texts: number;
}

/** Postings of one folder, open until disposed. */
export class PostingsFile implements Disposable {
  readonly #files: { readonly [F in keyof typeof files]: PagedFile };
  readonly #count: number;

  constructor(folder: string, pages: PageCache) {
    this.#files = openPagedFiles(folder, files, pages);
    this.#count = this.#files.places.bytes / RECORD_BYTES - 1;
  }

  find(term: string): TermPlace | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#term(middle) < term) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#term(low) === term ? this.#place(low) : undefined;
  }

  /** A walk through a term's postings, before the first of them. */
  cursor({ at, texts }: TermPlace): PostingsCursor {
    const blocks = Math.ceil(texts / BLOCK_POSTINGS);
    const directory = this.#files.postings.integers(at, DIRECTORY_FIELDS * blocks);
    const first = at + 4 * DIRECTORY_FIELDS * blocks;
    return new PostingsCursor({ texts, directory, read: (from, length) => this.#files.postings.read(first + from, length) });
  }

  /** Pairs of slot and count, by slot. */
  entries(place: TermPlace): Int32Array {
    return this.cursor(place).entries();
  }

  /** Every term in order, with its place. */
  *terms(): Iterable<readonly [string, TermPlace]> {
    for (let place = 0; place < this.#count; place++) yield [this.#term(place), this.#place(place)];
  }

  [Symbol.dispose](): void {
    closeAll(this.#files);
  }

  #place(index: number): TermPlace {
    const record = this.#files.places.floats(RECORD_BYTES * index, 4);
    return { at: record[1]!, texts: record[2]! };
  }

  #term(index: number): string {
    const from = this.#files.places.floats(RECORD_BYTES * index, 1)[0]!;
    const to = this.#files.places.floats(RECORD_BYTES * (index + 1), 1)[0]!;
    const { buffer, byteOffset, byteLength } = this.#files.terms.read(from, to - from);
    return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  }
}
