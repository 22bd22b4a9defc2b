// What learning a BPE vocabulary counts: the pieces of texts, and neighbouring symbols in them, kept up to date from merge to merge.
import { createHeap, type Heap } from "./heap.ts";
import { preTokenise, type PreTokeniserName } from "./pre-tokenise.ts";

export interface CountPiecesOptions {
  readonly texts: Iterable<string>;
  /** Nothing is counted over these. */
  readonly markers: readonly string[];
  readonly preTokeniser: PreTokeniserName;
}

/** How often each piece stands in the texts, in the order in which they are first met. */
export function countPieces({ texts, markers, preTokeniser }: CountPiecesOptions): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const parts = markers.reduce<string[]>((pieces, marker) => pieces.flatMap((piece) => piece.split(marker)), [text]);
    for (const piece of parts.flatMap((part) => preTokenise(part, preTokeniser))) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return counts;
}

/** A piece as symbols, and how often it stands in the texts. Merging changes the symbols in place. */
export interface Word {
  readonly symbols: number[];
  readonly count: number;
}

/** Two symbols side by side as one number: left * PAIR + right. */
const PAIR = 2 ** 24;

export function sidesOf(pair: number): readonly [left: number, right: number] {
  return [Math.floor(pair / PAIR), pair % PAIR];
}

export interface Frequent {
  readonly count: number;
  readonly pair: number;
}

export interface PairCounts {
  /** The most frequent pair that still stands somewhere, taken off the queue. */
  mostFrequent(): Frequent | undefined;
  /** Replaces a pair by one symbol wherever it stands. */
  merge(pair: number, id: number): void;
}

/** Counts of neighbouring symbols, kept up to date by the words that a merge touches, with a heap whose stale entries are mended when they surface. */
export function countPairs(words: readonly Word[]): PairCounts {
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const queue: Heap<Frequent> = createHeap((a, b) => a.count > b.count || (a.count === b.count && a.pair < b.pair));
  const add = (pair: number, count: number, word: number): void => {
    counts.set(pair, (counts.get(pair) ?? 0) + count);
    if (count < 0) return;
    const set = places.get(pair);
    if (set) set.add(word);
    else places.set(pair, new Set([word]));
  };
  for (const [i, { symbols, count }] of words.entries()) {
    for (let k = 0; k + 1 < symbols.length; k++) add(symbols[k]! * PAIR + symbols[k + 1]!, count, i);
  }
  for (const [pair, count] of counts) queue.push({ count, pair });

  const mostFrequent = (): Frequent | undefined => {
    for (let top = queue.pop(); top; top = queue.pop()) {
      const count = counts.get(top.pair) ?? 0;
      if (count === top.count && count > 0) return top;
      if (count > 0) queue.push({ count, pair: top.pair });
    }
    return undefined;
  };
  const merge = (pair: number, id: number): void => {
    const grown = new Set<number>();
    for (const i of places.get(pair) ?? []) {
      mergeInWord(words[i]!, { pair, id }, (changed, count) => {
        add(changed, count, i);
        if (count > 0) grown.add(changed);
      });
    }
    counts.delete(pair);
    places.delete(pair);
    for (const changed of grown) queue.push({ count: counts.get(changed) ?? 0, pair: changed });
  };
  return { mostFrequent, merge };
}

interface Replacement {
  readonly pair: number;
  readonly id: number;
}

function mergeInWord({ symbols, count }: Word, { pair, id }: Replacement, change: (pair: number, count: number) => void): void {
  const [left, right] = sidesOf(pair);
  for (let i = 0; i + 1 < symbols.length; i++) {
    if (symbols[i] !== left || symbols[i + 1] !== right) continue;
    const before = symbols[i - 1];
    const after = symbols[i + 2];
    if (before !== undefined) {
      change(before * PAIR + left, -count);
      change(before * PAIR + id, count);
    }
    if (after !== undefined) {
      change(right * PAIR + after, -count);
      change(id * PAIR + after, count);
    }
    symbols.splice(i, 2, id);
  }
}
