// Share of examples whose answer is the expected label.
import type { Metric, MetricFactory } from "../evaluation.ts";
import { meanMetric } from "./mean.ts";
import { labelOf, normaliseValue, quote } from "./normalise.ts";

/** Labels are compared without case and punctuation around them; with another output kind, the trimmed texts are. */
export const accuracy: MetricFactory = ({ output }): Metric => {
  const labels = output.kind === "labels" ? output.labels : [];
  const canonical = (text: string): string => labelOf(text, labels) ?? normaliseValue(text);
  return meanMetric({
    name: "accuracy",
    proportion: true,
    row: ({ example, output: given }) => Number(canonical(given) === canonical(example.output)),
    reason: ({ example, output: given }, value) =>
      value === 1 ? `${quote(example.output)}, as expected` : `expected ${quote(example.output)}, got ${quote(given)}`,
  });
};
