// An index folder as it stood at one moment: its segments as one, without what was removed. Knows nothing of scores.
import type { Postings, TermIndex } from "./inverted-index.ts";
import { type Manifest, segmentsFolder } from "./manifest.ts";
import { inTermOrder } from "./merge-terms.ts";
import type { PageCache } from "./paged-file.ts";
import { type IndexedPassage, passageId, type PassagePlace, placeOf } from "./passages.ts";
import { END } from "./postings-blocks.ts";
import { type DocumentEntry, Segment, type StoredDocument } from "./segment.ts";

/** A document's place in a snapshot. */
export interface DocumentPlace {
  readonly part: Part;
  readonly ordinal: number;
}

/** A segment in a snapshot: its passages have the slots from `base` on. */
export interface Part {
  readonly segment: Segment;
  readonly base: number;
  /** Documents that no longer count. */
  readonly removed: ReadonlySet<number>;
  /** Their passages in order, and a bit for each; of a segment that lost nothing there are no bits. */
  readonly gone: Int32Array;
  readonly goneBits: Uint8Array | undefined;
}

const REMEMBERED_TERMS = 10_000;

/** Passages are known by slots: 0 to `slots` - 1, those of removed documents among them. */
export class Snapshot implements TermIndex {
  readonly manifest: Manifest;
  readonly parts: readonly Part[];
  /** Documents that count. */
  readonly documents: number;
  readonly slots: number;
  readonly size: number;
  readonly totalLength: number;
  readonly #texts = new Map<string, number>();
  #live: Int32Array | undefined;

  private constructor(manifest: Manifest, segments: readonly Segment[]) {
    this.manifest = manifest;
    this.parts = partsOf(manifest, segments);
    let [documents, slots, size, totalLength] = [0, 0, 0, 0];
    for (const [index, { segment, removed, gone }] of this.parts.entries()) {
      documents += segment.documents - removed.size;
      slots += segment.passages;
      size += segment.passages - gone.length;
      totalLength += manifest.segments[index]!.terms;
      for (const passage of gone) totalLength -= segment.table.passage(passage).length;
    }
    [this.documents, this.slots, this.size, this.totalLength] = [documents, slots, size, totalLength];
  }

  /** Segments that an earlier snapshot holds open are shared with it. */
  static open(folder: string, manifest: Manifest, pages: PageCache, earlier: readonly Segment[] = []): Snapshot {
    const known = new Map(earlier.map((segment) => [segment.name, segment]));
    const opened: Segment[] = [];
    try {
      const shared = { folder: segmentsFolder(folder), vectors: manifest.settings.embedding !== undefined, pages };
      for (const { name, lists } of manifest.segments) opened.push(known.get(name) ?? Segment.open({ ...shared, name, lists }));
      return new Snapshot(manifest, opened);
    } catch (error) {
      for (const segment of opened) if (!known.has(segment.name)) segment[Symbol.dispose]();
      throw error;
    }
  }

  get segments(): readonly Segment[] {
    return this.parts.map(({ segment }) => segment);
  }

  get version(): number {
    return this.manifest.generation;
  }

  /** Where the document of an id is, if it counts. */
  find(id: string): DocumentPlace | undefined {
    for (const part of this.parts) {
      const ordinal = part.segment.table.find(id);
      if (ordinal !== undefined && !part.removed.has(ordinal)) return { part, ordinal };
    }
    return undefined;
  }

  /** Every document that counts. */
  *places(): Iterable<DocumentPlace> {
    for (const part of this.parts)
      for (let ordinal = 0; ordinal < part.segment.documents; ordinal++) if (!part.removed.has(ordinal)) yield { part, ordinal };
  }

  entry({ part, ordinal }: DocumentPlace): DocumentEntry {
    return part.segment.table.entry(ordinal);
  }

  read({ part, ordinal }: DocumentPlace): StoredDocument {
    return part.segment.table.read(ordinal);
  }

  /** The first slot of a document's passages, and the one after its last. */
  slotsOf({ part, ordinal }: DocumentPlace): readonly [number, number] {
    const [first, end] = part.segment.table.passagesOf(ordinal);
    return [part.base + first, part.base + end];
  }

  /** Where each passage of a document begins. */
  startsOf(place: DocumentPlace): number[] {
    const [first, end] = place.part.segment.table.passagesOf(place.ordinal);
    return Array.from({ length: end - first }, (_, index) => place.part.segment.table.passage(first + index).start);
  }

  /** Whether the document of a slot counts. */
  counts(slot: number): boolean {
    const { goneBits, base } = this.partOf(slot);
    return goneBits === undefined || !isGone(goneBits, slot - base);
  }

  /** The slots that count, in order. */
  live(): Int32Array {
    this.#live ??= Int32Array.from({ length: this.slots }, (_, slot) => slot).filter((slot) => this.counts(slot));
    return this.#live;
  }

  /** 1 for each slot whose document counts and is accepted. */
  mask(accept: (entry: DocumentEntry) => boolean): Uint8Array {
    const mask = new Uint8Array(this.slots);
    for (const place of this.places()) if (accept(this.entry(place))) mask.fill(1, ...this.slotsOf(place));
    return mask;
  }

  lengthOf(slot: number): number {
    const { segment, base } = this.partOf(slot);
    return segment.table.passage(slot - base).length;
  }

  /** Passages that count and hold a term. */
  texts(term: string): number {
    const known = this.#texts.get(term);
    if (known !== undefined) return known;
    const texts = this.parts.reduce((sum, part) => sum + liveTexts(part, term), 0);
    if (this.#texts.size >= REMEMBERED_TERMS) this.#texts.clear();
    this.#texts.set(term, texts);
    return texts;
  }

  postings(term: string): Postings {
    const found = this.parts.map((part) => livePostings(part, term));
    if (found.length === 1) return found[0]!;
    const length = found.reduce((sum, one) => sum + one.length, 0);
    const entries = new Int32Array(2 * length);
    let at = 0;
    for (const one of found) {
      entries.set(one.entries.subarray(0, 2 * one.length), at);
      at += 2 * one.length;
    }
    return { entries, length };
  }

  *terms(): Iterable<readonly [string, Postings]> {
    for (const [term] of inTermOrder(this.segments)) yield [term, this.postings(term)];
  }

  idOf(slot: number): string {
    const { segment, base } = this.partOf(slot);
    const { document, start } = segment.table.passage(slot - base);
    const { id, key } = segment.table.entry(document);
    return passageId({ document: id, key, start });
  }

  /** The slot of a passage that counts. */
  slotOf(id: string): number | undefined {
    const place = placeOf(id);
    const document = this.find(place.document);
    return document === undefined || !this.entry(document).key.startsWith(place.key) ? undefined : this.#slotIn(document, place);
  }

  /** A passage that counts, with its document. */
  passage(id: string): IndexedPassage | undefined {
    const slot = this.slotOf(id);
    if (slot === undefined) return undefined;
    const part = this.partOf(slot);
    const place = { part, ordinal: part.segment.table.passage(slot - part.base).document };
    const { document, chunks } = this.read(place);
    return { id, document, chunk: chunks[slot - this.slotsOf(place)[0]]! };
  }

  partOf(slot: number): Part {
    let low = 0;
    let high = this.parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.parts[middle]!.base <= slot) low = middle;
      else high = middle - 1;
    }
    return this.parts[low]!;
  }

  #slotIn(document: DocumentPlace, { start }: PassagePlace): number | undefined {
    const index = this.startsOf(document).indexOf(start);
    return index < 0 ? undefined : this.slotsOf(document)[0] + index;
  }
}

function partsOf(manifest: Manifest, segments: readonly Segment[]): Part[] {
  let base = 0;
  return segments.map((segment, index) => {
    const removed = manifest.segments[index]!.removed;
    const gone = Int32Array.from(
      removed.flatMap((ordinal) => {
        const [first, end] = segment.table.passagesOf(ordinal);
        return Array.from({ length: end - first }, (_, at) => first + at);
      }),
    );
    const goneBits = gone.length === 0 ? undefined : new Uint8Array(Math.ceil(segment.passages / 8));
    if (goneBits !== undefined) for (const passage of gone) goneBits[passage >> 3]! |= 1 << (passage & 7);
    const part = { segment, base, removed: new Set(removed), gone, goneBits };
    base += segment.passages;
    return part;
  });
}

const isGone = (bits: Uint8Array, passage: number): boolean => (bits[passage >> 3]! & (1 << (passage & 7))) !== 0;

function liveTexts({ segment, gone }: Part, term: string): number {
  const place = segment.postings.find(term);
  if (place === undefined) return 0;
  if (gone.length === 0) return place.texts;
  const cursor = segment.postings.cursor(place);
  let texts = place.texts;
  let slot = -1;
  for (const passage of gone) {
    if (slot < passage) slot = cursor.advance(passage);
    if (slot === END) break;
    if (slot === passage) texts--;
  }
  return texts;
}

function livePostings({ segment, base, goneBits }: Part, term: string): Postings {
  const place = segment.postings.find(term);
  if (place === undefined) return { entries: new Int32Array(0), length: 0 };
  const entries = segment.postings.entries(place);
  let length = 0;
  for (let at = 0; at < entries.length; at += 2) {
    if (goneBits !== undefined && isGone(goneBits, entries[at]!)) continue;
    entries[2 * length] = entries[at]! + base;
    entries[2 * length + 1] = entries[at + 1]!;
    length++;
  }
  return { entries, length };
}
