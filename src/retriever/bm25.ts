// BM25 over an inverted index. Knows nothing of documents or words.
import type { WeightedTerms } from "./feedback.ts";
import type { TermIndex } from "./inverted-index.ts";

export interface Bm25Options {
  readonly k1?: number;
  readonly b?: number;
}

/**
 * The score of every slot for a query: the sum over its terms of idf * tf / (tf + k1 * (1 - b + b * length / mean length)), with
 * idf = ln(1 + (N - n + .5) / (n + .5)). Lucene's BM25Similarity (version 8 and later) without its one-byte lengths
 * (Robertson and Zaragoza 2009; Kamphuis et al. 2020, "Which BM25 do you mean?"). A repeated query term counts each time, a weighted one by its weight.
 */
export function bm25Scores(
  index: TermIndex,
  terms: readonly string[] | WeightedTerms,
  { k1 = 0.9, b = 0.4 }: Bm25Options = {},
): Float64Array {
  const scores = new Float64Array(index.slots);
  const meanLength = index.totalLength / Math.max(1, index.size);
  for (const [term, weight] of weighted(terms)) {
    const { entries, length } = index.postings(term);
    const idf = weight * Math.log(1 + (index.size - length + 0.5) / (length + 0.5));
    for (let at = 0; at < 2 * length; at += 2) {
      const slot = entries[at]!;
      const frequency = entries[at + 1]!;
      scores[slot]! += (idf * frequency) / (frequency + k1 * (1 - b + (b * index.lengthOf(slot)) / meanLength));
    }
  }
  return scores;
}

function weighted(terms: readonly string[] | WeightedTerms): Iterable<readonly [string, number]> {
  return terms instanceof Map ? terms : (terms as readonly string[]).map((term) => [term, 1] as const);
}
