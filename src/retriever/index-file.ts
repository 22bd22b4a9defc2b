// The file that a retriever's passages and lexical index are kept in. Written whole or not at all; a broken one counts as absent.
import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../util/atomic.ts";
import type { Chunk } from "./chunk-source.ts";
import type { IndexData } from "./inverted-index.ts";

export interface StoredIndex {
  /** Passages by document id. */
  readonly chunks: { readonly [document: string]: readonly Chunk[] };
  /** Absent for a retriever that has no lexical side. */
  readonly lexical?: IndexData;
}

/** Layout: length of the header in 8 bytes, header as JSON, then `numbers` as little-endian int32. */
interface Header {
  readonly chunks: StoredIndex["chunks"];
  readonly terms?: readonly string[];
  readonly numbers: number;
}

export async function writeIndexFile(path: string, { chunks, lexical }: StoredIndex): Promise<void> {
  const numbers = lexical?.texts ?? new Int32Array(0);
  const header: Header = { chunks, numbers: numbers.length, ...(lexical && { terms: lexical.terms }) };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFileAtomic(path, Buffer.concat([length, json, Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)]));
}

/** What was written, or nothing where there is no whole file. */
export async function readIndexFile(path: string): Promise<StoredIndex | undefined> {
  try {
    const bytes = await readFile(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const { chunks, terms, numbers } = JSON.parse(bytes.toString("utf8", 8, end)) as Header;
    if (bytes.length !== end + 4 * numbers) return undefined;
    const texts = new Int32Array(numbers);
    new Uint8Array(texts.buffer).set(bytes.subarray(end));
    return { chunks, ...(terms && { lexical: { terms, texts } }) };
  } catch (error) {
    // Absent, or not ours: building anew is always right.
    if (
      error instanceof SyntaxError ||
      error instanceof RangeError ||
      (error instanceof Error && "code" in error && error.code === "ENOENT")
    )
      return undefined;
    throw error;
  }
}
