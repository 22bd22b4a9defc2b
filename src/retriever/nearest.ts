// The inputs of a pool most like a text: for demonstrations chosen per input, and the nearest-neighbour baseline.
import { words } from "../util/words.ts";
import { InvertedIndex } from "./inverted-index.ts";
import { best } from "./scored.ts";
import { tfIdfScorer } from "./tf-idf.ts";

export interface Neighbour {
  /** Place in the pool. */
  readonly index: number;
  /** Cosine in [0, 1]. */
  readonly score: number;
}

export interface NearestExamples {
  /** The `k` nearest that are not excluded, nearest first, equal ones in the pool's order; fewer only when the pool ends. */
  search(text: string, k: number, exclude?: (index: number) => boolean): Neighbour[];
}

/**
 * Compares by TF-IDF cosine over words, pairs of neighbouring words and pieces of words (3 to 5 characters, ends marked), stop words
 * kept. Pieces matter in short inputs: on banking77 with 10 examples a class the nearest one has the right label of 77 in .62 of
 * cases, without them in .51.
 */
export function nearestExamples({ pool }: { readonly pool: readonly string[] }): NearestExamples {
  const index = new InvertedIndex();
  for (const text of pool) index.add(termsOf(text));
  const score = tfIdfScorer(index);
  const name = (slot: number): string => String(slot).padStart(10, "0");
  return {
    search: (text, k, exclude = () => false) => {
      const scores = score(termsOf(text)).map((value, slot) => (exclude(slot) ? -1 : value));
      return best(scores, { k, above: -1, idOf: name }).map((found) => ({ index: Number(found.id), score: found.score }));
    },
  };
}

function termsOf(text: string): string[] {
  const single = words(text);
  const pairs = single.slice(1).map((word, index) => `${single[index]} ${word}`);
  return [...single, ...pairs, ...single.flatMap(piecesOf)];
}

/** Begin with `#`, so that no piece is taken for a word. */
function piecesOf(word: string): string[] {
  const marked = ` ${word} `;
  const pieces: string[] = [];
  for (let length = 3; length <= 5; length++) {
    for (let start = 0; start + length <= marked.length; start++) pieces.push(`#${marked.slice(start, start + length)}`);
  }
  return pieces;
}
