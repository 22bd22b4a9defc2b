// Settings of LoRA chosen by validation loss: successive halving over learning rate, epochs and rank. Yields what happens.

import { join } from "node:path";
import { UserError } from "../errors.ts";
import { contentKey } from "../util/hash.ts";
import { openBase } from "./base.ts";
import { updatesPerEpoch } from "./batches.ts";
import { chooseSettings } from "./choose.ts";
import type { DoneEvent, StepEvent } from "./events.ts";
import { Diverged, plannedSteps } from "./loop.ts";
import { type Rung, type SweepGrid, sweepSchedule, type SweepSettings } from "./sweep-schedule.ts";
import { type LoraResult, tuneLora, type TuneLoraOptions } from "./tune-lora.ts";

export interface SweepLoraOptions extends Omit<TuneLoraOptions, keyof SweepSettings | "alpha" | "maxSteps"> {
  /** Tokens that all trials together may read; validation is not counted. */
  readonly budgetTokens: number;
  /** What is tried, the likeliest first; without it values about those that fit the data's size. */
  readonly grid?: Partial<SweepGrid>;
}

/** A trial of a round, once it is done. */
export interface Trial {
  readonly settings: SweepSettings;
  /** From 1. */
  readonly round: number;
  readonly steps: number;
  /** The lowest of its epochs, in nats a token; infinite where it diverged. */
  readonly validationLoss: number;
}

export type SweepEvent =
  | { readonly kind: "schedule"; readonly settings: readonly SweepSettings[]; readonly rungs: readonly Rung[] }
  | { readonly kind: "step"; readonly settings: SweepSettings; readonly round: number; readonly step: StepEvent }
  | ({ readonly kind: "trial" } & Trial)
  | ({ readonly kind: "done"; readonly settings: SweepSettings; readonly trials: readonly Trial[] } & {
      readonly run: DoneEvent<LoraResult>;
    });

/**
 * Tunes with several settings, ever longer with ever fewer of them; the last event holds the run of those that were best on validation.
 * Alpha is twice the rank. With a checkpoint folder a sweep that was stopped goes on.
 * @throws {UserError} without validation sequences, for a budget that is too small, or where every trial diverges.
 */
export async function* sweepLora({ budgetTokens, grid: given, ...options }: SweepLoraOptions): AsyncGenerator<SweepEvent> {
  const { train, validation, basePath } = options;
  if (validation.length === 0) throw new UserError("There are no validation examples to choose settings by. Give some.");
  const { config } = await openBase(basePath);
  const sequences = train.map(({ tokens, promptLength }) => ({ tokens: tokens.length, promptLength }));
  const chosen = chooseSettings({ kind: "lora", config, sequences });
  const { batchSize = chosen.batchSize } = options;
  const schedule = sweepSchedule({
    grid: { ...gridAbout(chosen), ...given },
    budgetTokens,
    epochTokens: sequences.reduce((sum, { tokens }) => sum + tokens - 1, 0),
    stepsPerEpoch: updatesPerEpoch(train.length, { batchSize }),
  });
  yield { kind: "schedule", ...schedule };
  const trials: Trial[] = [];
  let left = schedule.settings;
  for (const [index, { steps }] of schedule.rungs.entries()) {
    const round = yield* tryAll({ ...options, batchSize, steps, round: index + 1 }, left);
    trials.push(...round.trials);
    const best = round.trials.toSorted((a, b) => a.validationLoss - b.validationLoss);
    const next = schedule.rungs[index + 1];
    left = best.slice(0, next?.trials).map(({ settings }) => settings);
    const [settings] = left;
    if (settings === undefined || best[0]?.validationLoss === Number.POSITIVE_INFINITY)
      throw new UserError("Every trial of the sweep diverged. Lower the learning rates.");
    if (next === undefined) yield { kind: "done", settings, trials, run: round.last as DoneEvent<LoraResult> };
  }
}

type Round = Omit<SweepLoraOptions, "budgetTokens" | "grid" | "batchSize"> & {
  readonly batchSize: number;
  readonly steps: number;
  readonly round: number;
};

/** The trials of a round, and the last one's run. Trials that only differ in epochs that they would not reach are one. */
async function* tryAll(
  { steps, round, ...options }: Round,
  all: readonly SweepSettings[],
): AsyncGenerator<SweepEvent, { readonly trials: readonly Trial[]; readonly last: DoneEvent<LoraResult> | undefined }> {
  const done = new Map<string, Tried>();
  const trials: Trial[] = [];
  let last: Tried = { validationLoss: Number.NaN, steps };
  for (const settings of all) {
    const planned = plannedSteps({ ...options, epochs: settings.epochs, maxSteps: steps });
    const key = contentKey({ ...settings, epochs: planned });
    last = done.get(key) ?? (yield* tryOut({ ...options, settings, steps: planned, round }));
    const { run: _run, ...told } = last;
    done.set(key, told);
    const trial = { settings, round, ...told };
    trials.push(trial);
    yield { kind: "trial", ...trial };
  }
  return { trials, last: last.run };
}

interface Tried extends Pick<Trial, "steps" | "validationLoss"> {
  readonly run?: DoneEvent<LoraResult>;
}

async function* tryOut(options: Round & { readonly settings: SweepSettings }): AsyncGenerator<SweepEvent, Tried> {
  const { settings, steps, round, checkpointFolder, ...training } = options;
  const key = contentKey({ ...settings, steps }).slice(0, 16);
  const folder = checkpointFolder === undefined ? {} : { checkpointFolder: join(checkpointFolder, key) };
  try {
    for await (const event of tuneLora({ ...training, ...settings, ...folder, alpha: 2 * settings.rank, maxSteps: steps })) {
      if (event.kind === "step") yield { kind: "step", settings, round, step: event };
      if (event.kind !== "done") continue;
      const losses = event.losses.map(({ validation = Number.POSITIVE_INFINITY }) => validation);
      return { steps: event.steps, validationLoss: Math.min(...losses), run: event };
    }
    throw new Error("A trial ended without its last event.");
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return { steps, validationLoss: Number.POSITIVE_INFINITY };
  }
}

function gridAbout({ learningRate, epochs, rank }: SweepSettings): SweepGrid {
  const rounded = (value: number) => Number(value.toPrecision(1));
  return {
    learningRate: [learningRate, rounded(learningRate / 3), rounded(3 * learningRate)],
    epochs: [epochs, Math.ceil(epochs / 2)],
    rank: [rank, 4 * rank],
  };
}
