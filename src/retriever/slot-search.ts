// Searches of a snapshot by vectors: every passage compared, or those of a few lists alone, and both sides fused. Knows nothing of words.
import { bestBm25, bm25At, bm25Moments, type Bm25Query } from "./best-bm25.ts";
import { innerProducts } from "./exact.ts";
import type { IndexedPassage } from "./passages.ts";
import { BestKept } from "./scored.ts";
import type { Part, Snapshot } from "./snapshot.ts";
import { listQuery } from "./vector-lists.ts";

/** Slots that may be found. */
export interface Scope {
  readonly snapshot: Snapshot;
  /** 1 for each slot that may be found; absent where all that count may. */
  readonly mask?: Uint8Array | undefined;
  /** The slots, where they are few: then each one is scored, and every score is exact. */
  readonly few?: Int32Array | undefined;
}

export interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** Slots up to which every one is compared. */
const FEW = 50_000;

export function scopeOf(snapshot: Snapshot, mask: Uint8Array | undefined, few = FEW): Scope {
  if (mask === undefined) return { snapshot, ...(snapshot.slots <= few && { few: snapshot.live() }) };
  const count = mask.reduce((sum, one) => sum + one, 0);
  if (count > few) return { snapshot, mask };
  const slots = new Int32Array(count);
  for (let slot = mask.indexOf(1), at = 0; slot >= 0; slot = mask.indexOf(1, slot + 1)) slots[at++] = slot;
  return { snapshot, mask, few: slots };
}

export function accepts({ snapshot, mask }: Scope, slot: number): boolean {
  return mask === undefined ? snapshot.counts(slot) : mask[slot] === 1;
}

/** The `k` best by BM25. */
export function lexicalSlots(scope: Scope, query: Bm25Query, k: number): BestKept {
  return bestBm25(query, { k, accepts: (slot) => accepts(scope, slot) });
}

/** Vectors compared of those in lists: so many times the root of their count, and so many for each one that is wanted. */
const COMPARED = 24;
const COMPARED_EACH = 20;
/** Of so many times as many as are wanted, and some more, the cosine is computed exactly. */
const RESCORED = { times: 2, more: 50 } as const;

/** The `k` nearest to a unit vector. */
export function nearestSlots(scope: Scope, vector: Float32Array, k: number): BestKept {
  const { snapshot, few } = scope;
  if (few !== undefined) return bestOf(few, cosinesAt(snapshot, vector, few), scope, k);
  const kept = new BestKept({ k: RESCORED.times * k + RESCORED.more, idOf: slotName });
  const foundIn = (part: Part) => (place: number, cosine: number) => {
    if (cosine >= kept.threshold && accepts(scope, part.base + place)) kept.offer(part.base + place, cosine);
  };
  for (const part of snapshot.parts) if (part.segment.lists === undefined) everyCosine(snapshot, part, vector, foundIn(part));
  const near = snapshot.parts.flatMap((part) => {
    const { lists } = part.segment;
    const found = foundIn(part);
    return lists === undefined ? [] : Array.from(lists.near(vector), (cosine, list) => ({ cosine, list, lists, found }));
  });
  near.sort((one, other) => other.cosine - one.cosine);
  const query = listQuery(vector);
  let left = Math.max(COMPARED * Math.sqrt(snapshot.slots), COMPARED_EACH * k);
  for (const { lists, list, found } of near) if (left > 0) left -= lists.search(list, query, found);
  const slots = Int32Array.from(kept.indexes()).sort();
  return bestOf(slots, cosinesAt(snapshot, vector, slots), scope, k);
}

/** Found by each side, at least, before their scores are fused. */
const FUSED = 200;

/**
 * The `k` best by the weighted sum of both sides' scores, standardised to mean 0 and deviation 1 over what may be found (convex
 * combination: Bruch, Gai and Ingber 2023). In a large scope those best on either side are fused, and the moments are estimated over all slots.
 */
export function fusedSlots(scope: Scope, query: Bm25Query, vector: Float32Array, weights: readonly [number, number], k: number): BestKept {
  const { snapshot, few } = scope;
  const most = Math.max(FUSED, 2 * k);
  const either = (): Set<number> =>
    new Set([...lexicalSlots(scope, query, most).indexes(), ...nearestSlots(scope, vector, most).indexes()]);
  const slots = few ?? Int32Array.from(either()).sort();
  const scorings = [bm25At(query, slots), cosinesAt(snapshot, vector, slots)] as const;
  const moments = few === undefined ? [bm25Moments(query), cosineMoments(snapshot, vector)] : scorings.map(momentsOf);
  return bestOf(slots, standardisedSum(scorings, weights, moments), scope, k);
}

/** As {@link fuseScores} does it: a scoring that tells nothing apart adds nothing. */
function standardisedSum(
  scorings: readonly (Float32Array | Float64Array)[],
  weights: readonly number[],
  moments: readonly Moments[],
): Float64Array {
  const sums = new Float64Array(scorings[0]!.length);
  for (const [place, scores] of scorings.entries()) {
    const { mean, deviation } = moments[place]!;
    if (!(deviation > 1e-12)) continue;
    const scale = weights[place]! / deviation;
    for (let index = 0; index < sums.length; index++) sums[index]! += scale * (scores[index]! - mean);
  }
  return sums;
}

function momentsOf(scores: Float32Array | Float64Array): Moments {
  let [sum, squares] = [0, 0];
  for (const score of scores) sum += score;
  const mean = sum / scores.length;
  for (const score of scores) squares += (score - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / scores.length) };
}

const SAMPLED = 2048;

/** Mean and deviation of the cosines of all slots, from a sample of each segment. */
function cosineMoments(snapshot: Snapshot, vector: Float32Array): Moments {
  let [mean, squares] = [0, 0];
  const query = listQuery(vector);
  for (const { segment, base } of snapshot.parts) {
    const share = segment.passages / snapshot.slots;
    const sampled = Math.ceil(SAMPLED * share);
    const moments = momentsOf(
      segment.lists?.sampledCosines(query, sampled) ?? cosinesAt(snapshot, vector, spread(base, segment.passages, sampled)),
    );
    mean += share * moments.mean;
    squares += share * (moments.deviation ** 2 + moments.mean ** 2);
  }
  return { mean, deviation: Math.sqrt(Math.max(0, squares - mean ** 2)) };
}

/** Slots spread evenly over a segment. */
function spread(base: number, passages: number, wanted: number): Int32Array {
  const taken = Math.min(wanted, passages);
  return Int32Array.from({ length: taken }, (_, index) => base + Math.floor((index * passages) / taken));
}

const TOGETHER = 256;

/** The cosine of each slot's vector with a unit vector; `slots` in order. Those that stand together are compared together. */
function cosinesAt(snapshot: Snapshot, vector: Float32Array, slots: Int32Array): Float32Array {
  const cosines = new Float32Array(slots.length);
  const dimensions = vector.length;
  const held = snapshot.slots <= FEW;
  for (let index = 0; index < slots.length;) {
    const { segment, base } = snapshot.partOf(slots[index]!);
    const [first, end] = [slots[index]! - base, Math.min(base + segment.passages, slots[index]! + TOGETHER)];
    let count = 1;
    while (slots[index + count] === slots[index]! + count && slots[index]! + count < end) count++;
    const rows = held
      ? segment.heldVectors().subarray(first * dimensions, (first + count) * dimensions)
      : new Float32Array(count * dimensions);
    if (!held) segment.vectorsInto(rows, first, dimensions);
    cosines.set(innerProducts(rows, vector, count), index);
    index += count;
  }
  return cosines;
}

/** Every vector of a segment compared. */
function everyCosine(
  snapshot: Snapshot,
  { segment, base }: Part,
  vector: Float32Array,
  found: (place: number, cosine: number) => void,
): void {
  for (let first = 0; first < segment.passages; first += TOGETHER) {
    const slots = Int32Array.from({ length: Math.min(TOGETHER, segment.passages - first) }, (_, row) => base + first + row);
    cosinesAt(snapshot, vector, slots).forEach((cosine, row) => found(first + row, cosine));
  }
}

/** The best of some slots by their scores. */
function bestOf(slots: Int32Array, scores: Float32Array | Float64Array, { snapshot }: Scope, k: number): BestKept {
  const kept = new BestKept({ k, idOf: (slot) => snapshot.idOf(slot) });
  slots.forEach((slot, index) => kept.offer(slot, scores[index]!));
  return kept;
}

/** Equal scores by slots where names would cost reading. */
const slotName = (slot: number): string => String(slot).padStart(10, "0");

/** Of whole arrays of scores by slot: the best above `above` in a scope. */
export function bestScored(scores: Float64Array, scope: Scope, k: number, above: number): BestKept {
  const kept = new BestKept({ k, above, idOf: (slot) => scope.snapshot.idOf(slot) });
  scores.forEach((score, slot) => {
    if (accepts(scope, slot)) kept.offer(slot, score);
  });
  return kept;
}

/** The vectors of passages that count, as kept. */
export function vectorsOf(snapshot: Snapshot, passages: readonly IndexedPassage[], dimensions: number): Float32Array[] {
  return passages.map(({ id }) => {
    const slot = snapshot.slotOf(id)!;
    const { segment, base } = snapshot.partOf(slot);
    const row = new Float32Array(dimensions);
    segment.vectorsInto(row, slot - base, dimensions);
    return row;
  });
}
