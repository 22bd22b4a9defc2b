// Embeddings kept by content: those of passages in a file, those of the latest queries in memory. The same passage is never embedded twice.
import { createHash } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { EmbeddingModel } from "../model.ts";
import type { Store } from "../store.ts";
import { sha256 } from "../util/hash.ts";

export interface EmbeddingCache {
  readonly model: EmbeddingModel;
  /** Vectors of passages, in the order given. What was computed stays kept when the signal aborts. */
  passages(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  query(text: string, signal?: AbortSignal): Promise<Float32Array>;
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
  const kept = await readRecords(path, model.dimensions);
  let writing: Promise<void> = Promise.resolve();

  const embedMissing = async (missing: ReadonlyMap<string, string>, signal?: AbortSignal): Promise<void> => {
    const entries = [...missing];
    for (let from = 0; from < entries.length; from += WRITTEN_TOGETHER) {
      signal?.throwIfAborted();
      const batch = entries.slice(from, from + WRITTEN_TOGETHER);
      const vectors = await model.embed(
        batch.map(([, text]) => text),
        signal,
      );
      batch.forEach(([hash], index) => kept.set(hash, vectors[index]!));
      const records = Buffer.concat(batch.map(([hash], index) => record(hash, vectors[index]!)));
      writing = writing.then(() => appendRecords(path, records, recordBytes(model.dimensions)));
      await writing;
    }
  };

  return {
    model,
    passages: async (texts, signal) => {
      const hashes = texts.map(hashOf);
      const missing = new Map(hashes.flatMap((hash, index) => (kept.has(hash) ? [] : [[hash, texts[index]!] as const])));
      await embedMissing(missing, signal);
      return hashes.map((hash) => kept.get(hash)!);
    },
    query: rememberedQueries(model),
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

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** The whole records of a file; one cut short by a crash is left out. */
async function readRecords(path: string, dimensions: number): Promise<Map<string, Float32Array>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const size = recordBytes(dimensions);
  const records = new Map<string, Float32Array>();
  for (let at = 0; at + size <= bytes.length; at += size) {
    const vector = new Float32Array(dimensions);
    new Uint8Array(vector.buffer).set(bytes.subarray(at + HASH_BYTES, at + size));
    records.set(bytes.toString("base64", at, at + HASH_BYTES), vector);
  }
  return records;
}

/** Adds records after the last whole one. */
async function appendRecords(path: string, records: Buffer, size: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a");
  try {
    const { size: bytes } = await file.stat();
    if (bytes % size !== 0) await file.truncate(bytes - (bytes % size));
    await file.appendFile(records);
  } finally {
    await file.close();
  }
}
