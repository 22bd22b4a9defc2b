// How often the answer stays the same when the question is worded otherwise. Knows nothing of what is right.
import { normaliseAnswer } from "./normalise.ts";

export interface VariantAnswers {
  readonly original: string;
  readonly variants: readonly string[];
}

/** Share of the variants answered as the original was, once normalised, and how many there were. NaN over none. */
export function consistencyOf(answers: readonly VariantAnswers[]): { readonly value: number; readonly n: number } {
  const same = answers.flatMap(({ original, variants }) => variants.map((one) => normaliseAnswer(one) === normaliseAnswer(original)));
  return { value: same.filter(Boolean).length / same.length, n: same.length };
}
