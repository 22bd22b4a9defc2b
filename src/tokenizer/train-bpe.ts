// Learns a byte-level BPE vocabulary from texts. Knows nothing of models or files.
import type { BpeModel } from "./bpe.ts";
import { byteAlphabet, toByteLevel } from "./byte-level.ts";
import { createHeap, type Heap } from "./heap.ts";
import { preTokenise, type PreTokeniserName } from "./pre-tokenise.ts";
import { UserError } from "../errors.ts";

export interface TrainBpeOptions {
  readonly texts: Iterable<string>;
  /** Special tokens and the 256 bytes included; fewer where the texts hold no more pairs. */
  readonly vocabularySize: number;
  /** Take the first ids, in this order; where they stand in the texts, nothing is merged over them. */
  readonly specialTokens?: readonly string[];
  readonly preTokeniser?: PreTokeniserName;
}

/** Two symbols side by side as one number: left * PAIR + right. */
const PAIR = 2 ** 24;

interface Word {
  readonly symbols: number[];
  readonly count: number;
}

interface Frequent {
  readonly count: number;
  readonly pair: number;
}

/**
 * The vocabulary that merging the most frequent pair, again and again, makes of the texts (Sennrich et al. 2016). Of equally
 * frequent pairs the one with the smaller ids goes first, so the result depends on nothing but the texts.
 * @throws {UserError} when `vocabularySize` has no room for the 256 bytes and the special tokens.
 */
export function trainBpe({ texts, vocabularySize, specialTokens = [], preTokeniser = "gpt-2" }: TrainBpeOptions): BpeModel {
  const least = byteAlphabet.length + specialTokens.length;
  if (vocabularySize < least) {
    throw new UserError(
      `A vocabulary of ${vocabularySize} tokens has no room for the 256 bytes and ${specialTokens.length} special tokens. Take ${least} at least.`,
    );
  }
  const tokens = [...specialTokens, ...byteAlphabet];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words = countWords({ texts, specialTokens, preTokeniser, ids });
  const pairs = countPairs(words);
  const merges = new Set<string>();
  for (let top = pairs.mostFrequent(); top && tokens.length < vocabularySize; top = pairs.mostFrequent()) {
    const left = tokens[Math.floor(top.pair / PAIR)]!;
    const right = tokens[top.pair % PAIR]!;
    merges.add(`${left} ${right}`);
    const known = ids.get(left + right);
    const id = known ?? tokens.length;
    if (known === undefined) {
      ids.set(left + right, id);
      tokens.push(left + right);
    }
    pairs.merge(top.pair, id);
  }
  return { tokens, merges: [...merges], specialTokens, addedTokens: [], preTokeniser };
}

interface CountWordsOptions {
  readonly texts: Iterable<string>;
  readonly specialTokens: readonly string[];
  readonly preTokeniser: PreTokeniserName;
  readonly ids: ReadonlyMap<string, number>;
}

function countWords({ texts, specialTokens, preTokeniser, ids }: CountWordsOptions): readonly Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const parts = specialTokens.reduce<string[]>((pieces, token) => pieces.flatMap((piece) => piece.split(token)), [text]);
    for (const piece of parts.flatMap((part) => preTokenise(part, preTokeniser))) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return Array.from(counts, ([piece, count]) => ({ symbols: Array.from(toByteLevel(piece), (character) => ids.get(character)!), count }));
}

interface PairCounts {
  /** The most frequent pair that still stands somewhere, taken off the queue. */
  mostFrequent(): Frequent | undefined;
  /** Replaces a pair by one symbol wherever it stands. */
  merge(pair: number, id: number): void;
}

/** Counts of neighbouring symbols, kept up to date by the words that a merge touches, with a heap whose stale entries are mended when they surface. */
function countPairs(words: readonly Word[]): PairCounts {
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
  const left = Math.floor(pair / PAIR);
  const right = pair % PAIR;
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
