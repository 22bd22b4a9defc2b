// Longest common subsequence of words between the answer and the expected one (ROUGE-L).
import type { MetricFactory } from "../evaluation.ts";
import { meanMetric } from "./mean.ts";
import { wordTokens } from "./normalise.ts";

/**
 * Mean over examples of the sentence-level ROUGE-L F1 (Lin 2004), without stemming: the rouge-score package's `rougeL`. Where a
 * text has no words, 1 if the other has none either (the package gives 0, so that not even a perfect answer could score).
 */
export const rougeL: MetricFactory = () =>
  meanMetric({
    name: "rouge-l",
    proportion: false,
    row: ({ example, output }) => score(wordTokens(example.output), wordTokens(output)),
    reason: ({ example, output }) => {
      const expected = wordTokens(example.output);
      const given = wordTokens(output);
      return `${commonSubsequence(expected, given)} of ${expected.length} expected words in order, ${given.length} given`;
    },
  });

function score(expected: readonly string[], given: readonly string[]): number {
  if (expected.length === 0 || given.length === 0) return Number(expected.length === given.length);
  return (2 * commonSubsequence(expected, given)) / (expected.length + given.length);
}

function commonSubsequence(left: readonly string[], right: readonly string[]): number {
  let previous = new Uint32Array(right.length + 1);
  let current = new Uint32Array(right.length + 1);
  for (const element of left) {
    for (let column = 0; column < right.length; column += 1) {
      current[column + 1] =
        element === right[column] ? (previous[column] ?? 0) + 1 : Math.max(previous[column + 1] ?? 0, current[column] ?? 0);
    }
    [previous, current] = [current, previous];
  }
  return previous[right.length] ?? 0;
}
