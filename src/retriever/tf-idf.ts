// TF-IDF cosine over an inverted index. Knows nothing of documents or words.
import type { WeightedTerms } from "./feedback.ts";
import type { TermIndex } from "./inverted-index.ts";

/** Scores every slot for a query's terms. */
export type TfIdfScorer = (terms: readonly string[] | WeightedTerms) => Float64Array;

/**
 * The cosine, in [0, 1], between a query's vector and every slot's: weight (1 + ln tf) * (1 + ln((1 + N) / (1 + n))), which is
 * Salton and Buckley's (1988) with scikit-learn's smoothing. Query terms that no text holds do not count. Lengths of the
 * vectors depend on every text, so they are computed anew at the first query after a change.
 */
export function tfIdfScorer(index: TermIndex): TfIdfScorer {
  let norms: Float64Array = new Float64Array(0);
  let version = -1;
  return (terms) => {
    if (version !== index.version) {
      norms = normsOf(index);
      version = index.version;
    }
    const scores = new Float64Array(index.slots);
    let queryNorm = 0;
    for (const [term, frequency] of weighted(terms)) {
      const { entries, length } = index.postings(term);
      if (length === 0) continue;
      const idf = inverseFrequency(index, length);
      const weight = frequency * idf;
      queryNorm += weight * weight;
      for (let at = 0; at < 2 * length; at += 2) scores[entries[at]!]! += weight * (1 + Math.log(entries[at + 1]!)) * idf;
    }
    const scale = Math.sqrt(queryNorm);
    for (let slot = 0; slot < scores.length; slot++) if (scores[slot]! > 0) scores[slot]! /= norms[slot]! * scale;
    return scores;
  };
}

function inverseFrequency(index: TermIndex, texts: number): number {
  return 1 + Math.log((1 + index.size) / (1 + texts));
}

function normsOf(index: TermIndex): Float64Array {
  const norms = new Float64Array(index.slots);
  for (const [, { entries, length }] of index.terms()) {
    const idf = inverseFrequency(index, length);
    for (let at = 0; at < 2 * length; at += 2) norms[entries[at]!]! += ((1 + Math.log(entries[at + 1]!)) * idf) ** 2;
  }
  return norms.map(Math.sqrt);
}

/** 1 + ln tf of each term of a query, or the weights that are given. */
function weighted(terms: readonly string[] | WeightedTerms): WeightedTerms {
  if (terms instanceof Map) return terms;
  const counts = new Map<string, number>();
  for (const term of terms as readonly string[]) counts.set(term, (counts.get(term) ?? 0) + 1);
  return new Map(Array.from(counts, ([term, count]) => [term, 1 + Math.log(count)]));
}
