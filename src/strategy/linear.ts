// Trains the linear classifier: the baseline over the task's labels, the router over candidates.
import { termsOf, tfIdfVector } from "../answer/features.ts";
import type { Classifier } from "../candidate.ts";
import { seededRandom } from "../util/random.ts";

const passes = 60;

export type Linear = Classifier & { readonly kind: "linear" };
type Sparse = readonly (readonly [number, number])[];

/**
 * One L2-loss linear SVM a label against the rest, by dual coordinate descent (Hsieh et al. 2008, algorithm 1, L2-SVM), with a bias
 * feature. Deterministic for a seed.
 */
export function trainLinear({
  examples,
  labels,
  cost,
  seed,
}: {
  examples: readonly { readonly input: string; readonly output: string }[];
  labels: readonly string[];
  cost: number;
  seed: number;
}): Linear {
  const documents = examples.map((example) => new Set(termsOf(example.input)));
  const frequency = new Map<string, number>();
  for (const terms of documents) for (const term of terms) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const terms = [...frequency.keys()].toSorted();
  const inverseDocumentFrequency = terms.map((term) => 1 + Math.log((1 + examples.length) / (1 + (frequency.get(term) ?? 0))));
  const vocabulary = { index: new Map(terms.map((term, index) => [term, index])), inverseDocumentFrequency };
  const vectors = examples.map((example) => tfIdfVector(example.input, vocabulary));
  const fitted = labels.map((label) =>
    fitOne({ vectors, signs: examples.map((example) => (example.output === label ? 1 : -1)), size: terms.length, cost, seed }),
  );
  return {
    kind: "linear",
    labels,
    terms,
    inverseDocumentFrequency,
    weights: fitted.map(({ weights }) => Array.from(weights, (weight) => Number(weight.toPrecision(6)))),
    bias: fitted.map(({ bias }) => Number(bias.toPrecision(6))),
  };
}

function fitOne(options: { vectors: readonly Sparse[]; signs: readonly number[]; size: number; cost: number; seed: number }): {
  weights: Float64Array;
  bias: number;
} {
  const { vectors, signs, size, cost, seed } = options;
  const weights = new Float64Array(size);
  const alphas = new Float64Array(vectors.length);
  const random = seededRandom(`linear ${seed}`);
  const diagonal = 1 / (2 * cost);
  let bias = 0;
  for (let pass = 0; pass < passes; pass++) {
    let largest = 0;
    for (const row of random.shuffle(vectors.map((_, index) => index))) {
      const vector = vectors[row]!;
      const sign = signs[row]!;
      const margin = vector.reduce((sum, [term, value]) => sum + weights[term]! * value, bias);
      const norm = vector.reduce((sum, [, value]) => sum + value * value, 1);
      const gradient = sign * margin - 1 + diagonal * alphas[row]!;
      const next = Math.max(0, alphas[row]! - gradient / (norm + diagonal));
      const change = (next - alphas[row]!) * sign;
      largest = Math.max(largest, Math.abs(change));
      alphas[row] = next;
      for (const [term, value] of vector) weights[term]! += change * value;
      bias += change;
    }
    if (largest < 1e-4) break;
  }
  return { weights, bias };
}
