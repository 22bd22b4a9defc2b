// Words and word pairs of a text as a sparse unit vector: what the linear classifier sees, in training and in answering.
import { words } from "../util/words.ts";

/** Lower-cased words and pairs of neighbours, with repetition. */
export function termsOf(text: string): readonly string[] {
  const single = words(text);
  return [...single, ...single.slice(1).map((word, index) => `${single[index]} ${word}`)];
}

export interface Vocabulary {
  readonly index: ReadonlyMap<string, number>;
  readonly inverseDocumentFrequency: readonly number[];
}

/** Sparse, sublinear (1 + ln tf) TF-IDF scaled to length 1, as [term index, weight] pairs. Salton and Buckley 1988. */
export function tfIdfVector(text: string, vocabulary: Vocabulary): readonly (readonly [number, number])[] {
  const counts = new Map<number, number>();
  for (const term of termsOf(text)) {
    const index = vocabulary.index.get(term);
    if (index !== undefined) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const raw = [...counts].map(([index, count]): [number, number] => [
    index,
    (1 + Math.log(count)) * (vocabulary.inverseDocumentFrequency[index] ?? 0),
  ]);
  const length = Math.hypot(...raw.map(([, weight]) => weight));
  return length === 0 ? [] : raw.map(([index, weight]) => [index, weight / length]);
}
