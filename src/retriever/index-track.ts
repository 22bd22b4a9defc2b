// One level of an index while it changes: its segments, what waits to be written, what was taken out.
import { join } from "node:path";
import { storedLine, type TableDocument } from "./document-table.ts";
import { InvertedIndex, type Postings } from "./inverted-index.ts";
import { type NamedSegment, segmentsFolder } from "./manifest.ts";
import { mergeSegments } from "./merge.ts";
import { PageCache } from "./paged-file.ts";
import { type IndexedPassage, textOf } from "./passages.ts";
import { syncFiles } from "./piece-writer.ts";
import { inOrder } from "./postings-file.ts";
import { type DocumentEntry, Segment, type StoredDocument, writeSegment } from "./segment.ts";
import type { Snapshot } from "./snapshot.ts";
import { stemmedTerms } from "../util/terms.ts";
import { writeVectorLists } from "./vector-lists.ts";

export interface TrackOptions {
  readonly folder: string;
  /** As committed last. */
  readonly snapshot: Snapshot;
  /** Of the vectors; absent where nothing is embedded. */
  readonly dimensions: number | undefined;
  /** Vectors from which a segment has lists of them. */
  readonly listsFrom: number;
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

type Segments = readonly (Omit<NamedSegment, "removed"> & { readonly removed: Set<number> })[];

export class IndexTrack {
  readonly #options: TrackOptions;
  #segments: Segments;
  /** Of every document written since: its segment, and its place there. */
  readonly #written = new Map<string, { readonly segment: string; readonly ordinal: number }>();
  #pending = new Map<string, TrackDocument>();
  #waiting = 0;
  #changed = false;

  constructor(options: TrackOptions) {
    this.#options = options;
    this.#segments = options.snapshot.manifest.segments.map(({ removed, ...segment }) => ({ ...segment, removed: new Set(removed) }));
  }

  get changed(): boolean {
    return this.#changed;
  }

  get snapshot(): Snapshot {
    return this.#options.snapshot;
  }

  /** Documents, those that wait among them. */
  get documents(): number {
    return this.#segments.reduce((sum, { documents, removed }) => sum + documents - removed.size, this.#pending.size);
  }

  /** Of every document, those that wait among them. */
  *ids(): Iterable<string> {
    const { snapshot } = this.#options;
    for (const place of snapshot.places())
      if (!this.#removedFrom(place.part.segment.name).has(place.ordinal)) yield snapshot.entry(place).id;
    yield* this.#written.keys();
    yield* this.#pending.keys();
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
    const place = this.#written.get(id) ?? this.#committed(id);
    if (place === undefined) return false;
    this.#removedFrom(place.segment).add(place.ordinal);
    this.#written.delete(id);
    this.#changed = true;
    return true;
  }

  /** Writes what waits and returns the segments that a manifest should name. */
  async finish(signal: AbortSignal | undefined): Promise<readonly NamedSegment[]> {
    await this.#flush();
    const { folder, dimensions, nextName, listsFrom } = this.#options;
    const segments = this.#segments.map(({ removed, ...segment }) => ({ ...segment, removed: [...removed].sort((a, b) => a - b) }));
    const merged = await mergeSegments({ folder, segments, dimensions, nextName, signal });
    if (dimensions === undefined) return merged;
    return Promise.all(merged.map(async (one) => (one.lists || one.passages < listsFrom ? one : withLists(folder, one, dimensions))));
  }

  /** The place of a committed document that was not removed since. */
  #committed(id: string): { readonly segment: string; readonly ordinal: number } | undefined {
    const place = this.#options.snapshot.find(id);
    if (place === undefined || this.#removedFrom(place.part.segment.name).has(place.ordinal)) return undefined;
    return { segment: place.part.segment.name, ordinal: place.ordinal };
  }

  #removedFrom(segment: string): Set<number> {
    return this.#segments.find(({ name }) => name === segment)!.removed;
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
    const lengths = Int32Array.from(passages, (_, slot) => index.lengthOf(slot));
    await writeSegment(join(segmentsFolder(folder), name), {
      documents: tableDocuments(pending, lengths),
      lengths,
      postings: postingsOf(index),
      ...(dimensions !== undefined && { vectors: pending.flatMap(({ vectors }) => vectors) }),
    });
    const written = {
      name,
      documents: pending.length,
      passages: passages.length,
      terms: index.totalLength,
      lists: false,
      removed: new Set<number>(),
    };
    this.#segments = [...this.#segments, written];
    pending.forEach(({ entry }, ordinal) => this.#written.set(entry.id, { segment: name, ordinal }));
  }
}

function* tableDocuments(documents: readonly TrackDocument[], lengths: Int32Array): Iterable<TableDocument> {
  let first = 0;
  for (const { entry, document, chunks } of documents) {
    yield {
      entry,
      stored: storedLine({ document, chunks }),
      starts: Int32Array.from(chunks, ({ start }) => start),
      lengths: lengths.subarray(first, first + chunks.length),
    };
    first += chunks.length;
  }
}

function* postingsOf(index: InvertedIndex): Iterable<readonly [string, Postings]> {
  for (const term of inOrder(Array.from(index.terms(), ([one]) => one))) yield [term, index.postings(term)];
}

/** Gives a segment the lists that searches of many vectors go by; none is read before a manifest says that it has them. */
async function withLists(folder: string, named: NamedSegment, dimensions: number): Promise<NamedSegment> {
  const path = segmentsFolder(folder);
  using segment = Segment.open({ folder: path, name: named.name, vectors: true, lists: false, pages: new PageCache() });
  writeVectorLists({
    folder: join(path, named.name),
    count: segment.passages,
    dimensions,
    read: (rows, first) => segment.vectorsInto(rows, first, dimensions),
  });
  await syncFiles(join(path, named.name));
  return { ...named, lists: true };
}
