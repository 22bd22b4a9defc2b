// A label without a language model: by a linear classifier over TF-IDF.
import type { Classifier } from "../candidate.ts";
import { tfIdfVector, type Vocabulary } from "./features.ts";

export interface Classified {
  readonly output: string;
  /** In [0, 1]. */
  readonly confidence: number;
}

type Linear = Classifier & { readonly kind: "linear" };
const vocabularies = new WeakMap<readonly string[], Vocabulary>();

function vocabularyOf({ terms, inverseDocumentFrequency }: Linear): Vocabulary {
  const known = vocabularies.get(terms);
  if (known !== undefined) return known;
  const vocabulary = { index: new Map(terms.map((term, index) => [term, index])), inverseDocumentFrequency };
  vocabularies.set(terms, vocabulary);
  return vocabulary;
}

/** The label with the highest score; confidence is the softmax of the scores. */
export function classifyLinear(classifier: Linear, text: string): Classified {
  const vector = tfIdfVector(text, vocabularyOf(classifier));
  const scores = classifier.labels.map((_, label) =>
    vector.reduce((sum, [term, weight]) => sum + (classifier.weights[label]?.[term] ?? 0) * weight, classifier.bias[label] ?? 0),
  );
  const highest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - highest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  const best = scores.indexOf(highest);
  return { output: classifier.labels[best] ?? "", confidence: (exponentials[best] ?? 0) / total };
}
