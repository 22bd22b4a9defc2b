// Settings of a run that make no sense, told before anything is computed. Knows what a setting may be, not what it does.

import { UserError } from "../errors.ts";
import { schedules } from "./schedule.ts";

interface Rule {
  readonly holds: (value: number) => boolean;
  readonly must: string;
}

const whole: Rule = { holds: (value) => Number.isInteger(value) && value >= 1, must: "a whole number from 1 on" };
const positive: Rule = { holds: (value) => value > 0 && Number.isFinite(value), must: "a number above 0" };
const share: Rule = { holds: (value) => value >= 0 && value <= 1, must: "a share from 0 to 1" };

const rules: { readonly [setting: string]: Rule } = {
  learningRate: positive,
  epochs: whole,
  maxSteps: whole,
  batchSize: whole,
  batchTokens: whole,
  patience: whole,
  checkpointEvery: whole,
  rank: whole,
  alpha: positive,
  dropout: { holds: (value) => value >= 0 && value < 1, must: "a share from 0 to below 1" },
  newTokens: { holds: (value) => Number.isInteger(value) && value >= 0, must: "a whole number from 0 on" },
  warmup: share,
  weightDecay: { holds: (value) => value >= 0 && Number.isFinite(value), must: "a number from 0 on" },
  "replay.share": positive,
  "replay.weight": { holds: (value) => value >= 0 && Number.isFinite(value), must: "a number from 0 on" },
  "kl.weight": positive,
  maxNorm: positive,
};

type Settings = { readonly [setting: string]: unknown };

/** @throws {UserError} for the first number that its setting cannot be, or a schedule that there is not. */
export function checkSettings(settings: Settings): void {
  for (const [name, { holds, must }] of Object.entries(rules)) {
    const value = name.split(".").reduce<unknown>((at, key) => (at as Settings | undefined)?.[key], settings);
    if (value === undefined || (typeof value === "number" && holds(value))) continue;
    throw new UserError(`${name} is ${JSON.stringify(value)}. Give ${must}.`);
  }
  const { schedule } = settings;
  if (schedule !== undefined && !schedules.some((known) => known === schedule))
    throw new UserError(`schedule is ${JSON.stringify(schedule)}. Give one of: ${schedules.join(", ")}.`);
}
