// Pairs of texts that say nearly the same in nearly the same words. Knows nothing of examples.
import { words } from "../util/words.ts";

/** Words in a shingle. */
const shingleWords = 3;

/** Two positions in the list of texts, and the Jaccard similarity of their shingles: 1 for the same words. */
export interface NearDuplicate {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
}

/**
 * Pairs of texts whose sets of word 3-grams have a Jaccard similarity of at least `threshold` (Broder 1997), found exactly: only the
 * rarest shingles of each text are indexed, as many as a similar text can't all lack (prefix filtering, Chaudhuri 2006; Bayardo 2007).
 * Of texts with the same words, each is paired with the first alone, and the first stands for all of them. Texts of one or two words
 * are near duplicates only of the same words.
 */
export function nearDuplicates({
  texts,
  threshold = 0.8,
}: {
  readonly texts: readonly string[];
  readonly threshold?: number;
}): NearDuplicate[] {
  const pairs: NearDuplicate[] = [];
  const firstOf = new Map<string, number>();
  const sets: { readonly text: number; readonly shingles: readonly number[] }[] = [];
  texts.forEach((text, index) => {
    const found = words(text);
    // Signs alone have no words: they are told apart by what they are.
    const same = found.length === 0 ? `signs ${text.trim()}` : found.join(" ");
    const first = firstOf.get(same);
    if (first !== undefined) pairs.push({ a: first, b: index, similarity: 1 });
    else {
      firstOf.set(same, index);
      if (found.length >= shingleWords) sets.push({ text: index, shingles: shinglesOf(found) });
    }
  });
  return [...pairs, ...similarSets(sets, threshold)].sort((x, y) => x.a - y.a || x.b - y.b);
}

/** Distinct hashes (FNV-1a, 32 bit) of each three words in a row. */
function shinglesOf(found: readonly string[]): number[] {
  const hashes = new Set<number>();
  for (let start = 0; start + shingleWords <= found.length; start++) {
    let hash = 0x811c9dc5;
    for (const character of found.slice(start, start + shingleWords).join(" "))
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    hashes.add(hash >>> 0);
  }
  return [...hashes];
}

type ShingleSet = { readonly text: number; readonly shingles: readonly number[] };

function similarSets(sets: readonly ShingleSet[], threshold: number): NearDuplicate[] {
  const frequency = new Map<number, number>();
  for (const { shingles } of sets) for (const one of shingles) frequency.set(one, (frequency.get(one) ?? 0) + 1);
  const rarestFirst = (x: number, y: number): number => (frequency.get(x) ?? 0) - (frequency.get(y) ?? 0) || x - y;
  const ordered = sets
    .map(({ text, shingles }) => ({ text, shingles: shingles.toSorted(rarestFirst) }))
    .sort((x, y) => x.shingles.length - y.shingles.length || x.text - y.text);
  const index = new Map<number, number[]>();
  const pairs: NearDuplicate[] = [];
  ordered.forEach(({ text, shingles }, position) => {
    // A set that shares at least `threshold` of the larger one must share one of these.
    const prefix = shingles.slice(0, shingles.length - Math.ceil(threshold * shingles.length) + 1);
    const candidates = new Set<number>();
    for (const one of prefix) {
      const holders = index.get(one);
      if (holders === undefined) index.set(one, [position]);
      else {
        for (const holder of holders) candidates.add(holder);
        holders.push(position);
      }
    }
    const own = new Set(shingles);
    for (const candidate of candidates) {
      const other = ordered[candidate] as ShingleSet;
      if (other.shingles.length < threshold * shingles.length) continue;
      const shared = other.shingles.filter((one) => own.has(one)).length;
      const similarity = shared / (own.size + other.shingles.length - shared);
      if (similarity >= threshold) pairs.push({ a: Math.min(text, other.text), b: Math.max(text, other.text), similarity });
    }
  });
  return pairs;
}
