// Searches of a snapshot over whole arrays of scores, a number a slot. Slots outside the mask cannot be found.
import { innerProducts } from "./exact.ts";
import { best, type Scored } from "./scored.ts";
import type { Snapshot } from "./snapshot.ts";

/** 1 for each slot that may be found. */
export type Mask = Uint8Array;

export interface SlotSearch {
  readonly snapshot: Snapshot;
  readonly mask: Mask;
  readonly k: number;
}

/** The cosine of every passage with a unit vector. */
export async function cosines(snapshot: Snapshot, vector: Float32Array): Promise<Float32Array> {
  const scores = new Float32Array(snapshot.slots);
  for (const { segment, base } of snapshot.parts) scores.set(innerProducts(await segment.vectors(), vector, segment.passages), base);
  return scores;
}

/** The `k` best of the mask with a score greater than `above`. */
export function bestSlots(
  scores: Float32Array | Float64Array,
  { snapshot, mask, k, above = Number.NEGATIVE_INFINITY }: SlotSearch & { readonly above?: number },
): Scored[] {
  const masked = scores.map((score, slot) => (mask[slot] === 1 ? score : Number.NEGATIVE_INFINITY));
  return best(masked, { k, above, idOf: (slot) => snapshot.idOf(slot) });
}

/** As {@link fuseScores} does it, over the mask: the weighted sum of scores standardised to mean 0 and deviation 1. */
export function fuseSlots(scorings: readonly (Float32Array | Float64Array)[], weights: readonly number[], mask: Mask): Float64Array {
  const sums = new Float64Array(mask.length);
  for (const [place, scores] of scorings.entries()) {
    const { mean, deviation } = momentsOf(scores, mask);
    if (!(deviation > 1e-12)) continue;
    const scale = weights[place]! / deviation;
    for (let slot = 0; slot < sums.length; slot++) sums[slot]! += scale * (scores[slot]! - mean);
  }
  return sums;
}

function momentsOf(scores: Float32Array | Float64Array, mask: Mask): { readonly mean: number; readonly deviation: number } {
  let [count, sum] = [0, 0];
  for (let slot = 0; slot < scores.length; slot++) {
    if (mask[slot] === 0) continue;
    count++;
    sum += scores[slot]!;
  }
  const mean = sum / count;
  let squares = 0;
  for (let slot = 0; slot < scores.length; slot++) if (mask[slot] === 1) squares += (scores[slot]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}

/** The vectors of passages that count, as kept. */
export async function vectorsOf(snapshot: Snapshot, ids: readonly string[], dimensions: number): Promise<Float32Array[]> {
  return Promise.all(
    ids.map(async (id) => {
      const slot = snapshot.slotOf(id)!;
      const { segment, base } = snapshot.placeOfSlot(slot).part;
      return (await segment.vectors()).subarray((slot - base) * dimensions, (slot - base + 1) * dimensions);
    }),
  );
}
