// Which settings a sweep tries, and how far each trial is trained: successive halving within a budget of tokens. Pure.

import { UserError } from "../errors.ts";

export interface SweepSettings {
  readonly learningRate: number;
  readonly epochs: number;
  readonly rank: number;
}

/** Values of each setting, the likeliest first. */
export type SweepGrid = { readonly [S in keyof SweepSettings]: readonly number[] };

export interface SweepScheduleOptions {
  readonly grid: SweepGrid;
  /** Tokens that all trials together may read. */
  readonly budgetTokens: number;
  /** Of the training data, read once. */
  readonly epochTokens: number;
  readonly stepsPerEpoch: number;
}

/** A round of trials. */
export interface Rung {
  readonly trials: number;
  /** Each trial takes these steps, or fewer where its epochs are done earlier. */
  readonly steps: number;
}

export interface SweepSchedule {
  /** What the first round tries, the likeliest first. */
  readonly settings: readonly SweepSettings[];
  /** Each round tries the better half of the round before; the last trains the one that is left. */
  readonly rungs: readonly Rung[];
}

/** Fewer steps than these tell nothing. */
const FEWEST_STEPS = 8;

/**
 * As many of the grid's combinations as the budget gives {@link FEWEST_STEPS} steps each, halved from round to round down to one, every
 * round reading the same number of tokens (Karnin et al. 2013; Jamieson and Talwalkar 2016, https://arxiv.org/abs/1502.07943). Each trial is
 * trained anew with a schedule as long as it runs: one that is cut in the middle of its learning rate's curve tells little of its end.
 * @throws {UserError} if the budget is too small for a single run.
 */
export function sweepSchedule({ grid, budgetTokens, epochTokens, stepsPerEpoch }: SweepScheduleOptions): SweepSchedule {
  const tokensAStep = epochTokens / stepsPerEpoch;
  const all = combinations(grid);
  for (let count = all.length; count >= 1; count--) {
    const trials = halvings(count);
    const rungs = trials.map((of): Rung => ({ trials: of, steps: Math.floor(budgetTokens / (trials.length * of * tokensAStep)) }));
    if ((rungs[0] as Rung).steps >= FEWEST_STEPS) return { settings: all.slice(0, count), rungs };
  }
  throw new UserError(
    `A sweep within ${Math.floor(budgetTokens)} tokens would be ${Math.floor(budgetTokens / tokensAStep)} steps. Give it at least ${Math.ceil(FEWEST_STEPS * tokensAStep)}.`,
  );
}

/** 6, 3, 2, 1. */
function halvings(count: number): readonly number[] {
  return count === 1 ? [1] : [count, ...halvings(Math.ceil(count / 2))];
}

/** All combinations, those of the likeliest values first. */
function combinations({ learningRate, epochs, rank }: SweepGrid): readonly SweepSettings[] {
  const all = learningRate.flatMap((rate, a) =>
    epochs.flatMap((count, b) =>
      rank.map((value, c) => ({ settings: { learningRate: rate, epochs: count, rank: value }, unlikely: a + b + c })),
    ),
  );
  return all.toSorted((a, b) => a.unlikely - b.unlikely).map(({ settings }) => settings);
}
