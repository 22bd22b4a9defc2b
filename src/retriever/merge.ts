// Segments made into one, so that an index of many small changes stays few files; what was removed is left out.
import { join } from "node:path";
import { groupBy } from "../util/group-by.ts";
import type { Postings } from "./inverted-index.ts";
import { type Manifest, segmentsFolder } from "./manifest.ts";
import { inOrder } from "./postings-file.ts";
import { Segment, writeSegment } from "./segment.ts";

type Segments = Manifest["segments"];

export interface MergeOptions {
  readonly folder: string;
  readonly segments: Segments;
  readonly dimensions: number | undefined;
  /** The name of a new segment. */
  readonly nextName: () => string;
  readonly signal?: AbortSignal | undefined;
}

/** Segments of one level, each level being this many times the size of the one below. */
const AT_ONCE = 8;
const LOWEST_LEVEL = 1000;

/**
 * The segments after merging those that are due: eight of about one size, and any of which most is removed. A passage is so written
 * anew once for each level above it, a number that grows with the logarithm of the index (O'Neil et al. 1996).
 */
export async function mergeSegments({ folder, segments, dimensions, nextName, signal }: MergeOptions): Promise<Segments> {
  for (let current = segments; ;) {
    signal?.throwIfAborted();
    const opened = await Promise.all(
      current.map(async (one) => ({ ...one, segment: await Segment.open(segmentsFolder(folder), one.name) })),
    );
    try {
      const due = dueOf(opened);
      if (due.length === 0) return current;
      const name = nextName();
      const documents = await merge(join(segmentsFolder(folder), name), due, dimensions);
      const kept = current.filter((one) => !due.some((other) => other.name === one.name));
      current = documents === 0 ? kept : [...kept, { name, removed: [] }];
    } finally {
      for (const { segment } of opened) await segment[Symbol.asyncDispose]();
    }
  }
}

interface Opened {
  readonly name: string;
  readonly removed: readonly number[];
  readonly segment: Segment;
}

function dueOf(opened: readonly Opened[]): readonly Opened[] {
  const wasteful = opened.find(({ segment, removed }) => 2 * removed.length > segment.documents.length);
  if (wasteful !== undefined) return [wasteful];
  const levels = groupBy(opened, ({ segment }) =>
    Math.floor(Math.log(Math.max(segment.passages, LOWEST_LEVEL) / LOWEST_LEVEL) / Math.log(AT_ONCE)),
  );
  return [...levels.values()].find((level) => level.length >= AT_ONCE) ?? [];
}

/** Writes one segment of what is left of several and returns how many documents that is; none are not written. */
async function merge(path: string, parts: readonly Opened[], dimensions: number | undefined): Promise<number> {
  const kept = parts.flatMap(({ segment, removed }) => {
    const gone = new Set(removed);
    return segment.documents.flatMap((entry, ordinal) => (gone.has(ordinal) ? [] : [{ entry, segment, ordinal }]));
  });
  if (kept.length === 0) return 0;
  const slots = new Map(parts.map(({ segment }) => [segment, new Int32Array(segment.passages).fill(-1)]));
  const total = kept.reduce((sum, { entry }) => sum + entry.passages, 0);
  const [starts, lengths] = [new Int32Array(total), new Int32Array(total)];
  let slot = 0;
  for (const { segment, ordinal } of kept) {
    for (let passage = segment.firsts[ordinal]!; passage < segment.firsts[ordinal + 1]!; passage++, slot++) {
      slots.get(segment)![passage] = slot;
      starts[slot] = segment.starts[passage]!;
      lengths[slot] = segment.lengths[passage]!;
    }
  }
  const vectors = async function* (size: number): AsyncIterable<Float32Array> {
    for (const { segment, ordinal } of kept) yield await segment.vectorsOf(ordinal, size);
  };
  await writeSegment(path, {
    documents: kept.map(({ entry, segment, ordinal }) => ({ ...entry, stored: () => segment.read(ordinal) })),
    starts,
    lengths,
    postings: mergedPostings(slots),
    ...(dimensions === undefined ? {} : { vectors: vectors(dimensions) }),
  });
  return kept.length;
}

function* mergedPostings(slots: ReadonlyMap<Segment, Int32Array>): Iterable<readonly [string, Postings]> {
  const terms = new Set<string>();
  for (const segment of slots.keys()) for (const term of segment.postings.terms()) terms.add(term);
  for (const term of inOrder(terms)) {
    const entries: number[] = [];
    for (const [segment, places] of slots) {
      const old = segment.postings.entries(term);
      for (let at = 0; at < old.length; at += 2) if (places[old[at]!]! >= 0) entries.push(places[old[at]!]!, old[at + 1]!);
    }
    yield [term, { entries: Int32Array.from(entries), length: entries.length / 2 }];
  }
}
