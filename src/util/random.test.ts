import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "./random.ts";

test("a seed always gives the same numbers", () => {
  const random = seededRandom(7);
  expect([random.next(), random.integer(100), random.normal(), random.shuffle(["a", "b", "c", "d"])]).toMatchInlineSnapshot(`
    [
      0.484004583096062,
      97,
      -2.8834262191790514,
      [
        "b",
        "d",
        "a",
        "c",
      ],
    ]
  `);
  expect(seededRandom("7").next()).toBe(seededRandom(7).next());
});

test("neighbouring seeds give unrelated numbers", () => {
  const firsts = Array.from({ length: 2000 }, (_, seed) => seededRandom(seed).next());
  const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
  const lagged = firsts.slice(1).reduce((sum, value, index) => sum + (value - mean) * ((firsts[index] as number) - mean), 0);
  const variance = firsts.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
  expect(Math.abs(lagged / variance)).toBeLessThan(0.09);
});

test("normal numbers have mean 0 and variance 1", () => {
  const random = seededRandom("normal");
  const values = Array.from({ length: 20_000 }, () => random.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(variance).toBeCloseTo(1, 1);
});

test("a shuffle is a permutation, and leaves its argument alone", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      const before = [...items];
      const shuffled = seededRandom(seed).shuffle(items);
      expect(items).toEqual(before);
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
    }),
  );
});

test("every order of three items comes about equally often", () => {
  const random = seededRandom(1);
  const counts = new Map<string, number>();
  for (let turn = 0; turn < 6000; turn++) {
    const order = random.shuffle(["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test.each([0, -1, 1.5, Number.NaN])("integer(%d) is refused", (n) => {
  expect(() => seededRandom(0).integer(n)).toThrow(RangeError);
});
