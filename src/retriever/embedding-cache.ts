// Embeddings kept by content: those of passages in a file, those of the latest queries in memory. The same passage is never embedded twice.
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { EmbeddingModel, Media } from "../model.ts";
import type { Store } from "../store.ts";
import { sha256 } from "../util/hash.ts";

export interface EmbeddingCache {
  readonly model: EmbeddingModel;
  /** Vectors of passages, in the order given. What was computed stays kept when the signal aborts. */
  passages(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  query(text: string, signal?: AbortSignal): Promise<Float32Array>;
  /** The vector of a picture or a sound, kept as those of passages are. Only of a multi-modal model. */
  media(media: Media, signal?: AbortSignal): Promise<Float32Array>;
}

const HASH_BYTES = 32;
const REMEMBERED_QUERIES = 4096;
/** Texts embedded between two writes: what a crash can cost. */
const WRITTEN_TOGETHER = 64;

const opened = new WeakMap<EmbeddingModel, Map<string, Promise<EmbeddingCache>>>();

/** The cache of a model in a store; one for all who ask, so that a file has one writer. */
export async function embeddingCache(model: EmbeddingModel, store: Store): Promise<EmbeddingCache> {
  const path = await store.path(`embeddings/${sha256(model.key).slice(0, 24)}.bin`);
  const caches = opened.get(model) ?? new Map<string, Promise<EmbeddingCache>>();
  opened.set(model, caches);
  const cache = caches.get(path) ?? openCache(model, path);
  caches.set(path, cache);
  cache.catch(() => caches.delete(path));
  return cache;
}

async function openCache(model: EmbeddingModel, path: string): Promise<EmbeddingCache> {
  const records = await openRecords(path, recordBytes(model.dimensions));
  const embed = async (texts: ReadonlyMap<string, string>, into: Map<string, Float32Array>, signal?: AbortSignal): Promise<void> => {
    const entries = [...texts];
    for (let from = 0; from < entries.length; from += WRITTEN_TOGETHER) {
      signal?.throwIfAborted();
      const batch = entries.slice(from, from + WRITTEN_TOGETHER);
      const vectors = await model.embed(
        batch.map(([, text]) => text),
        signal,
      );
      batch.forEach(([hash], index) => into.set(hash, vectors[index]!));
      await records.keep(batch.map(([hash], index) => [hash, vectors[index]!]));
    }
  };
  return {
    model,
    passages: async (texts, signal) => {
      const hashes = texts.map(hashOf);
      const vectors = await records.read(hashes);
      await embed(new Map(hashes.flatMap((hash, index) => (vectors.has(hash) ? [] : [[hash, texts[index]!]]))), vectors, signal);
      return hashes.map((hash) => vectors.get(hash)!);
    },
    query: rememberedQueries(model),
    media: async (media, signal) => {
      const hash = hashOf(Buffer.concat([Buffer.from(`${media.kind}\n`), media.bytes]));
      const kept = (await records.read([hash])).get(hash);
      if (kept !== undefined) return kept;
      const vector = await model.media!.embed(media, signal);
      await records.keep([[hash, vector]]);
      return vector;
    },
  };
}

interface Records {
  /** Vectors by hash; those not kept are left out. */
  read(hashes: readonly string[]): Promise<Map<string, Float32Array>>;
  keep(vectors: readonly (readonly [hash: string, vector: Float32Array])[]): Promise<void>;
}

async function openRecords(path: string, size: number): Promise<Records> {
  /** The number of each record, by its hash: vectors themselves stay in the file. */
  const kept = await recordNumbers(path, size);
  let writing: Promise<void> = Promise.resolve();
  return {
    read: (hashes) => readVectors(path, new Map(hashes.flatMap((hash) => (kept.has(hash) ? [[hash, kept.get(hash)!]] : []))), size),
    keep: async (vectors) => {
      const records = Buffer.concat(vectors.map(([hash, vector]) => record(hash, vector)));
      writing = writing.then(async () => {
        const first = await appendRecords(path, records, size);
        vectors.forEach(([hash], index) => kept.set(hash, first + index));
      });
      await writing;
    },
  };
}

/** Embeds queries, and remembers the latest. */
export function rememberedQueries(model: EmbeddingModel): EmbeddingCache["query"] {
  const queries = new Map<string, Float32Array>();
  return async (text, signal) => {
    const vector = queries.get(text) ?? (await model.embed([text], signal))[0]!;
    // Deleted and set again, the latest stands last; the first is the one longest unused.
    queries.delete(text);
    queries.set(text, vector);
    if (queries.size > REMEMBERED_QUERIES) queries.delete(queries.keys().next().value!);
    return vector;
  };
}

/** The mean of several texts' vectors as a unit vector; of one, its own. */
export async function meanVector(embed: EmbeddingCache["query"], texts: readonly string[], signal?: AbortSignal): Promise<Float32Array> {
  const vectors: Float32Array[] = [];
  for (const text of texts) vectors.push(await embed(text, signal));
  if (vectors.length === 1) return vectors[0]!;
  const sum = vectors.reduce((total, vector) => total.map((value, index) => value + vector[index]!));
  const length = Math.hypot(...sum);
  return length === 0 ? sum : sum.map((value) => value / length);
}

/** A record is the SHA-256 of the text, then its vector in little-endian float32. */
function record(hash: string, vector: Float32Array): Buffer {
  return Buffer.concat([Buffer.from(hash, "base64"), Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)]);
}

function recordBytes(dimensions: number): number {
  return HASH_BYTES + 4 * dimensions;
}

function hashOf(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("base64");
}

/** The number of each whole record of a file, by hash; one cut short by a crash is left out. */
async function recordNumbers(path: string, size: number): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  await withFile(path, async (file) => {
    const hash = Buffer.alloc(HASH_BYTES);
    const records = Math.floor((await file.stat()).size / size);
    for (let number = 0; number < records; number++) {
      await file.read(hash, 0, HASH_BYTES, number * size);
      numbers.set(hash.toString("base64"), number);
    }
  });
  return numbers;
}

/** The vectors of records by their hashes. A record that another process has put in that place is left out. */
async function readVectors(path: string, numbers: ReadonlyMap<string, number>, size: number): Promise<Map<string, Float32Array>> {
  const vectors = new Map<string, Float32Array>();
  if (numbers.size === 0) return vectors;
  await withFile(path, async (file) => {
    for (const [hash, number] of numbers) {
      const bytes = Buffer.alloc(size);
      await file.read(bytes, 0, size, number * size);
      if (bytes.toString("base64", 0, HASH_BYTES) !== hash) continue;
      const vector = new Float32Array((size - HASH_BYTES) / 4);
      new Uint8Array(vector.buffer).set(bytes.subarray(HASH_BYTES));
      vectors.set(hash, vector);
    }
  });
  return vectors;
}

/** Nothing is done where there is no file. */
async function withFile(path: string, action: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  try {
    if (file !== undefined) await action(file);
  } finally {
    await file?.close();
  }
}

/** Adds records after the last whole one, and returns the number of the first of them. */
async function appendRecords(path: string, records: Buffer, size: number): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a");
  try {
    const { size: bytes } = await file.stat();
    if (bytes % size !== 0) await file.truncate(bytes - (bytes % size));
    await file.appendFile(records);
    return Math.floor(bytes / size);
  } finally {
    await file.close();
  }
}
