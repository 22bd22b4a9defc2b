// One level of an index while it changes: its segments, what waits to be written, what was taken out.
import { join } from "node:path";
import { InvertedIndex } from "./inverted-index.ts";
import { type NamedSegment, segmentsFolder } from "./manifest.ts";
import { mergeSegments } from "./merge.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import { inOrder } from "./postings-file.ts";
import { type DocumentEntry, type StoredDocument, writeSegment } from "./segment.ts";
import type { Snapshot } from "./snapshot.ts";
import { stemmedTerms } from "../util/terms.ts";

export interface TrackOptions {
  readonly folder: string;
  /** As committed last. */
  readonly snapshot: Snapshot;
  /** Of the vectors; absent where nothing is embedded. */
  readonly dimensions: number | undefined;
  /** The name of a new segment. */
  readonly nextName: () => string;
}

export interface TrackDocument extends StoredDocument {
  readonly entry: DocumentEntry;
  readonly passages: readonly IndexedPassage[];
  /** Of each passage, where anything is embedded. */
  readonly vectors: readonly Float32Array[];
}

/** Passages held before they are written as a segment. */
const TOGETHER = 20_000;

export class IndexTrack {
  readonly #options: TrackOptions;
  readonly #segments: (Omit<NamedSegment, "removed"> & { readonly removed: Set<number> })[];
  /** Of every document that is written and counts, or will: its segment, and its place there. */
  readonly #places = new Map<string, { readonly segment: string; readonly ordinal: number }>();
  #pending = new Map<string, TrackDocument>();
  #waiting = 0;
  #changed = false;

  constructor(options: TrackOptions) {
    this.#options = options;
    const { manifest, documents } = options.snapshot;
    this.#segments = manifest.segments.map(({ removed, ...segment }) => ({ ...segment, removed: new Set(removed) }));
    for (const [id, { part, ordinal }] of documents) this.#places.set(id, { segment: part.segment.name, ordinal });
  }

  get changed(): boolean {
    return this.#changed;
  }

  get snapshot(): Snapshot {
    return this.#options.snapshot;
  }

  ids(): readonly string[] {
    return [...this.#places.keys(), ...this.#pending.keys()];
  }

  async put(document: TrackDocument): Promise<void> {
    await this.remove(document.entry.id);
    this.#pending.set(document.entry.id, document);
    this.#waiting += document.passages.length;
    this.#changed = true;
    if (this.#waiting >= TOGETHER) await this.#flush();
  }

  /** Whether it was there. */
  async remove(id: string): Promise<boolean> {
    if (this.#pending.has(id)) await this.#flush();
    const place = this.#places.get(id);
    if (place === undefined) return false;
    this.#segments.find(({ name }) => name === place.segment)!.removed.add(place.ordinal);
    this.#changed = true;
    return this.#places.delete(id);
  }

  /** Writes what waits and returns the segments that a manifest should name. */
  async finish(signal: AbortSignal | undefined): Promise<readonly NamedSegment[]> {
    await this.#flush();
    const { folder, dimensions, nextName } = this.#options;
    const segments = this.#segments.map(({ removed, ...segment }) => ({ ...segment, removed: [...removed].sort((a, b) => a - b) }));
    return mergeSegments({ folder, segments, dimensions, nextName, signal });
  }

  async #flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const pending = [...this.#pending.values()];
    [this.#pending, this.#waiting] = [new Map(), 0];
    const { folder, dimensions, nextName } = this.#options;
    const name = nextName();
    const passages = pending.flatMap((one) => one.passages);
    const index = new InvertedIndex();
    for (const passage of passages) index.add(stemmedTerms(textOf(passage)));
    const terms = inOrder(Array.from(index.terms(), ([term]) => term));
    await writeSegment(join(segmentsFolder(folder), name), {
      documents: pending.map(({ entry, document, chunks }) => ({ ...entry, stored: async () => ({ document, chunks }) })),
      starts: Int32Array.from(passages, ({ chunk }) => chunk.start),
      lengths: Int32Array.from(passages, (_, slot) => index.lengthOf(slot)),
      postings: terms.map((term) => [term, index.postings(term)] as const),
      ...(dimensions !== undefined && { vectors: each(pending) }),
    });
    this.#segments.push({ name, documents: pending.length, passages: passages.length, removed: new Set() });
    pending.forEach(({ entry }, ordinal) => this.#places.set(entry.id, { segment: name, ordinal }));
  }
}

async function* each(documents: readonly TrackDocument[]): AsyncIterable<Float32Array> {
  for (const { vectors } of documents) yield* vectors;
}
