// Changes to an index folder: documents put in and taken out, all of which count at once when committed. Knows nothing of files or queries.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import { lockFolder } from "../model/folder-lock.ts";
import { fileSystemStore } from "../store/file-system.ts";
import type { Document } from "../task.ts";
import { type Chunker, type ChunkOptions, chunker } from "./chunk.ts";
import { type EmbeddingCache, embeddingCache } from "./embedding-cache.ts";
import { InvertedIndex } from "./inverted-index.ts";
import { type FolderSettings, type Manifest, readManifest, segmentsFolder, type Sources, writeManifest } from "./manifest.ts";
import { mergeSegments } from "./merge.ts";
import { type Metadata, metadataOf } from "./metadata.ts";
import { documentKey, type IndexedPassage, indexedPassages, textOf } from "./passages.ts";
import { inOrder } from "./postings-file.ts";
import { type DocumentEntry, type SourceFile, type StoredDocument, writeSegment } from "./segment.ts";
import { Snapshot } from "./snapshot.ts";
import { stemmedTerms } from "./terms.ts";

export interface OpenIndexWriterOptions {
  readonly folder: string;
  readonly chunk: ChunkOptions;
  /** Absent for an index without embeddings. */
  readonly embedding?: { readonly name: string; readonly model: EmbeddingModel } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions {
  /** Laid over what the document itself tells. */
  readonly metadata?: Metadata;
  readonly source?: SourceFile;
  readonly signal?: AbortSignal | undefined;
}

/** Passages held before they are written as a segment. */
const TOGETHER = 20_000;
const unfinished = "unfinished";

interface Pending extends StoredDocument {
  readonly entry: DocumentEntry;
  readonly passages: readonly IndexedPassage[];
}

/**
 * Opens an index folder for changing, makes it when it is not there, and keeps others from changing it until disposed. What is not
 * committed is lost, but for its embeddings: the next writer finds them.
 * @throws {UserError} when the index was made with other settings.
 */
export async function openIndexWriter({ folder, chunk, embedding, signal }: OpenIndexWriterOptions): Promise<IndexWriter> {
  await mkdir(segmentsFolder(folder), { recursive: true });
  const lock = await lockFolder({ folder, signal });
  try {
    const settings: FolderSettings = {
      chunk,
      ...(embedding && { embedding: { name: embedding.name, key: embedding.model.key, dimensions: embedding.model.dimensions } }),
    };
    const manifest = (await readManifest(folder)) ?? {
      format: 1,
      generation: 0,
      settings,
      sources: { folder: ".", paths: [] },
      segments: [],
    };
    checkSettings(manifest.settings, settings, folder);
    await removeLeftovers(folder, manifest);
    const snapshot = await Snapshot.open(folder, manifest);
    const cache = embedding && (await embeddingCache(embedding.model, fileSystemStore(join(folder, unfinished))));
    return new IndexWriter({ folder, snapshot, lock, cache, chunk: chunker(chunk, embedding?.model) });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

interface Opened {
  readonly folder: string;
  readonly snapshot: Snapshot;
  readonly lock: AsyncDisposable;
  readonly cache: EmbeddingCache | undefined;
  readonly chunk: Chunker;
}

export class IndexWriter implements AsyncDisposable {
  readonly #opened: Opened;
  readonly #segments: { readonly name: string; readonly removed: Set<number> }[];
  /** Of every document that counts, or will: its segment, and its place there. */
  readonly #places = new Map<string, { readonly segment: string; readonly ordinal: number }>();
  #pending = new Map<string, Pending>();
  #vectors: Float32Array[] = [];
  #waiting = 0;
  #named = 0;
  #changed = false;

  constructor(opened: Opened) {
    this.#opened = opened;
    this.#segments = opened.snapshot.manifest.segments.map(({ name, removed }) => ({ name, removed: new Set(removed) }));
    for (const [id, { part, ordinal }] of opened.snapshot.documents) this.#places.set(id, { segment: part.segment.name, ordinal });
  }

  /** As last committed. */
  get manifest(): Manifest {
    return this.#opened.snapshot.manifest;
  }

  /** What is known of a document that was committed. */
  entry(id: string): DocumentEntry | undefined {
    return this.#opened.snapshot.documents.get(id)?.entry;
  }

  /** The ids of all documents, committed or not. */
  ids(): readonly string[] {
    return [...this.#places.keys(), ...this.#pending.keys()];
  }

  /** Puts a document in, in place of the one of its id. Passages that the old one has too are not embedded again. */
  async put(document: Document, { metadata, source, signal }: PutOptions = {}): Promise<void> {
    const chunks = await this.#opened.chunk(document, signal);
    const passages = indexedPassages(document, chunks);
    const vectors = await this.#embed(document.id, passages, signal);
    await this.remove(document.id);
    const entry: DocumentEntry = {
      id: document.id,
      title: document.title,
      key: documentKey(document),
      metadata: { ...metadataOf(document), ...metadata },
      passages: passages.length,
      ...(source && { source }),
    };
    this.#pending.set(document.id, { entry, document, chunks, passages });
    this.#vectors.push(...vectors);
    this.#waiting += passages.length;
    if (this.#waiting >= TOGETHER) await this.#flush();
  }

  /** Takes a document out; whether it was there. */
  async remove(id: string): Promise<boolean> {
    if (this.#pending.has(id)) await this.#flush();
    const place = this.#places.get(id);
    if (place === undefined) return false;
    this.#segments.find(({ name }) => name === place.segment)!.removed.add(place.ordinal);
    this.#changed = true;
    return this.#places.delete(id);
  }

  /**
   * Makes every change count, all at once: a search, or a crash, at any moment finds the index as before or as after. A writer commits
   * once; where nothing changed, nothing is written.
   */
  async commit({ sources, signal }: { readonly sources: Sources; readonly signal?: AbortSignal | undefined }): Promise<Manifest> {
    await this.#flush();
    const { folder } = this.#opened;
    const { settings, generation } = this.manifest;
    if (generation > 0 && !this.#changed && JSON.stringify(sources) === JSON.stringify(this.manifest.sources)) {
      await this.#removeUnfinished();
      return this.manifest;
    }
    const segments = await mergeSegments({
      folder,
      segments: this.#segments.map(({ name, removed }) => ({ name, removed: [...removed].sort((a, b) => a - b) })),
      dimensions: settings.embedding?.dimensions,
      nextName: () => this.#nextName(),
      signal,
    });
    signal?.throwIfAborted();
    const manifest: Manifest = { format: 1, generation: generation + 1, settings, sources, segments };
    await writeManifest(folder, manifest);
    await removeLeftovers(folder, manifest);
    await this.#removeUnfinished();
    return manifest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const segment of this.#opened.snapshot.segments) await segment[Symbol.asyncDispose]();
    await this.#opened.lock[Symbol.asyncDispose]();
  }

  async #embed(id: string, passages: readonly IndexedPassage[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const { cache } = this.#opened;
    if (cache === undefined) return [];
    const known = await this.#knownVectors(id);
    const texts = passages.map(textOf);
    const missing = texts.filter((text) => !known.has(text));
    const embedded = await cache.passages(missing, signal);
    missing.forEach((text, index) => known.set(text, embedded[index]!));
    return texts.map((text) => known.get(text)!);
  }

  /** Of the passages of a document's committed version, by text. */
  async #knownVectors(id: string): Promise<Map<string, Float32Array>> {
    const { snapshot, cache } = this.#opened;
    const place = snapshot.documents.get(id);
    if (place === undefined || cache === undefined) return new Map();
    const { dimensions } = cache.model;
    const { document, chunks } = await snapshot.read(place);
    const rows = await place.part.segment.vectorsOf(place.ordinal, dimensions);
    return new Map(
      indexedPassages(document, chunks).map((passage, index) => [
        textOf(passage),
        rows.subarray(index * dimensions, (index + 1) * dimensions),
      ]),
    );
  }

  async #flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const [pending, vectors] = [[...this.#pending.values()], this.#vectors];
    [this.#pending, this.#vectors, this.#waiting] = [new Map(), [], 0];
    const name = this.#nextName();
    const passages = pending.flatMap((one) => one.passages);
    const index = new InvertedIndex();
    for (const passage of passages) index.add(stemmedTerms(textOf(passage)));
    const terms = inOrder(Array.from(index.terms(), ([term]) => term));
    await writeSegment(join(segmentsFolder(this.#opened.folder), name), {
      documents: pending.map(({ entry, document, chunks }) => ({ ...entry, stored: async () => ({ document, chunks }) })),
      starts: Int32Array.from(passages, ({ chunk }) => chunk.start),
      lengths: Int32Array.from(passages, (_, slot) => index.lengthOf(slot)),
      postings: terms.map((term) => [term, index.postings(term)] as const),
      ...(this.#opened.cache && { vectors: each(vectors) }),
    });
    this.#segments.push({ name, removed: new Set() });
    this.#changed = true;
    pending.forEach(({ entry }, ordinal) => this.#places.set(entry.id, { segment: name, ordinal }));
  }

  /** Embeddings kept for the case that the run was cut off. */
  async #removeUnfinished(): Promise<void> {
    await rm(join(this.#opened.folder, unfinished), { recursive: true, force: true });
  }

  #nextName(): string {
    return `${this.manifest.generation + 1}-${++this.#named}`;
  }
}

async function* each(vectors: readonly Float32Array[]): AsyncIterable<Float32Array> {
  yield* vectors;
}

function checkSettings(kept: FolderSettings, asked: FolderSettings, folder: string): void {
  const described = ({ chunk, embedding }: FolderSettings): string =>
    `passages of ${chunk.words} words, ${chunk.overlap} of overlap, cut by ${chunk.method ?? "structure"}, embeddings ${embedding === undefined ? "none" : embedding.name}`;
  if (described(kept) === described(asked) && kept.embedding?.key === asked.embedding?.key) return;
  throw new UserError(
    `${folder} was made with ${described(kept)}, not ${described(asked)}. Leave the settings as they were, or index into another folder.`,
  );
}

/** Segments that no manifest names: of a run that was cut off, or merged into others. */
async function removeLeftovers(folder: string, { segments }: Manifest): Promise<void> {
  const named = new Set(segments.map(({ name }) => name));
  for (const name of await readdir(segmentsFolder(folder))) {
    if (named.has(name)) continue;
    // On some systems a reader keeps its files from being removed: the next writer does it.
    await rm(join(segmentsFolder(folder), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
