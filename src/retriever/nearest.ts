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

/** Compares by TF-IDF cosine over words and pairs of neighbouring words, stop words kept: in short inputs they tell apart. */
export function nearestExamples({ pool }: { readonly pool: readonly string[] }): NearestExamples {
  const index = new InvertedIndex();
  for (const text of pool) index.add(wordsAndPairs(text));
  const score = tfIdfScorer(index);
  const name = (slot: number): string => String(slot).padStart(10, "0");
  return {
    search: (text, k, exclude = () => false) => {
      const scores = score(wordsAndPairs(text)).map((value, slot) => (exclude(slot) ? -1 : value));
      return best(scores, { k, above: -1, idOf: name }).map((found) => ({ index: Number(found.id), score: found.score }));
    },
  };
}

function wordsAndPairs(text: string): string[] {
  const single = words(text);
  return [...single, ...single.slice(1).map((word, index) => `${single[index]} ${word}`)];
}
