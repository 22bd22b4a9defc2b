// Quantiles and intervals against SciPy, bands against the formulas they rest on, coverage of the intervals.
import { expect, test } from "vitest";
import { exactCoverage, meanCoverage, simulatedCoverage } from "../../test/support/coverage.ts";
import type { Metric } from "../evaluation.ts";
import { seededRandom } from "../util/random.ts";
import { band, simultaneousBands } from "./bands.ts";
import { normalProbability, normalQuantile, quantile, studentQuantile } from "./distribution.ts";
import reference from "./fixtures/scipy.json" with { type: "json" };
import type { Grouped } from "./grouped.ts";
import { bootstrap, leftOutScore, pseudoValues, scores } from "./resample.ts";
import { scoreInterval } from "./score-interval.ts";

const mean: Metric = {
  name: "mean",
  higherIsBetter: true,
  proportion: true,
  statistics: () => [],
  worst: () => [0],
  value: (sums, count) => sums[0]! / count,
};

function grouped(columns: readonly (readonly number[])[], counts = columns[0]!.map(() => 1)): Grouped {
  const groups = columns[0]!.length;
  const sums = Float64Array.from(
    { length: groups * columns.length },
    (_, index) => columns[index % columns.length]![Math.floor(index / columns.length)]!,
  );
  return {
    candidates: columns.map((_, index) => String(index)),
    groups,
    dimensions: 1,
    sums,
    counts: Float64Array.from(counts),
    rows: counts.reduce((total, one) => total + one, 0),
  };
}

function bandsOf(table: Grouped, samples = 4000) {
  const resamples = bootstrap(table, mean, { samples, random: seededRandom(1) });
  return simultaneousBands({ scores: scores(table, mean), resamples, pseudo: pseudoValues(table, mean) });
}

const ones = (right: number, n: number): number[] => Array.from({ length: n }, (_, index) => Number(index < right));

test.each(reference.student)("Student's t at $degrees degrees like normal $z", ({ z, degrees, t }) => {
  expect(Math.abs(studentQuantile(z, degrees) / t - 1)).toBeLessThan(0.012);
});

test.each(reference.normal)("normal probability of $z", ({ z, p }) => {
  expect(normalProbability(z)).toBeCloseTo(p, 6);
  expect(normalQuantile(p)).toBeCloseTo(z, 4);
});

test.each(reference.wilson)("Wilson's interval of $right of $n", ({ right, n, low, high }) => {
  const interval = scoreInterval({ score: right / n, rows: n, groups: n, proportion: true, resampled: [], pseudo: [] });
  expect(interval.low).toBeCloseTo(low, 12);
  expect(interval.high).toBeCloseTo(high, 12);
});

test("the BCa interval is SciPy's, a little wider for the small sample", () => {
  const { sample, low, high } = reference.bca;
  const table = grouped([sample]);
  const resampled = bootstrap(table, mean, { samples: 20_000, random: seededRandom(2) }).values;
  const score = scores(table, mean)[0]!;
  const interval = scoreInterval({ score, rows: 80, groups: 80, proportion: false, resampled, pseudo: pseudoValues(table, mean) });
  const widening = (interval.high - interval.low) / (high - low);
  expect(widening).toBeGreaterThan(1);
  expect(widening).toBeLessThan(1.05);
  expect((interval.low + interval.high) / 2).toBeCloseTo((low + high) / 2, 2);
});

test("a score that no sample moves still has an interval", () => {
  const table = grouped([ones(40, 40)]);
  const resampled = bootstrap(table, mean, { samples: 100, random: seededRandom(2) }).values;
  const interval = scoreInterval({ score: 1, rows: 40, groups: 40, proportion: false, resampled, pseudo: pseudoValues(table, mean) });
  expect(interval).toEqual({ low: expect.closeTo(40 / (40 + 3.8415), 3), high: 1 });
});

test("rows of one group are one piece of evidence: the interval is that of the groups", () => {
  const columns = [ones(15, 30).map((value) => 4 * value)];
  const clustered = grouped(
    columns,
    Array.from({ length: 30 }, () => 4),
  );
  const resampled = bootstrap(clustered, mean, { samples: 4000, random: seededRandom(3) }).values;
  const pseudo = pseudoValues(clustered, mean);
  const wide = scoreInterval({ score: 0.5, rows: 120, groups: 30, proportion: true, resampled, pseudo });
  const single = scoreInterval({ score: 0.5, rows: 30, groups: 30, proportion: true, resampled: [], pseudo: [] });
  expect((wide.high - wide.low) / (single.high - single.low)).toBeCloseTo(1.04, 1);
});

test("coverage over p in [.1, .9] is 95 +- 1.5 % at n = 100 and 300, and stays above 90 % at 30 and at the extremes", () => {
  expect(Math.abs(meanCoverage(100) - 0.95)).toBeLessThan(0.015);
  expect(Math.abs(meanCoverage(300) - 0.95)).toBeLessThan(0.015);
  expect([meanCoverage(30), exactCoverage(100, 0.02), exactCoverage(100, 0.98)].every((share) => share > 0.9)).toBe(true);
});

test("coverage of a graded mean near the ceiling, where the plain percentile bootstrap fails", () => {
  const metric = { ...mean, proportion: false };
  const group = (random: ReturnType<typeof seededRandom>) => ({
    sums: [random.next() < 0.9 ? 1 : random.next() < 0.5 ? 0 : random.next()],
    rows: 1,
  });
  const share = simulatedCoverage({ world: { metric, group }, groups: 100, runs: 400, samples: 400, seed: 1 });
  expect(Math.abs(share - 0.95)).toBeLessThan(0.03);
});

test("quantiles are interpolated", () => {
  expect(quantile([3, 1, 2, 4], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8, 12);
});

test("pseudo-values of a mean are the rows themselves", () => {
  const values = [0.2, 1, 0, 0.7];
  pseudoValues(grouped([values]), mean).forEach((value, index) => expect(value).toBeCloseTo(values[index]!, 12));
});

test("what a sample left out is scored on nothing else", () => {
  const table = grouped([
    [1, 0, 0.5],
    [0, 0, 1],
  ]);
  expect(leftOutScore(table, mean, Uint8Array.of(2, 1, 0), 0)).toBe(0.5);
  expect(leftOutScore(table, mean, Uint8Array.of(3, 0, 0), 1)).toBe(0.5);
  expect(leftOutScore(table, mean, Uint8Array.of(1, 1, 1), 1)).toBeUndefined();
});

test("two proportions: the band is Agresti and Min's interval with Student's quantile", () => {
  const n = 200;
  const [left, right] = [ones(120, n), Array.from({ length: n }, (_, index) => Number(index >= 30 && index < 140))];
  const { difference, low, high } = band(bandsOf(grouped([left, right]), 20_000), 0, 1);
  const [more, fewer] = [30.5, 20.5];
  const error = Math.sqrt(more + fewer - (more - fewer) ** 2 / (n + 1)) / (n + 1);
  expect(difference).toBeCloseTo(0.05, 12);
  expect((high - low) / 2 / error).toBeCloseTo(1.98, 1);
});

test("candidates that never differ are not known to be equal", () => {
  const { difference, low, high } = band(bandsOf(grouped([ones(30, 50), ones(30, 50), ones(10, 50)])), 0, 1);
  expect(difference).toBe(0);
  expect(high).toBeGreaterThan(0.05);
  expect(low).toBe(-high);
});

test("more candidates make every band wider", () => {
  const random = seededRandom(4);
  const columns = Array.from({ length: 12 }, () => Array.from({ length: 100 }, () => Number(random.next() < 0.6)));
  const [few, many] = [bandsOf(grouped(columns.slice(0, 2))), bandsOf(grouped(columns))].map((bands) => band(bands, 0, 1));
  expect(many!.high - many!.low).toBeGreaterThan(1.3 * (few!.high - few!.low));
});
