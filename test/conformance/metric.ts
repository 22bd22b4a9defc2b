// The laws every metric keeps, as one suite: run once for each name in the table.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Metric, Passage, Prediction } from "../../src/evaluation.ts";

export interface MetricCase {
  readonly create: () => Metric;
  /** Predictions that nothing could better. */
  readonly perfect: readonly Prediction[];
  /** Predictions that are wrong or partly right, of the examples above or others. */
  readonly other: readonly Prediction[];
}

const outputs = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.json(),
  fc.constantFrom("", " ", "null", "[]", "{}", "[1]", "[999]", "\uD800", "İ", "日本語", "👍🏽"),
);
const noPassages: readonly Passage[] = [];

export function metricConformance(name: string, { create, perfect, other }: MetricCase): void {
  const metric = create();
  const all = [...perfect, ...other];
  const statistics = (predictions: readonly Prediction[]): readonly (readonly number[])[] =>
    predictions.map((one) => metric.statistics(one));
  const rowValue = (prediction: Prediction): number => metric.value(metric.statistics(prediction), 1);
  const arbitrary = fc.record({ prediction: fc.constantFrom(...all), output: outputs, bare: fc.boolean() });
  const changed = ({ prediction, output, bare }: { prediction: Prediction; output: string; bare: boolean }): Prediction => ({
    ...prediction,
    output,
    passages: bare ? noPassages : prediction.passages,
  });

  describe(`${name} keeps the laws of a metric:`, () => {
    test("is called what the table calls it", () => expect(metric.name).toBe(name));

    test("gives a perfect answer the best value, alone and together", () => {
      const best = metric.higherIsBetter ? 1 : 0;
      expect(perfect.map(rowValue)).toEqual(perfect.map(() => best));
      expect(metric.value(sum(statistics(perfect)), perfect.length)).toBeCloseTo(best, 12);
    });

    test("gives a wrong answer less", () => {
      expect(metric.value(sum(statistics(other)), other.length)).toBeLessThan(1);
    });

    test("is additive: the order and the grouping of rows do not matter", () => {
      fc.assert(
        fc.property(fc.shuffledSubarray(all, { minLength: 1 }), fc.nat(), (predictions, at) => {
          const cut = at % predictions.length;
          const parts = sum([sum(statistics(predictions.slice(0, cut))), sum(statistics(predictions.slice(cut)))]);
          const whole = sum(statistics(predictions.toReversed()));
          expect(metric.value(parts, predictions.length)).toBeCloseTo(metric.value(whole, predictions.length), 12);
        }),
      );
    });

    test("has statistics of one length, finite, whatever was answered", () => {
      const length = metric.statistics(all[0] as Prediction).length;
      fc.assert(
        fc.property(arbitrary, (parts) => {
          const given = metric.statistics(changed(parts));
          expect(given).toHaveLength(length);
          expect(given.every(Number.isFinite)).toBe(true);
          expect(metric.worst(parts.prediction.example)).toHaveLength(length);
        }),
      );
    });

    test("is never below the worst, never outside [0, 1], never NaN", () => {
      fc.assert(
        fc.property(arbitrary, (parts) => {
          const value = rowValue(changed(parts));
          expect(value).toBeGreaterThanOrEqual(metric.value(metric.worst(parts.prediction.example), 1));
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }),
      );
    });

    test("is 0 where every row takes the worst", () => {
      expect(metric.value(sum(all.map(({ example }) => metric.worst(example))), all.length)).toBe(0);
    });

    test("says why in one line", () => {
      fc.assert(
        fc.property(arbitrary, (parts) => {
          expect(metric.reason?.(changed(parts))).toMatch(/^[^\n\r]+$/);
        }),
      );
    });
  });
}

/** What a metric that calls itself a proportion must keep besides. */
export function proportionConformance(name: string, { create, perfect, other }: MetricCase): void {
  test(`${name} is a proportion: each row gives 0 or 1, the score is their mean`, () => {
    const metric = create();
    const rows = [...perfect, ...other].map((one) => metric.statistics(one));
    const values = rows.map((row) => metric.value(row, 1));
    expect(values.every((value) => value === 0 || value === 1)).toBe(true);
    expect(metric.value(sum(rows), rows.length)).toBeCloseTo(values.reduce((total, value) => total + value, 0) / rows.length, 12);
  });
}

function sum(vectors: readonly (readonly number[])[]): number[] {
  const total: number[] = [];
  for (const vector of vectors) vector.forEach((value, index) => (total[index] = (total[index] ?? 0) + value));
  return total;
}
