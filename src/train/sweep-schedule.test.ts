import fc from "fast-check";
import { expect, test } from "vitest";
import { sweepSchedule } from "./sweep-schedule.ts";

const grid = { learningRate: [1e-3, 3e-4, 3e-3], epochs: [10, 5], rank: [8, 32] };
const data = { grid, epochTokens: 4000, stepsPerEpoch: 20 };

test("with a budget for all, all are tried and halved down to one, each round reading as much", () => {
  const { settings, rungs } = sweepSchedule({ ...data, budgetTokens: 120_000 });
  expect(settings.length).toBe(12);
  expect(settings.slice(0, 4)).toEqual([
    { learningRate: 1e-3, epochs: 10, rank: 8 },
    { learningRate: 1e-3, epochs: 10, rank: 32 },
    { learningRate: 1e-3, epochs: 5, rank: 8 },
    { learningRate: 3e-4, epochs: 10, rank: 8 },
  ]);
  expect(rungs).toEqual([
    { trials: 12, steps: 10 },
    { trials: 6, steps: 20 },
    { trials: 3, steps: 40 },
    { trials: 2, steps: 60 },
    { trials: 1, steps: 120 },
  ]);
});

test("a smaller budget tries fewer, the likeliest; too small a one is named", () => {
  expect(sweepSchedule({ ...data, budgetTokens: 10_000 })).toEqual({
    settings: [
      { learningRate: 1e-3, epochs: 10, rank: 8 },
      { learningRate: 1e-3, epochs: 10, rank: 32 },
    ],
    rungs: [
      { trials: 2, steps: 12 },
      { trials: 1, steps: 25 },
    ],
  });
  expect(() => sweepSchedule({ ...data, budgetTokens: 1000 })).toThrow(
    "A sweep within 1000 tokens would be 5 steps. Give it at least 1600.",
  );
});

test("whatever the budget, all trials together stay within it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1600, max: 10_000_000 }), fc.integer({ min: 1, max: 20 }), (budgetTokens, stepsPerEpoch) => {
      const epochTokens = 200 * stepsPerEpoch;
      const { settings, rungs } = sweepSchedule({ grid, budgetTokens, epochTokens, stepsPerEpoch });
      expect(rungs.reduce((sum, { trials, steps }) => sum + 200 * trials * steps, 0)).toBeLessThanOrEqual(budgetTokens);
      expect(rungs[0]?.trials).toBe(settings.length);
      expect(rungs.at(-1)?.trials).toBe(1);
    }),
  );
});
