// Overlap of the answer's words with the expected answer's (SQuAD's F1).
import type { MetricFactory } from "../evaluation.ts";
import { overlap } from "./f1.ts";
import { meanMetric } from "./mean.ts";
import { answerTokens, normaliseAnswer, quote } from "./normalise.ts";

/**
 * Mean over examples of the F1 between the two bags of normalised words (Rajpurkar et al. 2016). Abstaining is all or nothing
 * (Rajpurkar et al. 2018, where it is the empty answer): where the task's abstention is expected or given, the score is 1 if both
 * are it and 0 else, so that words shared with the sentence "the handbook does not say" earn nothing.
 */
export const tokenF1: MetricFactory = ({ abstention }) => {
  const sentinel = abstention === undefined ? undefined : normaliseAnswer(abstention);
  const abstains = (text: string): boolean => normaliseAnswer(text) === sentinel;
  return meanMetric({
    name: "token-f1",
    proportion: false,
    row: ({ example, output }) =>
      abstains(example.output) || abstains(output)
        ? Number(abstains(example.output) && abstains(output))
        : tokenOverlap(example.output, output),
    reason: ({ example, output }, value) => {
      if (abstains(example.output)) return value === 1 ? "rightly abstained" : `should have abstained, answered ${quote(output)}`;
      if (abstains(output)) return `abstained, expected ${quote(example.output)}`;
      const expected = answerTokens(example.output);
      return `${overlap(expected, answerTokens(output))} of ${expected.length} expected words, ${answerTokens(output).length} given`;
    },
  });
};

function tokenOverlap(expected: string, given: string): number {
  const expectedTokens = answerTokens(expected);
  const givenTokens = answerTokens(given);
  if (expectedTokens.length === 0 || givenTokens.length === 0) return Number(expectedTokens.length === givenTokens.length);
  return (2 * overlap(expectedTokens, givenTokens)) / (expectedTokens.length + givenTokens.length);
}
