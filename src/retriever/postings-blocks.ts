// The postings of one term as bytes: blocks with what bounds their scores, and a walk through them that skips blocks. Knows no files.
import type { Postings } from "./inverted-index.ts";

export const BLOCK_POSTINGS = 128;
/** Of each block: its first slot, where its bytes begin, its largest count, the smallest length of its texts, the widths of its columns. */
export const DIRECTORY_FIELDS = 5;

/** Past the last posting. */
export const END = 2 ** 31 - 1;

/**
 * A term's directory (int32), then its blocks. A block is three columns, the numbers of each 1, 2 or 4 bytes wide: slots from the block's
 * first one on, counts, and lengths from its smallest one on. Ends at a multiple of 4.
 *
 * Counts and lengths bound every score of a block, whatever the scorer's parameters (block maxima: Ding and Suel 2011).
 */
export function encodePostings({ entries, length }: Postings, lengthOf: (slot: number) => number): Uint8Array {
  const blocks = Math.ceil(length / BLOCK_POSTINGS);
  const directory = new Int32Array(DIRECTORY_FIELDS * blocks);
  const pieces: Uint8Array[] = [new Uint8Array(directory.buffer)];
  let bytes = 0;
  for (let block = 0; block < blocks; block++) {
    const columns = columnsOf(entries, lengthOf, block * BLOCK_POSTINGS, Math.min(length, (block + 1) * BLOCK_POSTINGS));
    const { widths, encoded } = encodeBlock([columns.slots, columns.counts, columns.lengths]);
    const fields = [columns.first, bytes, Math.max(...columns.counts), columns.shortest, widths];
    directory.set(fields, DIRECTORY_FIELDS * block);
    pieces.push(encoded);
    bytes += encoded.length;
  }
  pieces.push(new Uint8Array(-bytes & 3));
  return Buffer.concat(pieces);
}

function columnsOf(entries: Int32Array, lengthOf: (slot: number) => number, from: number, to: number) {
  const [slots, counts, lengths] = [new Int32Array(to - from), new Int32Array(to - from), new Int32Array(to - from)];
  for (let at = from; at < to; at++) {
    slots[at - from] = entries[2 * at]!;
    counts[at - from] = entries[2 * at + 1]!;
    lengths[at - from] = lengthOf(entries[2 * at]!);
  }
  const [first, shortest] = [slots[0]!, Math.min(...lengths)];
  return { first, shortest, counts, slots: slots.map((slot) => slot - first), lengths: lengths.map((length) => length - shortest) };
}

/** The columns one after another, and their widths, a byte each. */
function encodeBlock(columns: readonly Int32Array[]): { readonly widths: number; readonly encoded: Uint8Array } {
  const widths = columns.map((column) => {
    const largest = Math.max(...column);
    return largest < 1 << 8 ? 1 : largest < 1 << 16 ? 2 : 4;
  });
  const encoded = new Uint8Array(columns[0]!.length * widths.reduce((sum, width) => sum + width, 0));
  let at = 0;
  for (const [place, column] of columns.entries()) {
    for (const value of column) for (let byte = 0; byte < widths[place]!; byte++) encoded[at++] = value >>> (8 * byte);
  }
  return { widths: widths[0]! | (widths[1]! << 8) | (widths[2]! << 16), encoded };
}

export interface CursorSource {
  readonly texts: number;
  readonly directory: Int32Array;
  /** Bytes of the blocks. */
  readonly read: (from: number, length: number) => Uint8Array;
}

/** A walk through a term's postings, forward only. Before {@link advance} it stands nowhere. */
export class PostingsCursor {
  /** Of the block that was read last: its slots, counts and the lengths of its texts. */
  readonly slots: Int32Array;
  readonly counts: Int32Array;
  readonly lengths: Int32Array;
  /** Postings in the block, and where in it the walk stands. */
  size = 0;
  at = 0;
  readonly #source: CursorSource;
  readonly #blocks: number;
  #block = -1;
  #read = -1;

  constructor(source: CursorSource) {
    this.#source = source;
    this.#blocks = source.directory.length / DIRECTORY_FIELDS;
    const most = Math.min(BLOCK_POSTINGS, source.texts);
    [this.slots, this.counts, this.lengths] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)];
  }

  get texts(): number {
    return this.#source.texts;
  }

  /** Moves to the first posting at or after a slot and returns its slot; {@link END} where there is none. */
  advance(slot: number): number {
    for (let block = this.#blockAt(slot); block < this.#blocks; block++) {
      this.#open(block);
      while (this.at < this.size && this.slots[this.at]! < slot) this.at++;
      if (this.at < this.size) return this.slots[this.at]!;
    }
    this.#block = this.#blocks;
    this.size = this.at = 0;
    return END;
  }

  /** Moves on by one and returns the slot. */
  next(): number {
    if (++this.at < this.size) return this.slots[this.at]!;
    return this.#block + 1 < this.#blocks ? this.advance(this.#first(this.#block + 1)) : this.advance(END);
  }

  /**
   * The largest count and the smallest length of texts among the postings with slots from `from` to below `to`, or more; no postings
   * there is a count of 0. Does not move past `from`.
   */
  bounds(from: number, to: number, into: Bounds): void {
    into.count = 0;
    into.length = END;
    for (let block = this.#blockAt(from); block < this.#blocks && this.#first(block) < to; block++) {
      if (this.#span(block) > SPARSE * (to - from) && this.advance(from) >= to) return;
      into.count = Math.max(into.count, this.#source.directory[DIRECTORY_FIELDS * block + 2]!);
      into.length = Math.min(into.length, this.#source.directory[DIRECTORY_FIELDS * block + 3]!);
    }
  }

  /** All postings as pairs of slot and count. */
  entries(): Int32Array {
    const entries = new Int32Array(2 * this.texts);
    let filled = 0;
    for (let block = 0; block < this.#blocks; block++) {
      this.#open(block);
      for (let at = 0; at < this.size; at++) {
        entries[filled++] = this.slots[at]!;
        entries[filled++] = this.counts[at]!;
      }
    }
    return entries;
  }

  #first(block: number): number {
    return this.#source.directory[DIRECTORY_FIELDS * block]!;
  }

  /** Slots from a block's first to the next one's. */
  #span(block: number): number {
    return (block + 1 < this.#blocks ? this.#first(block + 1) : END) - this.#first(block);
  }

  /** The last block that begins at or before a slot, from where the walk stands on. */
  #blockAt(slot: number): number {
    let low = Math.max(0, this.#block);
    if (low + 1 >= this.#blocks || this.#first(low + 1) > slot) return low;
    let high = this.#blocks - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#first(middle) <= slot) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #open(block: number): void {
    this.#block = block;
    if (this.#read === block) return;
    this.#read = block;
    const { directory, texts, read } = this.#source;
    this.at = 0;
    this.size = Math.min(BLOCK_POSTINGS, texts - block * BLOCK_POSTINGS);
    const at = DIRECTORY_FIELDS * block;
    const [first, from, shortest, widths] = [directory[at]!, directory[at + 1]!, directory[at + 3]!, directory[at + 4]!];
    const [slotBytes, countBytes, lengthBytes] = [widths & 255, (widths >> 8) & 255, widths >> 16];
    const bytes = read(from, this.size * (slotBytes + countBytes + lengthBytes));
    decode(bytes, { at: 0, width: slotBytes, add: first }, this.slots, this.size);
    decode(bytes, { at: this.size * slotBytes, width: countBytes, add: 0 }, this.counts, this.size);
    decode(bytes, { at: this.size * (slotBytes + countBytes), width: lengthBytes, add: shortest }, this.lengths, this.size);
  }
}

/** A block this many times as wide as a window is looked into, for it may have no posting there. */
const SPARSE = 4;

export interface Bounds {
  count: number;
  length: number;
}

interface Column {
  at: number;
  readonly width: number;
  readonly add: number;
}

function decode(bytes: Uint8Array, { at, width, add }: Column, into: Int32Array, count: number): void {
  if (width === 1) for (let index = 0; index < count; index++) into[index] = add + bytes[at + index]!;
  else if (width === 2) for (let index = 0; index < count; index++, at += 2) into[index] = add + (bytes[at]! | (bytes[at + 1]! << 8));
  else
    for (let index = 0; index < count; index++, at += 4)
      into[index] = add + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
}
