// Postings on disk: the dictionary of terms is held in memory, a term's entries are read when it is asked for. Knows nothing of scores.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic, writePieces } from "../util/atomic.ts";
import type { Postings } from "./inverted-index.ts";

/** Terms in order, one a line; where each one's entries begin; pairs of slot and count as little-endian int32. */
const files = { terms: "terms.txt", offsets: "offsets.bin", entries: "postings.bin" } as const;

const PAIR_BYTES = 8;

/** Writes postings into a folder. Terms must come in order ({@link inOrder}) and hold no line end. */
export async function writePostings(folder: string, postings: Iterable<readonly [string, Postings]>): Promise<void> {
  const terms: string[] = [];
  const offsets: number[] = [0];
  const pieces = function* (): Iterable<Int32Array> {
    for (const [term, { entries, length }] of postings) {
      if (length === 0) continue;
      terms.push(term);
      offsets.push(offsets.at(-1)! + length);
      yield entries.subarray(0, 2 * length);
    }
  };
  await writePieces(join(folder, files.entries), pieces());
  await writeFileAtomic(join(folder, files.terms), terms.join("\n"));
  await writeFileAtomic(join(folder, files.offsets), new Uint8Array(Float64Array.from(offsets).buffer));
}

/** The order of terms in a file: by UTF-16 code units, JavaScript's own. */
export const inOrder = (terms: Iterable<string>): string[] => [...terms].sort();

interface Dictionary {
  readonly terms: string;
  /** Where each term begins in `terms`, and one more at the end. */
  readonly starts: Int32Array;
  readonly offsets: Float64Array;
}

/**
 * Postings of one folder. Its files are opened at once, so that they can be read when a writer has removed them; the dictionary is read
 * when first asked. Disposing gives the files back.
 */
export class PostingsFile implements Disposable {
  readonly #files: { readonly [F in keyof typeof files]: number };
  #known: Dictionary | undefined;

  constructor(folder: string) {
    const opened = (name: string): number => openSync(join(folder, name), "r");
    this.#files = { terms: opened(files.terms), offsets: opened(files.offsets), entries: opened(files.entries) };
  }

  /** Pairs of slot and count, by slot. Read synchronously: a range of a file that the system most often holds in memory. */
  entries(term: string): Int32Array {
    const place = this.#find(term);
    return place === undefined ? new Int32Array(0) : this.#entriesAt(place);
  }

  *terms(): Iterable<string> {
    for (let place = 0; place < this.#dictionary.starts.length - 1; place++) yield this.#term(place);
  }

  [Symbol.dispose](): void {
    for (const file of Object.values(this.#files)) closeSync(file);
  }

  get #dictionary(): Dictionary {
    if (this.#known === undefined) {
      const terms = readFileSync(this.#files.terms, "utf8");
      const bytes = readFileSync(this.#files.offsets);
      const offsets = new Float64Array(bytes.length / 8);
      new Uint8Array(offsets.buffer).set(bytes);
      this.#known = { terms, starts: lineStarts(terms, offsets.length - 1), offsets };
    }
    return this.#known;
  }

  #entriesAt(place: number): Int32Array {
    const { offsets } = this.#dictionary;
    const entries = new Int32Array(2 * (offsets[place + 1]! - offsets[place]!));
    const bytes = new Uint8Array(entries.buffer);
    const from = PAIR_BYTES * offsets[place]!;
    for (let at = 0; at < bytes.length;) {
      const read = readSync(this.#files.entries, bytes, at, bytes.length - at, from + at);
      if (read === 0) throw new Error(`An index file ends ${bytes.length - at} bytes early.`);
      at += read;
    }
    return entries;
  }

  #find(term: string): number | undefined {
    const count = this.#dictionary.starts.length - 1;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#term(middle) < term) low = middle + 1;
      else high = middle;
    }
    return low < count && this.#term(low) === term ? low : undefined;
  }

  #term(place: number): string {
    const { terms, starts } = this.#dictionary;
    return terms.slice(starts[place], starts[place + 1]! - 1);
  }
}

function lineStarts(text: string, lines: number): Int32Array {
  const starts = new Int32Array(lines + 1);
  for (let line = 1; line < lines; line++) starts[line] = text.indexOf("\n", starts[line - 1]) + 1;
  starts[lines] = text.length + 1;
  return starts;
}
