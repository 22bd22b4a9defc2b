// A few real steps on the clock, so that a plan can turn seconds into steps before the run.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TokenSequence } from "../model.ts";
import type { DecoderConfig } from "../nn/config.ts";
import type { Method } from "../nn/programs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { openBase } from "./base.ts";
import { epochUpdates, longestInput, type Update } from "./batches.ts";
import { commonDefaults, defaults } from "./defaults.ts";
import { startEngine } from "./engine.ts";
import { estimateTraining } from "./estimate.ts";
import { trainsLast } from "./tune-full.ts";

export interface MeasureStepOptions {
  readonly runtime: Runtime;
  /** What would be run, as in `tuneLora`, `tuneFull` and `pretrain`. */
  readonly run:
    | { readonly kind: "lora"; readonly basePath: string; readonly rank?: number }
    | { readonly kind: "full"; readonly basePath: string; readonly lastLayers?: number }
    | { readonly kind: "pretrain"; readonly config: DecoderConfig };
  readonly train: readonly TokenSequence[];
  readonly batchSize?: number;
  readonly batchTokens?: number;
  /** Steps on the clock, after one that is not. */
  readonly steps?: number;
  readonly signal?: AbortSignal;
  /** Seconds of a clock. */
  readonly now?: () => number;
}

export interface StepMeasurement {
  /** Of a step of mean size. */
  readonly secondsPerStep: number;
  /** From the file to the first step. */
  readonly startSeconds: number;
  /** Of `estimateTraining`, by which the time of other runs of this model is told. */
  readonly operationsPerSecond: number;
  /** The most memory that this process has held, in bytes. */
  readonly peakMemoryBytes: number;
}

/** Takes a few steps of a run that is then thrown away. */
export async function measureStep(options: MeasureStepOptions): Promise<StepMeasurement> {
  const { runtime, run, train, steps = 2, signal, now = () => performance.now() / 1000 } = options;
  const { batchSize = defaults[run.kind].batchSize, batchTokens = commonDefaults.batchTokens } = options;
  const updates = epochUpdates(train, { batchSize, batchTokens, seed: 0, epoch: 0 });
  const folder = await mkdtemp(join(tmpdir(), "sartor-measure-"));
  try {
    const began = now();
    await using engine = await startEngine({ runtime, ...(await source(run, longestInput(train))), folder, signal });
    const startSeconds = now() - began;
    const take = async (update: Update, step: number) => {
      signal?.throwIfAborted();
      // Without a learning rate the weights stay as they are; the work is the same.
      await engine.step(update, { step, learningRate: 0, weightDecay: 0, maxNorm: 1 });
    };
    const chosen = largestFirst(updates).slice(0, steps);
    await take(chosen[0] as Update, 1);
    const started = now();
    for (const [index, update] of chosen.entries()) await take(update, index + 2);
    const seconds = now() - started;
    return {
      secondsPerStep: ((seconds / places(chosen)) * places(updates)) / updates.length,
      startSeconds,
      operationsPerSecond: operationsOf(run, engine.model.config, chosen, batchSize) / seconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function operationsOf(run: MeasureStepOptions["run"], config: DecoderConfig, updates: readonly Update[], batchSize: number): number {
  const sequences = updates.flatMap(({ batches }) => batches.flatMap((batch) => batch.sequences));
  const lengths = sequences.map(({ tokens, promptLength }) => ({ tokens: tokens.length, promptLength }));
  return estimateTraining({ ...run, config, sequences: lengths, batchSize, epochs: 1 }).operations;
}

/** For as many positions as are used. */
async function source(run: MeasureStepOptions["run"], context: number) {
  const none = (tensor: string) => Promise.reject(new Error(`${tensor} is not frozen.`));
  if (run.kind === "pretrain")
    return { config: { ...run.config, context }, method: { kind: "full", trains: () => true } satisfies Method, read: none };
  const { config: whole, read, packed } = await openBase(run.basePath);
  const config = { ...whole, context };
  if (run.kind === "full")
    return { config, method: { kind: "full", trains: trainsLast(config, run.lastLayers) } satisfies Method, read, packed };
  const { rank = defaults.lora.rank } = run;
  return { config, method: { kind: "lora", rank, alpha: 1 } satisfies Method, read, packed };
}

// The largest shows the peak of memory.
function largestFirst(updates: readonly Update[]): readonly Update[] {
  return updates.toSorted((a, b) => places([b]) - places([a]));
}

function places(updates: readonly Update[]): number {
  return updates.flatMap(({ batches }) => batches).reduce((sum, { size, time }) => sum + size * time, 0);
}
