// BM25 over a snapshot without scoring all of it: stretches that cannot hold one of the best are skipped.
import type { Bm25Options } from "./bm25.ts";
import type { WeightedTerms } from "./feedback.ts";
import { type Bounds, END, type PostingsCursor } from "./postings-blocks.ts";
import { BestKept } from "./scored.ts";
import type { Moments } from "./slot-search.ts";
import type { Part, Snapshot } from "./snapshot.ts";

/** A query's terms with the weight of each: how often it is asked for times its idf. */
export interface Bm25Query {
  readonly snapshot: Snapshot;
  readonly weights: readonly (readonly [term: string, weight: number])[];
  readonly k1: number;
  readonly b: number;
  readonly meanLength: number;
}

/** Slots that are scored or skipped together. */
const WINDOW = 256;
/** A window in so many is scored for {@link bm25Moments}. */
const SAMPLED = 16;
/** Bounds and scores are summed with different roundings. */
const SLACK = 1 + 1e-9;

/** The scores that {@link bm25Scores} gives, to be had in part. */
export function bm25Query(
  snapshot: Snapshot,
  terms: readonly string[] | WeightedTerms,
  { k1 = 0.9, b = 0.4 }: Bm25Options = {},
): Bm25Query {
  const asked: Iterable<readonly [string, number]> =
    terms instanceof Map ? terms : (terms as readonly string[]).map((term) => [term, 1] as const);
  const weights = Array.from(asked, ([term, weight]) => {
    const texts = snapshot.texts(term);
    return [term, weight * Math.log(1 + (snapshot.size - texts + 0.5) / (texts + 0.5))] as const;
  });
  return {
    snapshot,
    weights: weights.filter(([, weight]) => weight > 0),
    k1,
    b,
    meanLength: snapshot.totalLength / Math.max(1, snapshot.size),
  };
}

export interface BestBm25 {
  readonly k: number;
  readonly accepts: (slot: number) => boolean;
}

/**
 * The `k` best of the accepted slots that hold a term. Windows of slots are skipped whose largest counts and smallest lengths of texts
 * show that none in them scores enough; in the others, terms that could not lift a slot among the best by themselves are looked up only
 * for slots that hold other terms (MaxScore: Turtle and Flood 1995, with bounds of blocks as Ding and Suel 2011).
 */
export function bestBm25(query: Bm25Query, { k, accepts }: BestBm25): BestKept {
  const kept = new BestKept({ k, above: 0, idOf: (slot) => query.snapshot.idOf(slot) });
  for (const part of query.snapshot.parts) {
    const window = windowOf(query, part);
    for (let from = 0; from < part.segment.passages; from += WINDOW) {
      const to = Math.min(from + WINDOW, part.segment.passages);
      const bound = boundOf(query, window.terms, from, to) * SLACK;
      if (bound === 0 || bound < kept.threshold) continue;
      const rest = chooseEssential(window.terms, kept.threshold);
      scoreWindow(query, window, from, to);
      for (const index of window.touched.subarray(0, window.count)) {
        if ((window.told[index]! + rest) * SLACK < kept.threshold || !accepts(part.base + from + index)) continue;
        for (const term of window.terms) if (!term.essential) term.scores[index] = lookedUp(query, term, from + index);
        kept.offer(part.base + from + index, scoreAt(window.terms, index));
      }
      clear(window);
    }
  }
  return kept;
}

/** Terms that together cannot reach the threshold are not essential; returns the sum of their bounds. */
function chooseEssential(terms: readonly WindowTerm[], threshold: number): number {
  let rest = 0;
  for (const term of terms.toSorted((one, other) => one.bound - other.bound)) {
    term.essential = (rest + term.bound) * SLACK >= threshold;
    if (!term.essential) rest += term.bound;
  }
  return rest;
}

/** In the query's order: sums are then those of {@link bm25Scores}, to the last bit. */
function scoreAt(terms: readonly WindowTerm[], index: number): number {
  let sum = 0;
  for (const { scores } of terms) sum += scores[index]!;
  return sum;
}

/** The scores of some slots, which must be in order. */
export function bm25At(query: Bm25Query, slots: Int32Array): Float64Array {
  const scores = new Float64Array(slots.length);
  for (const part of query.snapshot.parts) {
    const end = part.base + part.segment.passages;
    for (const { cursor, weight } of termsIn(query, part)) {
      for (let index = firstAt(slots, part.base), at = -1; index < slots.length && slots[index]! < end && at !== END; index++) {
        const slot = slots[index]! - part.base;
        if (at < slot) at = cursor.advance(slot);
        if (at === slot) scores[index]! += scoreOf(query, weight, cursor.counts[cursor.at]!, cursor.lengths[cursor.at]!);
      }
    }
  }
  return scores;
}

/** Mean and deviation of the scores of all slots, from some windows spread evenly over them. */
export function bm25Moments(query: Bm25Query): Moments {
  let [count, sum, squares] = [0, 0, 0];
  for (const part of query.snapshot.parts) {
    const window = windowOf(query, part);
    for (let from = 0; from < part.segment.passages; from += SAMPLED * WINDOW) {
      const to = Math.min(from + WINDOW, part.segment.passages);
      scoreWindow(query, window, from, to);
      count += to - from;
      for (const index of window.touched.subarray(0, window.count)) {
        sum += window.told[index]!;
        squares += window.told[index]! ** 2;
      }
      clear(window);
    }
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean ** 2)) };
}

/** A term in a segment, with what it gives to each slot of a window. */
interface WindowTerm {
  readonly cursor: PostingsCursor;
  readonly weight: number;
  readonly scores: Float64Array;
  /** What it can give in the window, at most. */
  bound: number;
  essential: boolean;
}

/** Scores of the slots of a window by the essential terms: of those that are touched, `count` of them, the others are 0. */
interface Window {
  readonly terms: readonly WindowTerm[];
  readonly told: Float64Array;
  readonly touched: Int32Array;
  count: number;
}

function windowOf(query: Bm25Query, part: Part): Window {
  return { terms: termsIn(query, part), told: new Float64Array(WINDOW), touched: new Int32Array(WINDOW), count: 0 };
}

function clear(window: Window): void {
  for (let at = 0; at < window.count; at++) {
    const index = window.touched[at]!;
    window.told[index] = 0;
    for (const { scores } of window.terms) scores[index] = 0;
  }
  window.count = 0;
}

function termsIn({ weights }: Bm25Query, { segment }: Part): WindowTerm[] {
  return weights.flatMap(([term, weight]) => {
    const place = segment.postings.find(term);
    if (place === undefined) return [];
    return [{ cursor: segment.postings.cursor(place), weight, scores: new Float64Array(WINDOW), bound: 0, essential: true }];
  });
}

const bounds: Bounds = { count: 0, length: 0 };

function boundOf(query: Bm25Query, terms: readonly WindowTerm[], from: number, to: number): number {
  let sum = 0;
  for (const term of terms) {
    term.cursor.bounds(from, to, bounds);
    term.bound = bounds.count === 0 ? 0 : scoreOf(query, term.weight, bounds.count, bounds.length);
    sum += term.bound;
  }
  return sum;
}

/** Touched slots come in order. */
function scoreWindow({ k1, b, meanLength }: Bm25Query, window: Window, from: number, to: number): void {
  const { terms, told, touched } = window;
  for (const { essential, cursor, weight, scores } of terms) {
    if (!essential) continue;
    const { slots, counts, lengths } = cursor;
    for (let slot = cursor.advance(from); slot < to; slot = cursor.next()) {
      let at = cursor.at;
      for (; at < cursor.size && slots[at]! < to; at++) {
        const index = slots[at]! - from;
        const count = counts[at]!;
        const score = (weight * count) / (count + k1 * (1 - b + (b * lengths[at]!) / meanLength));
        if (told[index] === 0) touched[window.count++] = index;
        told[index]! += score;
        scores[index] = score;
      }
      cursor.at = at - 1;
    }
  }
  touched.subarray(0, window.count).sort();
}

/** What a term gives to a slot; slots are asked for in order. */
function lookedUp(query: Bm25Query, { cursor, weight }: WindowTerm, slot: number): number {
  return cursor.advance(slot) === slot ? scoreOf(query, weight, cursor.counts[cursor.at]!, cursor.lengths[cursor.at]!) : 0;
}

function scoreOf({ k1, b, meanLength }: Bm25Query, weight: number, count: number, length: number): number {
  return (weight * count) / (count + k1 * (1 - b + (b * length) / meanLength));
}

/** The first index whose value is at least `value`. */
function firstAt(values: Int32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
