// An index folder as it stood at one moment: its segments as one, without what was removed. Knows nothing of scores.
import type { Postings, TermIndex } from "./inverted-index.ts";
import { type Manifest, segmentsFolder } from "./manifest.ts";
import { type IndexedPassage, passageId, type PassagePlace, placeOf } from "./passages.ts";
import { type DocumentEntry, Segment, type StoredDocument } from "./segment.ts";

/** A document's place in a snapshot. */
export interface DocumentPlace {
  readonly part: Part;
  readonly ordinal: number;
  readonly entry: DocumentEntry;
}

/** A segment in a snapshot: its passages have the slots from `base` on. */
export interface Part {
  readonly segment: Segment;
  readonly base: number;
  readonly removed: ReadonlySet<number>;
}

/** Passages are known by slots: 0 to `slots` - 1, those of removed documents among them. */
export class Snapshot implements TermIndex {
  readonly manifest: Manifest;
  readonly parts: readonly Part[];
  /** Documents that count, by id. */
  readonly documents: ReadonlyMap<string, DocumentPlace>;
  readonly slots: number;
  readonly size: number;
  readonly totalLength: number;
  readonly #live: Uint8Array;
  readonly #lengths: Int32Array;

  private constructor(manifest: Manifest, segments: readonly Segment[]) {
    this.manifest = manifest;
    this.parts = partsOf(manifest, segments);
    this.slots = segments.reduce((sum, { passages }) => sum + passages, 0);
    this.#live = new Uint8Array(this.slots);
    this.#lengths = new Int32Array(this.slots);
    this.documents = this.#count();
    let [size, totalLength] = [0, 0];
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.#live[slot] === 0) continue;
      size++;
      totalLength += this.#lengths[slot]!;
    }
    this.size = size;
    this.totalLength = totalLength;
  }

  /** Segments that an earlier snapshot holds open are shared with it. */
  static async open(folder: string, manifest: Manifest, earlier: readonly Segment[] = []): Promise<Snapshot> {
    const known = new Map(earlier.map((segment) => [segment.name, segment]));
    const opened: Segment[] = [];
    try {
      for (const { name } of manifest.segments) opened.push(known.get(name) ?? (await Segment.open(segmentsFolder(folder), name)));
    } catch (error) {
      for (const segment of opened) if (!known.has(segment.name)) await segment[Symbol.asyncDispose]();
      throw error;
    }
    return new Snapshot(manifest, opened);
  }

  get segments(): readonly Segment[] {
    return this.parts.map(({ segment }) => segment);
  }

  get version(): number {
    return this.manifest.generation;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot]!;
  }

  /** 1 for each slot whose document counts and is accepted. */
  mask(accept: (entry: DocumentEntry) => boolean = () => true): Uint8Array {
    const mask = this.#live.slice();
    for (const { part, ordinal, entry } of this.documents.values()) {
      if (!accept(entry)) mask.fill(0, part.base + part.segment.firsts[ordinal]!, part.base + part.segment.firsts[ordinal + 1]!);
    }
    return mask;
  }

  postings(term: string): Postings {
    const found = this.parts.map((part) => this.#livePostings(part, term)).filter(({ length }) => length > 0);
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
    const all = new Set<string>();
    for (const { segment } of this.parts) for (const term of segment.postings.terms()) all.add(term);
    for (const term of all) yield [term, this.postings(term)];
  }

  /** The document a slot's passage is of. */
  placeOfSlot(slot: number): DocumentPlace {
    const part = this.#partOf(slot);
    const ordinal = part.segment.documentOf(slot - part.base);
    return { part, ordinal, entry: part.segment.documents[ordinal]! };
  }

  idOf(slot: number): string {
    const { part, entry } = this.placeOfSlot(slot);
    return passageId({ document: entry.id, key: entry.key, start: part.segment.starts[slot - part.base]! });
  }

  /** The slot of a passage that counts. */
  slotOf(id: string): number | undefined {
    const place = placeOf(id);
    const document = this.documents.get(place.document);
    return document === undefined || !document.entry.key.startsWith(place.key) ? undefined : slotIn(document, place);
  }

  async read({ part, ordinal }: DocumentPlace): Promise<StoredDocument> {
    return part.segment.read(ordinal);
  }

  /** A passage that counts, with its document. */
  async passage(id: string): Promise<IndexedPassage | undefined> {
    const slot = this.slotOf(id);
    if (slot === undefined) return undefined;
    const place = this.placeOfSlot(slot);
    const { document, chunks } = await this.read(place);
    return { id, document, chunk: chunks[slot - place.part.base - place.part.segment.firsts[place.ordinal]!]! };
  }

  #partOf(slot: number): Part {
    let low = 0;
    let high = this.parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.parts[middle]!.base <= slot) low = middle;
      else high = middle - 1;
    }
    return this.parts[low]!;
  }

  /** Fills in lengths and which slots count. */
  #count(): ReadonlyMap<string, DocumentPlace> {
    const documents = new Map<string, DocumentPlace>();
    for (const part of this.parts) {
      const { segment, base, removed } = part;
      this.#lengths.set(segment.lengths, base);
      this.#live.fill(1, base, base + segment.passages);
      segment.documents.forEach((entry, ordinal) => {
        if (removed.has(ordinal)) this.#live.fill(0, base + segment.firsts[ordinal]!, base + segment.firsts[ordinal + 1]!);
        else documents.set(entry.id, { part, ordinal, entry });
      });
    }
    return documents;
  }

  #livePostings({ segment, base, removed }: Part, term: string): Postings {
    const entries = segment.postings.entries(term);
    let length = 0;
    for (let at = 0; at < entries.length; at += 2) {
      const slot = entries[at]! + base;
      if (removed.size > 0 && this.#live[slot] === 0) continue;
      entries[2 * length] = slot;
      entries[2 * length + 1] = entries[at + 1]!;
      length++;
    }
    return { entries, length };
  }
}

function partsOf(manifest: Manifest, segments: readonly Segment[]): Part[] {
  let base = 0;
  return segments.map((segment, index) => {
    const part = { segment, base, removed: new Set(manifest.segments[index]!.removed) };
    base += segment.passages;
    return part;
  });
}

function slotIn({ part: { segment, base }, ordinal }: DocumentPlace, { start }: PassagePlace): number | undefined {
  for (let passage = segment.firsts[ordinal]!; passage < segment.firsts[ordinal + 1]!; passage++) {
    if (segment.starts[passage] === start) return base + passage;
  }
  return undefined;
}
