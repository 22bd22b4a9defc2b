// Segments made into one, so that an index of many small changes stays few files; what was removed is left out.
import { join } from "node:path";
import { groupBy } from "../util/group-by.ts";
import type { Postings } from "./inverted-index.ts";
import type { TableDocument } from "./document-table.ts";
import { type NamedSegment, segmentsFolder } from "./manifest.ts";
import { inTermOrder } from "./merge-terms.ts";
import { PageCache } from "./paged-file.ts";
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
  const pages = new PageCache();
  try {
    for (const one of segments)
      opened.push({
        ...one,
        segment: Segment.open({ folder: segmentsFolder(folder), name: one.name, vectors: dimensions !== undefined, lists: false, pages }),
      });
    const merged = await merge(join(segmentsFolder(folder), name), opened, dimensions);
    return merged.documents === 0 ? undefined : { name, removed: [], lists: false, ...merged };
  } finally {
    for (const { segment } of opened) segment[Symbol.dispose]();
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

interface Kept {
  readonly segment: Segment;
  readonly ordinal: number;
}

/** Writes one segment of what is left of several and returns how much that is; nothing is not written. */
async function merge(
  path: string,
  parts: readonly Opened[],
  dimensions: number | undefined,
): Promise<Pick<NamedSegment, "documents" | "passages" | "terms">> {
  const kept = (): Iterable<Kept> => keptDocuments(parts);
  const slots = new Map(parts.map(({ segment }) => [segment, new Int32Array(segment.passages).fill(-1)]));
  const lengths = new Int32Array(parts.reduce((sum, { segment }) => sum + segment.passages, 0));
  let [documents, passages, terms] = [0, 0, 0];
  for (const { segment, ordinal } of kept()) {
    const [first, end] = segment.table.passagesOf(ordinal);
    for (let passage = first; passage < end; passage++, passages++) {
      slots.get(segment)![passage] = passages;
      lengths[passages] = segment.table.passage(passage).length;
      terms += lengths[passages]!;
    }
    documents++;
  }
  if (documents === 0) return { documents, passages, terms };
  await writeSegment(path, {
    documents: tableDocuments(kept()),
    lengths,
    postings: mergedPostings(slots),
    ...(dimensions === undefined ? {} : { vectors: vectorsOf(kept(), dimensions) }),
  });
  return { documents, passages, terms };
}

function* keptDocuments(parts: readonly Opened[]): Iterable<Kept> {
  for (const { segment, removed } of parts) {
    const gone = new Set(removed);
    for (let ordinal = 0; ordinal < segment.documents; ordinal++) if (!gone.has(ordinal)) yield { segment, ordinal };
  }
}

function* tableDocuments(kept: Iterable<Kept>): Iterable<TableDocument> {
  for (const {
    segment: { table },
    ordinal,
  } of kept) {
    const [first, end] = table.passagesOf(ordinal);
    const passages = Array.from({ length: end - first }, (_, index) => table.passage(first + index));
    yield {
      entry: table.entry(ordinal),
      stored: table.line(ordinal),
      starts: Int32Array.from(passages, ({ start }) => start),
      lengths: Int32Array.from(passages, ({ length }) => length),
    };
  }
}

function* vectorsOf(kept: Iterable<Kept>, dimensions: number): Iterable<Float32Array> {
  for (const { segment, ordinal } of kept) yield segment.vectorsOf(ordinal, dimensions);
}

function* mergedPostings(slots: ReadonlyMap<Segment, Int32Array>): Iterable<readonly [string, Postings]> {
  for (const [term, places] of inTermOrder([...slots.keys()])) {
    const entries = new Int32Array(2 * places.reduce((sum, { place }) => sum + place.texts, 0));
    let filled = 0;
    for (const { segment, place } of places) {
      const [to, old] = [slots.get(segment)!, segment.postings.entries(place)];
      for (let at = 0; at < old.length; at += 2) {
        if (to[old[at]!]! < 0) continue;
        entries[filled++] = to[old[at]!]!;
        entries[filled++] = old[at + 1]!;
      }
    }
    yield [term, { entries, length: filled / 2 }];
  }
}
