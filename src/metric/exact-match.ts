// Share of examples whose normalised answer is the expected one (SQuAD's exact match).
import type { MetricFactory } from "../evaluation.ts";
import { meanMetric } from "./mean.ts";
import { normaliseAnswer, quote } from "./normalise.ts";

/** An expected abstention needs no rule of its own: it is right only if the sentence is given. */
export const exactMatch: MetricFactory = () =>
  meanMetric({
    name: "exact-match",
    proportion: true,
    row: ({ example, output }) => Number(normaliseAnswer(output) === normaliseAnswer(example.output)),
    reason: ({ example, output }, value) =>
      value === 1 ? `${quote(example.output)}, as expected` : `expected ${quote(example.output)}, got ${quote(output)}`,
  });
