import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, cost, counted, difference, interval, moment, plain, roundCost, score, seconds, share } from "./figures.ts";

test.each([
  [0, "0 s"],
  [0.00042, "0.42 ms"],
  [0.0042, "4.2 ms"],
  [0.042, "42 ms"],
  [0.9996, "1.0 s"],
  [1.14, "1.1 s"],
  [9.97, "10 s"],
  [42, "42 s"],
  [214, "3.6 min"],
  [655, "11 min"],
  [7200, "2.0 h"],
  [864_000, "10 days"],
])("%d seconds are %s", (value, text) => {
  expect(seconds(value)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [999_900, "1.0 MB"],
  [98_362_432, "98 MB"],
  [1.9e9, "1.9 GB"],
  [25_769_803_776, "26 GB"],
])("%d bytes are %s", (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([
  [0, "$0"],
  [0.00004, "<$0.0001"],
  [0.0042, "$0.0042"],
  [0.42, "$0.42"],
  [4.2, "$4.20"],
  [4200, "$4,200"],
])("%d dollars are %s", (value, text) => {
  expect(cost(value, "dollars")).toBe(text);
});

test("money where one's own machine is not priced is its time", () => {
  expect([cost(340, "machine-seconds"), roundCost(0.00001, "dollars"), roundCost(100, "machine-seconds")]).toEqual([
    "5.7 min",
    "$0.00001",
    "100 s",
  ]);
});

test("scores, differences and intervals have three decimals and a true minus", () => {
  expect([score(0.6994), score(-0.1), difference(0.0344), difference(-0.0344), difference(0.0001), difference(-0.0001)]).toEqual([
    "0.699",
    "\u22120.100",
    "+0.034",
    "\u22120.034",
    "0.000",
    "0.000",
  ]);
  expect(interval({ low: -0.2, high: 0.1 })).toBe("\u22120.200 to 0.100");
});

test("counts, shares, moments", () => {
  expect([
    counted(1, "epoch"),
    counted(1200, "example"),
    share(0.055),
    share(0.78),
    moment("2026-11-01T10:12:44.000Z"),
    moment("yesterday"),
  ]).toEqual(["1 epoch", "1,200 examples", "5.5 %", "78 %", "2026-11-01 10:12 UTC", "yesterday"]);
});

test("numbers without a unit are as long as they need to be", () => {
  expect([0.0002, 0.5, 8, 1080, -0.25, 12.3456].map(plain)).toEqual(["0.0002", "0.5", "8", "1,080", "\u22120.25", "12.3"]);
});

test("no amount is written in powers of ten", () => {
  const amount = fc.double({ min: 0, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(amount, (value) => {
      for (const text of [seconds(value), bytes(value), cost(value, "dollars"), roundCost(value, "dollars"), score(value)])
        expect(text).not.toMatch(/e[+-]/u);
    }),
    { seed: 1 },
  );
});
