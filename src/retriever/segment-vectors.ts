// The vectors of a snapshot's segments, every one compared at every search: exact. Held in memory once searched.
import { innerProducts } from "./exact.ts";
import type { IndexedPassage } from "./passages.ts";
import { best, type Scored } from "./scored.ts";
import type { SideQuery } from "./side.ts";
import type { Snapshot } from "./snapshot.ts";

export interface NearestSlots extends Pick<SideQuery, "k" | "accept"> {
  readonly vector: Float32Array;
}

/** The `k` passages that count with the largest inner product, best first. */
export async function nearestPassages(snapshot: Snapshot, { vector, k, accept }: NearestSlots): Promise<Scored[]> {
  const scores = new Float32Array(snapshot.slots);
  for (const { segment, base } of snapshot.parts) scores.set(innerProducts(await segment.vectors(), vector, segment.passages), base);
  // What does not count is below any cosine.
  for (let slot = 0; slot < scores.length; slot++) if (!snapshot.isLive(slot)) scores[slot] = Number.NEGATIVE_INFINITY;
  return best(scores, { k, idOf: (slot) => snapshot.idOf(slot), accept });
}

/** The vectors of passages that count, as kept. */
export async function vectorsOf(snapshot: Snapshot, passages: readonly IndexedPassage[], dimensions: number): Promise<Float32Array[]> {
  return Promise.all(
    passages.map(async ({ id }) => {
      const slot = snapshot.slotOf(id)!;
      const { segment, base } = snapshot.placeOfSlot(slot).part;
      return (await segment.vectors()).subarray((slot - base) * dimensions, (slot - base + 1) * dimensions);
    }),
  );
}
