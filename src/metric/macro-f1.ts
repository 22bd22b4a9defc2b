// Mean over labels of each label's F1: a rare label weighs as much as a common one.
import { UserError } from "../errors.ts";
import type { Metric, MetricFactory } from "../evaluation.ts";
import { f1OfCounts } from "./f1.ts";
import { labelOf, quote } from "./normalise.ts";

/**
 * Statistics are `[tp, fp, fn]` label after label. Labels that are neither expected nor given are left out of the mean
 * (scikit-learn's f1_score with zero_division=nan). An answer that is no label counts as a wrong answer spread evenly over the
 * other labels: to say nothing is no better than to guess.
 * @throws {UserError} when the task has no closed set of labels.
 */
export const macroF1: MetricFactory = ({ output }): Metric => {
  if (output.kind !== "labels") {
    throw new UserError(
      `Metric "macro-f1" needs a closed set of labels, the task's output is "${output.kind}". Set output: { labels: [...] }.`,
    );
  }
  const { labels } = output;
  const worst = (expected: string | undefined): readonly number[] => spread(labels, labels.indexOf(labelOf(expected ?? "", labels) ?? ""));
  return {
    name: "macro-f1",
    higherIsBetter: true,
    proportion: false,
    statistics: ({ example, output: given }) => {
      const label = labelOf(given, labels);
      return label === undefined ? worst(example.output) : counts(labels, labelOf(example.output, labels), label);
    },
    worst: (example) => worst(example.output),
    value: (sums) => meanOfLabels(sums, labels.length),
    reason: ({ example, output: given }) => {
      const label = labelOf(given, labels);
      if (label === undefined) return `${quote(given)} is no label; expected ${quote(example.output)}`;
      return label === labelOf(example.output, labels)
        ? `${quote(label)}, as expected`
        : `expected ${quote(example.output)}, got ${quote(label)}`;
    },
  };
};

function counts(labels: readonly string[], expected: string | undefined, given: string): readonly number[] {
  return labels.flatMap((label) => {
    const isExpected = label === expected;
    const isGiven = label === given;
    return [Number(isExpected && isGiven), Number(!isExpected && isGiven), Number(isExpected && !isGiven)];
  });
}

function spread(labels: readonly string[], expected: number): readonly number[] {
  const others = labels.length - (expected < 0 ? 0 : 1);
  return labels.flatMap((_, index) => (index === expected ? [0, 0, 1] : [0, 1 / others, 0]));
}

function meanOfLabels(sums: ArrayLike<number>, labels: number): number {
  let total = 0;
  let present = 0;
  for (let label = 0; label < labels; label += 1) {
    const truePositives = sums[3 * label] ?? 0;
    const falsePositives = sums[3 * label + 1] ?? 0;
    const falseNegatives = sums[3 * label + 2] ?? 0;
    if (truePositives + falsePositives + falseNegatives === 0) continue;
    total += f1OfCounts(truePositives, falsePositives, falseNegatives);
    present += 1;
  }
  return present === 0 ? 0 : total / present;
}
