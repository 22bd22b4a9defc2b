// Answers without a language model: a linear classifier, the nearest training example, the best sentence of the best passage.
import type { Classifier } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import { words } from "../util/words.ts";
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

/** The sentence of the passages that shares the most words with the question, rarer words counting more; earlier passages win ties. */
export function extractSentence(question: string, passages: readonly Passage[]): string {
  const asked = new Set(words(question));
  const sentences = passages.flatMap((passage) => sentencesOf(passage.text));
  const tokenised = sentences.map((sentence) => new Set(words(sentence)));
  const frequency = new Map<string, number>();
  for (const set of tokenised) for (const word of set) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  let best = { score: -1, sentence: "" };
  for (const [index, sentence] of sentences.entries()) {
    let score = 0;
    for (const word of tokenised[index] ?? []) if (asked.has(word)) score += Math.log(1 + sentences.length / (frequency.get(word) ?? 1));
    if (score > best.score) best = { score, sentence };
  }
  return best.sentence;
}

function sentencesOf(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/u)
    .map((sentence) => sentence.replace(/^[\s#>*|-]+|[\s|]+$/gu, ""))
    .filter((sentence) => words(sentence).length > 2);
}
