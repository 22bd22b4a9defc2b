// Search from the top of an index down: the best documents, in them the best sections, and the passages of these.
import type { Level } from "./levels.ts";
import { placeOf } from "./passages.ts";
import type { Scored } from "./scored.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Descent {
  /** Documents whose sections are looked at. Default: 10. */
  readonly documents?: number;
  /** Sections whose passages are looked at. Default: 20. */
  readonly sections?: number;
}

export interface DescendOptions extends Descent {
  readonly snapshot: Snapshot;
  readonly upper: { readonly [L in Level]: Snapshot };
  /** Documents that may be found. */
  readonly accept: (document: string) => boolean;
  /** The best of a level. */
  readonly rank: (snapshot: Snapshot, mask: Uint8Array, k: number) => Promise<readonly Scored[]>;
}

/** The passages of the best sections of the best documents, as a mask. */
export async function descend({ snapshot, upper, accept, rank, documents = 10, sections = 20 }: DescendOptions): Promise<Uint8Array> {
  const best = await rank(
    upper.document,
    upper.document.mask(({ id }) => accept(id)),
    documents,
  );
  const chosen = new Set(best.map(({ id }) => placeOf(id).document));
  const parts = await rank(
    upper.section,
    upper.section.mask(({ id }) => chosen.has(id)),
    sections,
  );
  const mask = new Uint8Array(snapshot.slots);
  for (const { id } of parts) {
    const { document, start } = placeOf(id);
    const after = upper.section.startsOf(upper.section.find(document)!).find((other) => other > start) ?? Number.POSITIVE_INFINITY;
    include(snapshot, mask, { document, start, end: after });
  }
  return mask;
}

/** Passages that reach into a stretch of a document: each begins before its end, and the next after its start. */
function include(snapshot: Snapshot, mask: Uint8Array, { document, start, end }: { document: string; start: number; end: number }): void {
  const place = snapshot.find(document)!;
  const [first] = snapshot.slotsOf(place);
  const starts = snapshot.startsOf(place);
  starts.forEach((from, index) => {
    const next = starts[index + 1] ?? Number.POSITIVE_INFINITY;
    if (from < end && next > start) mask[first + index] = 1;
  });
}
