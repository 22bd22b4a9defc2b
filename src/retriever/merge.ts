// Segments made into one, so that an index of many small changes stays few files; what was removed is left out.
import { join } from "node:path";
import { groupBy } from "../util/group-by.ts";
import type { Postings } from "./inverted-index.ts";
import { type NamedSegment, segmentsFolder } from "./manifest.ts";
import { inOrder } from "./postings-file.ts";
import { Segment, writeSegment } from "./segment.ts";

type Segments = readonly NamedSegment[];

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
    const due = dueOf(current);
    if (due.length === 0) return current;
    const kept = current.filter((one) => !due.includes(one));
    const merged = await mergeInto(nextName(), { folder, segments: due, dimensions });
    current = merged === undefined ? kept : [...kept, merged];
  }
}

async function mergeInto(
  name: string,
  { folder, segments, dimensions }: Omit<MergeOptions, "nextName">,
): Promise<NamedSegment | undefined> {
  const opened: Opened[] = [];
  try {
    for (const one of segments) opened.push({ ...one, segment: await Segment.open(segmentsFolder(folder), one.name) });
    const { documents, passages } = await merge(join(segmentsFolder(folder), name), opened, dimensions);
    return documents === 0 ? undefined : { name, documents, passages, removed: [] };
  } finally {
    for (const { segment } of opened) await segment[Symbol.asyncDispose]();
  }
}

interface Opened extends Pick<NamedSegment, "removed"> {
  readonly segment: Segment;
}

function dueOf(segments: Segments): Segments {
  const wasteful = segments.find(({ documents, removed }) => 2 * removed.length > documents);
  if (wasteful !== undefined) return [wasteful];
  const levels = groupBy(segments, ({ passages }) =>
    Math.floor(Math.log(Math.max(passages, LOWEST_LEVEL) / LOWEST_LEVEL) / Math.log(AT_ONCE)),
  );
  return [...levels.values()].find((level) => level.length >= AT_ONCE) ?? [];
}

/** Writes one segment of what is left of several and returns how much that is; nothing is not written. */
async function merge(
  path: string,
  parts: readonly Opened[],
  dimensions: number | undefined,
): Promise<Pick<NamedSegment, "documents" | "passages">> {
  const kept = parts.flatMap(({ segment, removed }) => {
    const gone = new Set(removed);
    return segment.documents.flatMap((entry, ordinal) => (gone.has(ordinal) ? [] : [{ entry, segment, ordinal }]));
  });
  if (kept.length === 0) return { documents: 0, passages: 0 };
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
  return { documents: kept.length, passages: total };
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
