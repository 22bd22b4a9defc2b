// Changes to an index folder: documents put in and taken out, all of which count at once when committed. Knows nothing of files or queries.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { mediaNames } from "../media/formats.ts";
import type { EmbeddingModel, MediaKind } from "../model.ts";
import { lockFolder } from "../model/folder-lock.ts";
import { fileSystemStore } from "../store/file-system.ts";
import type { Document } from "../task.ts";
import { type Chunker, type ChunkOptions, chunker, wholeChunk } from "./chunk.ts";
import { type EmbeddingCache, embeddingCache } from "./embedding-cache.ts";
import { IndexTrack } from "./index-track.ts";
import { extractive, type Level, levels, unitsOf } from "./levels.ts";
import { type FolderSettings, type Manifest, ofLevel, readManifest, segmentsFolder, type Sources, writeManifest } from "./manifest.ts";
import { type Metadata, metadataOf } from "./metadata.ts";
import { PageCache } from "./paged-file.ts";
import { documentKey, type IndexedPassage, indexedPassages, textOf } from "./passages.ts";
import type { DocumentEntry, SourceFile, StoredDocument } from "./segment.ts";
import { Snapshot } from "./snapshot.ts";
import type { Summarise } from "./summary.ts";

export interface OpenIndexWriterOptions {
  readonly folder: string;
  readonly chunk: ChunkOptions;
  /** Absent for an index without embeddings. */
  readonly embedding?: { readonly name: string; readonly model: EmbeddingModel } | undefined;
  /** For an index whose searches can descend from documents over sections to passages. Default of `summarise`: key sentences. */
  readonly summaries?: { readonly name: string; readonly summarise?: Summarise } | undefined;
  /** Vectors from which a segment is searched by lists of them: below, comparing every one is as quick. */
  readonly listsFrom?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions {
  /** Laid over what the document itself tells. */
  readonly metadata?: Metadata;
  readonly source?: SourceFile;
  /** Of a document that is a picture or a sound: its file. */
  readonly bytes?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

const unfinished = "unfinished";

/**
 * Opens an index folder for changing, makes it when it is not there, and keeps others from changing it until disposed. What is not
 * committed is lost, but for its embeddings: the next writer finds them.
 * @throws {UserError} when the index was made with other settings.
 */
export async function openIndexWriter({
  folder,
  chunk,
  embedding,
  summaries,
  listsFrom = 8000,
  signal,
}: OpenIndexWriterOptions): Promise<IndexWriter> {
  await mkdir(segmentsFolder(folder), { recursive: true });
  const lock = await lockFolder({ folder, signal });
  try {
    const settings: FolderSettings = {
      chunk,
      ...(summaries && { summaries: summaries.name }),
      ...(embedding && { embedding: { name: embedding.name, key: embedding.model.key, dimensions: embedding.model.dimensions } }),
    };
    const manifest = (await readManifest(folder)) ?? {
      format: 2,
      generation: 0,
      settings,
      sources: { folder: ".", paths: [] },
      segments: [],
    };
    checkSettings(manifest.settings, settings, folder);
    await removeLeftovers(folder, manifest);
    const pages = new PageCache();
    const snapshot = Snapshot.open(folder, manifest, pages);
    const upper: UpperLevel[] = [];
    for (const level of settings.summaries === undefined ? [] : levels)
      upper.push({ level, snapshot: Snapshot.open(folder, ofLevel(manifest, level), pages) });
    const cache = embedding && (await embeddingCache(embedding.model, fileSystemStore(join(folder, unfinished))));
    const summarise = summaries?.summarise ?? extractive;
    return new IndexWriter({ folder, snapshot, upper, lock, cache, chunk: chunker(chunk, embedding?.model), summarise, listsFrom });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

interface Opened {
  readonly folder: string;
  readonly snapshot: Snapshot;
  readonly upper: readonly UpperLevel[];
  readonly lock: AsyncDisposable;
  readonly cache: EmbeddingCache | undefined;
  readonly chunk: Chunker;
  readonly summarise: Summarise;
  readonly listsFrom: number;
}

interface UpperLevel {
  readonly level: Level;
  readonly snapshot: Snapshot;
}

export class IndexWriter implements AsyncDisposable {
  readonly #opened: Opened;
  readonly #passages: IndexTrack;
  readonly #upper: readonly { readonly level: Level; readonly track: IndexTrack }[];
  #named = 0;

  constructor(opened: Opened) {
    this.#opened = opened;
    this.#passages = this.#track(opened.snapshot);
    this.#upper = opened.upper.map(({ level, snapshot }) => ({ level, track: this.#track(snapshot) }));
  }

  /** As last committed. */
  get manifest(): Manifest {
    return this.#opened.snapshot.manifest;
  }

  /** What is known of a document that was committed. */
  entry(id: string): DocumentEntry | undefined {
    const { snapshot } = this.#opened;
    const place = snapshot.find(id);
    return place && snapshot.entry(place);
  }

  /** The ids of all documents, committed or not. */
  ids(): readonly string[] {
    return [...this.#passages.ids()];
  }

  /** How many documents there are, committed or not. */
  get documents(): number {
    return this.#passages.documents;
  }

  /** The pictures and sounds that can be put in: those that the index's model embeds. */
  get mediaKinds(): readonly MediaKind[] {
    return this.#opened.cache?.model.media?.kinds ?? [];
  }

  /**
   * Puts a document in, in place of the one of its id. Passages that the old one has too are not embedded again. Throws Unreadable for a
   * picture or a sound that can't be read; then the old one stays.
   */
  async put(document: Document, { metadata, source, bytes, signal }: PutOptions = {}): Promise<void> {
    const entry = {
      id: document.id,
      title: document.title,
      key: documentKey(document),
      metadata: { ...metadataOf(document), ...(document.media && { media: document.media.kind }), ...metadata },
      ...(document.modified !== undefined && { modified: document.modified }),
      ...(source && { source }),
    };
    const vector = document.media && (await this.#mediaVector(document, bytes, signal));
    const chunks = vector === undefined ? await this.#opened.chunk(document, signal) : [wholeChunk(document)];
    await this.#putInto(this.#passages, { document, entry, chunks, vector, signal });
    // The levels above are known by their summaries: the text is kept once.
    const untold = { ...document, text: "" };
    for (const { level, track } of this.#upper) {
      const units = vector === undefined ? await unitsOf(document, level, this.#opened.summarise, signal) : chunks;
      await this.#putInto(track, { document: vector === undefined ? untold : document, entry, chunks: units, vector, signal });
    }
  }

  /** Takes a document out; whether it was there. */
  async remove(id: string): Promise<boolean> {
    for (const { track } of this.#upper) await track.remove(id);
    return this.#passages.remove(id);
  }

  /**
   * Makes every change count, all at once: a search, or a crash, at any moment finds the index as before or as after. A writer commits
   * once; where nothing changed, nothing is written.
   */
  async commit({ sources, signal }: { readonly sources: Sources; readonly signal?: AbortSignal | undefined }): Promise<Manifest> {
    const { folder } = this.#opened;
    const { settings, generation, sources: before } = this.manifest;
    if (generation > 0 && !this.#passages.changed && JSON.stringify(sources) === JSON.stringify(before)) {
      await this.#removeUnfinished();
      return this.manifest;
    }
    const segments = await this.#passages.finish(signal);
    const upper: Partial<Record<Level, Manifest["segments"]>> = {};
    for (const { level, track } of this.#upper) upper[level] = await track.finish(signal);
    signal?.throwIfAborted();
    const manifest: Manifest = {
      format: 2,
      generation: generation + 1,
      settings,
      sources,
      segments,
      ...(this.#upper.length > 0 && { upper: upper as NonNullable<Manifest["upper"]> }),
    };
    await writeManifest(folder, manifest);
    await removeLeftovers(folder, manifest);
    await this.#removeUnfinished();
    return manifest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { segments } of [this.#opened.snapshot, ...this.#opened.upper.map(({ snapshot }) => snapshot)])
      for (const segment of segments) segment[Symbol.dispose]();
    await this.#opened.lock[Symbol.asyncDispose]();
  }

  #track(snapshot: Snapshot): IndexTrack {
    const dimensions = snapshot.manifest.settings.embedding?.dimensions;
    const nextName = (): string => `${snapshot.manifest.generation + 1}-${++this.#named}`;
    const { folder, listsFrom } = this.#opened;
    return new IndexTrack({ folder, snapshot, dimensions, nextName, listsFrom });
  }

  async #putInto(track: IndexTrack, { document, entry, chunks, vector, signal }: Put): Promise<void> {
    const passages = indexedPassages(document, chunks);
    const vectors = vector === undefined ? await this.#embed(track.snapshot, passages, signal) : [vector];
    await track.put({ document, chunks, passages, vectors, entry: { ...entry, passages: passages.length } });
  }

  /** That of the document's committed version, where it is the same file. */
  async #mediaVector({ id, media }: Document, bytes: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { cache, snapshot } = this.#opened;
    const { kind, sha256 } = media!;
    if (cache === undefined || !this.mediaKinds.includes(kind))
      throw new UserError(`This index has no vectors for a ${mediaNames[kind]}. Index into another folder with a model that embeds them.`);
    const place = snapshot.find(id);
    if (place !== undefined && snapshot.read(place).document.media?.sha256 === sha256)
      return place.part.segment.vectorsOf(place.ordinal, cache.model.dimensions);
    if (bytes === undefined) throw new Error(`The document ${id} is a ${mediaNames[kind]} without its bytes.`);
    return cache.media({ kind, bytes }, signal);
  }

  /** Only what the document's committed version has no vectors of. */
  async #embed(snapshot: Snapshot, passages: readonly IndexedPassage[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const { cache } = this.#opened;
    const [first] = passages;
    if (cache === undefined || first === undefined) return [];
    const known = knownVectors(snapshot, first.document.id, cache.model.dimensions);
    const texts = passages.map(textOf);
    const missing = texts.filter((text) => !known.has(text));
    const embedded = await cache.passages(missing, signal);
    missing.forEach((text, index) => known.set(text, embedded[index]!));
    return texts.map((text) => known.get(text)!);
  }

  /** Embeddings kept for the case that the run was cut off. */
  async #removeUnfinished(): Promise<void> {
    await rm(join(this.#opened.folder, unfinished), { recursive: true, force: true });
  }
}

interface Put extends StoredDocument {
  readonly entry: Omit<DocumentEntry, "passages">;
  /** Of a picture or a sound. */
  readonly vector: Float32Array | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Of the passages of a document, by text. */
function knownVectors(snapshot: Snapshot, id: string, dimensions: number): Map<string, Float32Array> {
  const place = snapshot.find(id);
  if (place === undefined) return new Map();
  const { document, chunks } = snapshot.read(place);
  const rows = place.part.segment.vectorsOf(place.ordinal, dimensions);
  const row = (index: number): Float32Array => rows.subarray(index * dimensions, (index + 1) * dimensions);
  return new Map(indexedPassages(document, chunks).map((passage, index) => [textOf(passage), row(index)]));
}

function checkSettings(kept: FolderSettings, asked: FolderSettings, folder: string): void {
  const described = ({ chunk, embedding, summaries = "none" }: FolderSettings): string =>
    `passages of ${chunk.words} words, ${chunk.overlap} of overlap, cut by ${chunk.method ?? "structure"}, embeddings ${embedding === undefined ? "none" : embedding.name}, summaries ${summaries}`;
  if (described(kept) === described(asked) && kept.embedding?.key === asked.embedding?.key) return;
  throw new UserError(
    `${folder} was made with ${described(kept)}, not ${described(asked)}. Leave the settings as they were, or index into another folder.`,
  );
}

/** Segments that no manifest names: of a run that was cut off, or merged into others. */
async function removeLeftovers(folder: string, { segments, upper }: Manifest): Promise<void> {
  const all = [segments, ...Object.values(upper ?? {})].flat();
  const named = new Set(all.map(({ name }) => name));
  for (const name of await readdir(segmentsFolder(folder))) {
    if (named.has(name)) continue;
    // On some systems a reader keeps its files from being removed: the next writer does it.
    await rm(join(segmentsFolder(folder), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
