// The vectors of a segment as lists around centres, so that a search compares a few lists alone (inverted file: Jégou, Douze and Schmid 2011).
// On disk they are bytes; knows nothing of documents, nor of the exact vectors.
import { join } from "node:path";
import { seededRandom } from "../util/random.ts";
import { innerProducts } from "./exact.ts";
import { type Centres, centreOf, findCentres } from "./k-means.ts";
import { closeAll, openPagedFiles, type PageCache, type PagedFile } from "./paged-file.ts";
import { PieceWriter } from "./piece-writer.ts";

/**
 * Centres as float32 rows; where each list begins (its first vector's number), the count of vectors last, as int32; of each list the
 * places of its vectors (int32), their scales (float32), their rows of bytes; scales and rows of some vectors spread over all of them.
 */
const files = { centres: "centres.bin", firsts: "lists-first.bin", lists: "lists.bin", sample: "sample.bin" } as const;

/** Lists for the root of the count of vectors, and vectors learnt from for each list. */
const LISTS = 2;
const LEARNT_FROM = 32;
/** Vectors whose cosines stand for those of all of them. */
const SAMPLED = 2048;

export interface WriteVectorLists {
  readonly folder: string;
  readonly count: number;
  readonly dimensions: number;
  /** Fills rows with the vectors from `first` on. */
  readonly read: (rows: Float32Array, first: number) => void;
}

/** Writes the lists of unit vectors, about as many as twice the root of their count. */
export function writeVectorLists({ folder, count, dimensions, read }: WriteVectorLists): void {
  const rowsOf = spreadRows({ count, dimensions, read });
  const lists = Math.ceil(LISTS * Math.sqrt(count));
  const centres = findCentres({ sample: rowsOf(LEARNT_FROM * lists), dimensions, count: lists, random: seededRandom(0) });
  const { firsts, places } = placesByList(centres, { count, dimensions, read });
  const columns = (rows: Float32Array): ArrayBufferView[] => {
    const { scales, codes } = encode(rows, dimensions);
    return [scales, codes];
  };
  using listFile = new PieceWriter(join(folder, files.lists));
  for (let list = 0; list + 1 < firsts.length; list++) {
    const own = places.subarray(firsts[list], firsts[list + 1]);
    const rows = new Float32Array(own.length * dimensions);
    own.forEach((place, at) => read(rows.subarray(at * dimensions, (at + 1) * dimensions), place));
    for (const column of [own, ...columns(rows)]) listFile.write(column);
    listFile.write(new Uint8Array(-listFile.bytes & 3));
  }
  listFile.finish();
  for (const [name, columnsOfFile] of [
    [files.sample, columns(rowsOf(SAMPLED))],
    [files.firsts, [firsts]],
    [files.centres, [centres.rows]],
  ] as const) {
    using file = new PieceWriter(join(folder, name));
    for (const column of columnsOfFile) file.write(column);
    file.finish();
  }
}

/** So many vectors, evenly spread over all; all where there are fewer. */
function spreadRows({ count, dimensions, read }: Omit<WriteVectorLists, "folder">): (wanted: number) => Float32Array {
  return (wanted) => {
    const taken = Math.min(wanted, count);
    const rows = new Float32Array(taken * dimensions);
    for (let row = 0; row < taken; row++) read(rows.subarray(row * dimensions, (row + 1) * dimensions), Math.floor((row * count) / taken));
    return rows;
  };
}

const TOGETHER = 256;

function placesByList(centres: Centres, { count, dimensions, read }: Omit<WriteVectorLists, "folder">) {
  const lists = centres.rows.length / dimensions;
  const [list, firsts] = [new Int32Array(count), new Int32Array(lists + 1)];
  for (let from = 0; from < count; from += TOGETHER) {
    const rows = new Float32Array(Math.min(TOGETHER, count - from) * dimensions);
    read(rows, from);
    for (let row = 0; row * dimensions < rows.length; row++) {
      list[from + row] = centreOf(centres, rows.subarray(row * dimensions, (row + 1) * dimensions));
      firsts[list[from + row]! + 1]!++;
    }
  }
  for (let at = 0; at < lists; at++) firsts[at + 1]! += firsts[at]!;
  const next = firsts.slice();
  const places = new Int32Array(count);
  list.forEach((own, place) => (places[next[own]!++] = place));
  return { firsts, places };
}

/** Each row as whole numbers of -127 to 127 times a scale. */
function encode(rows: Float32Array, dimensions: number): { readonly scales: Float32Array; readonly codes: Int8Array } {
  const scales = new Float32Array(rows.length / dimensions);
  const codes = new Int8Array(rows.length);
  for (let row = 0, at = 0; row < scales.length; row++) {
    let most = 0;
    for (let i = 0; i < dimensions; i++) most = Math.max(most, Math.abs(rows[at + i]!));
    const scale = (scales[row] = most / 127 || 1);
    for (let i = 0; i < dimensions; i++, at++) codes[at] = Math.round(rows[at]! / scale);
  }
  return { scales, codes };
}

/** A unit vector as lists are compared with. */
export type ListQuery = Codes;

export const listQuery = (vector: Float32Array): ListQuery => encode(vector, vector.length);

/** The lists of one folder, open until disposed. Centres and sample are held once they were needed: the root of the count, and a constant. */
export class VectorLists implements Disposable {
  readonly #files: { readonly [F in keyof typeof files]: PagedFile };
  #held: Held | undefined;

  constructor(folder: string, pages: PageCache) {
    this.#files = openPagedFiles(folder, files, pages);
  }

  /** The cosine of each list's centre with a unit vector. */
  near(vector: Float32Array): Float32Array {
    const { centres, firsts } = this.#hold(vector.length);
    return innerProducts(centres, vector, firsts.length - 1);
  }

  /** Calls with the place of each vector of a list and its cosine, about; returns how many they are. */
  search(list: number, query: ListQuery, found: (place: number, cosine: number) => void): number {
    const dimensions = query.codes.length;
    const { firsts, starts, room } = this.#hold(dimensions);
    const count = firsts[list + 1]! - firsts[list]!;
    const bytes = room.subarray(0, count * (8 + dimensions));
    this.#files.lists.readInto(bytes, starts[list]!);
    const places = new Int32Array(bytes.buffer, 0, count);
    const cosines = cosinesOf(query, codesIn(bytes, 4 * count, count));
    for (let at = 0; at < count; at++) found(places[at]!, cosines[at]!);
    return count;
  }

  /** About the cosines of so many vectors, or twice as many, spread over all; of at most 2,048. */
  sampledCosines(query: ListQuery, wanted: number): Float64Array {
    const { sample } = this.#hold(query.codes.length);
    return cosinesOf(query, sample, Math.max(1, Math.floor(sample.scales.length / wanted)));
  }

  [Symbol.dispose](): void {
    closeAll(this.#files);
  }

  #hold(dimensions: number): Held {
    if (this.#held !== undefined) return this.#held;
    const whole = (file: PagedFile): Uint8Array => {
      const bytes = new Uint8Array(file.bytes);
      file.readInto(bytes, 0);
      return bytes;
    };
    const sample = whole(this.#files.sample);
    const firsts = new Int32Array(whole(this.#files.firsts).buffer);
    const starts = new Float64Array(firsts.length);
    let largest = 0;
    for (let list = 0; list + 1 < firsts.length; list++) {
      const count = firsts[list + 1]! - firsts[list]!;
      starts[list + 1] = starts[list]! + 4 * Math.ceil((count * (8 + dimensions)) / 4);
      largest = Math.max(largest, count);
    }
    this.#held = {
      centres: new Float32Array(whole(this.#files.centres).buffer),
      firsts,
      starts,
      room: new Uint8Array(largest * (8 + dimensions)),
      sample: codesIn(sample, 0, sample.length / (4 + dimensions)),
    };
    return this.#held;
  }
}

interface Held {
  readonly centres: Float32Array;
  readonly firsts: Int32Array;
  /** Where each list begins in its file. */
  readonly starts: Float64Array;
  /** For one list at a time: searches are synchronous. */
  readonly room: Uint8Array;
  readonly sample: Codes;
}

interface Codes {
  readonly scales: Float32Array;
  readonly codes: Int8Array;
}

/** Of bytes that begin their buffer. */
function codesIn({ buffer, byteLength }: Uint8Array, at: number, count: number): Codes {
  return { scales: new Float32Array(buffer, at, count), codes: new Int8Array(buffer, at + 4 * count, byteLength - at - 4 * count) };
}

/** With every `step`-th row. */
function cosinesOf({ codes: query, scales: [queryScale] }: Codes, { scales, codes }: Codes, step = 1): Float64Array {
  const dimensions = query.length;
  const cosines = new Float64Array(Math.ceil(scales.length / step));
  const even = dimensions - (dimensions % 4);
  for (let row = 0, at = 0; row < scales.length; row += step, at += step * dimensions) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < even; i += 4) {
      a = (a + Math.imul(codes[at + i]!, query[i]!)) | 0;
      b = (b + Math.imul(codes[at + i + 1]!, query[i + 1]!)) | 0;
      c = (c + Math.imul(codes[at + i + 2]!, query[i + 2]!)) | 0;
      d = (d + Math.imul(codes[at + i + 3]!, query[i + 3]!)) | 0;
    }
    for (let i = even; i < dimensions; i++) a = (a + Math.imul(codes[at + i]!, query[i]!)) | 0;
    cosines[row / step] = (a + b + c + d) * scales[row]! * queryScale!;
  }
  return cosines;
}
