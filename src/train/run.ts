// What all training runs share: a folder, an engine, first weights, the loop, the record. Each kind of run adds what it learns.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { TokenSequence } from "../model.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { learntCount, type Method } from "../nn/programs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { contentKey } from "../util/hash.ts";
import { baseHidden, type KlOptions } from "./anchor.ts";
import { average, type Averaged, type AveragingOptions, checkAveraging } from "./averaging.ts";
import { checkSequences, longestInput } from "./batches.ts";
import { checkSettings } from "./check.ts";
import { Checkpoints, type Progress } from "./checkpoint.ts";
import { commonDefaults } from "./defaults.ts";
import { type Engine, startEngine } from "./engine.ts";
import type { DoneEvent, TrainingEvent } from "./events.ts";
import { trainingLoop } from "./loop.ts";
import type { Precision } from "./graphs.ts";
import type { ReplayOptions } from "./replay.ts";
import type { Schedule } from "./schedule.ts";
import { sequencesKey } from "./sequences-key.ts";
import type { PackedWeights, ReadWeights } from "./weights-file.ts";

/** What every kind of run takes; each has its own defaults. */
export interface TrainingOptions {
  readonly runtime: Runtime;
  readonly train: readonly TokenSequence[];
  /** After each epoch their loss is measured; the epoch with the lowest is kept. Without any, the last one is. */
  readonly validation: readonly TokenSequence[];
  readonly learningRate?: number;
  readonly epochs?: number;
  /** Fewer steps than the epochs would take. */
  readonly maxSteps?: number;
  /** Sequences an update. */
  readonly batchSize?: number;
  /** Tokens computed at once, filling included; an update of more is split and its gradients are added up. Bounds memory. */
  readonly batchTokens?: number;
  /** How the learning rate falls after the warm-up. */
  readonly schedule?: Schedule;
  /** Share of the steps in which the learning rate rises. */
  readonly warmup?: number;
  readonly weightDecay?: number;
  /** Gradients are scaled down to this norm. */
  readonly maxNorm?: number;
  /** Epochs without a better validation loss after which the run ends. */
  readonly patience?: number;
  readonly seed?: number;
  /** "fast": products with frozen matrices are of bytes, about half as much time again for a rougher gradient. Default "exact". */
  readonly precision?: Precision;
  /** Where the run's state is kept, so that the same call goes on after a stop. Without it a stop loses the run. */
  readonly checkpointFolder?: string;
  /** Steps between checkpoints. */
  readonly checkpointEvery?: number;
  readonly signal?: AbortSignal;
  /** Seconds of a clock; only reported, never decided by. */
  readonly now?: () => number;
}

/** What tuning takes besides, against forgetting (McCloskey and Cohen 1989): all can be combined. */
export interface TuneOptions extends TrainingOptions {
  /** General texts that are learnt beside the task's. */
  readonly replay?: ReplayOptions;
  /** Keeps the predictions near to the base model's. */
  readonly kl?: KlOptions;
  /** Goes a part of the way back to the base model at the end. */
  readonly averaging?: AveragingOptions;
}

export interface RunOptions<R> {
  readonly config: DecoderConfig;
  readonly method: Method;
  readonly training: TuneOptions & Required<Pick<TrainingOptions, "learningRate" | "epochs" | "batchSize" | "weightDecay">>;
  readonly read: ReadWeights;
  readonly packed?: PackedWeights | undefined;
  /** Whatever else decides the weights: goes into the key of the checkpoint. */
  readonly identity: unknown;
  /** Writes the first weights into the engine. */
  readonly begin: (engine: Engine) => Promise<void>;
  /** Takes what was learnt down to a share of it: from the tuned weights towards the first ones. */
  readonly shrink?: (engine: Engine, factor: number) => Promise<void>;
  /** Reads the best weights out of it. */
  readonly finish: (engine: Engine) => Promise<R>;
}

/** Steps between checkpoints: about two minutes of a small model's. */
const CHECKPOINT_EVERY = 50;
const clock = () => performance.now() / 1000;

/** Trains and yields what happens; the last event holds what was learnt. */
export async function* runTraining<R>(options: RunOptions<R>): AsyncGenerator<TrainingEvent<R>> {
  const { config, method, read, packed, identity, begin, finish } = options;
  const { runtime, signal, checkpointFolder, checkpointEvery = CHECKPOINT_EVERY, now = clock, ...decisive } = options.training;
  // All that the weights hang on: how often checkpoints are made, and where, does not.
  const settings = { ...commonDefaults, ...decisive };
  checkSettings({ ...settings, checkpointEvery });
  checkData(settings, config);
  const began = now();
  const scratch = await mkdtemp(join(tmpdir(), "sartor-training-"));
  try {
    // Rotary tables for all 131,072 positions of some models would take seconds and 100 MB.
    const { train, validation, replay, kl, precision } = settings;
    const used = { ...config, context: longestInput([...train, ...validation, ...(replay?.sequences ?? [])]) };
    const anchored = kl !== undefined;
    await using engine = await startEngine({ runtime, config: used, method, anchored, read, packed, folder: scratch, precision, signal });
    await begin(engine);
    const key = await runKey(config, identity, settings);
    const checkpoints = new Checkpoints({ folder: checkpointFolder ?? join(scratch, "checkpoints"), key });
    const anchor = await findAnchor(engine, settings, signal);
    const progress = yield* trainingLoop(engine, { ...settings, anchor, signal, now, checkpointEvery, checkpoints });
    const averaged = await averageWeights(engine, options, { checkpoints, progress });
    const learnt = await finish(engine);
    const done: DoneEvent<R> = {
      kind: "done",
      losses: progress.losses,
      bestEpoch: progress.best?.epoch ?? 0,
      steps: progress.step,
      stoppedEarly: progress.stoppedEarly,
      seconds: now() - began,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      trainedParameters: learntCount(engine.model),
      ...(progress.diverged !== undefined && { diverged: progress.diverged }),
      ...(averaged && { averaged }),
      ...learnt,
    };
    yield done;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Data = Pick<TuneOptions, "train" | "validation" | "replay" | "kl" | "averaging">;

function checkData({ train, validation, replay, kl, averaging }: Data, config: DecoderConfig): void {
  const texts = { "the training data": train, ...(replay && { "the replayed texts": replay.sequences }) };
  for (const [name, sequences] of Object.entries(texts))
    if (sequences.length === 0) throw new UserError(`There is nothing in ${name}. Give at least one sequence.`);
  for (const [name, sequences] of Object.entries({ ...texts, "the validation data": validation })) checkSequences(sequences, config, name);
  if (averaging !== undefined) checkAveraging(averaging, validation);
  if (kl !== undefined && (kl.on ?? "replay") === "replay" && replay === undefined)
    throw new UserError(`kl is to be taken on replayed texts, and there are none. Give replay.sequences, or set kl.on to "task".`);
}

/** Differs whenever the weights could. */
async function runKey(config: DecoderConfig, identity: unknown, { train, validation, replay, ...settings }: Data): Promise<string> {
  const [learnt, held, replayed] = await Promise.all([train, validation, replay?.sequences ?? []].map(sequencesKey));
  return contentKey({
    config,
    identity,
    ...settings,
    replay: replay && { ...replay, sequences: replayed },
    train: learnt,
    validation: held,
  });
}

async function findAnchor(
  engine: Engine,
  { train, replay, kl, batchTokens }: Data & { readonly batchTokens: number },
  signal?: AbortSignal,
) {
  if (kl === undefined) return undefined;
  const sequences = kl.on === "task" ? train : (replay?.sequences ?? []);
  return { kl, hidden: await baseHidden(engine, sequences, { batchTokens, signal }) };
}

/** Leaves the chosen weights in the engine, where some are to be chosen. */
async function averageWeights<R>(
  engine: Engine,
  { training, shrink }: RunOptions<R>,
  { checkpoints, progress }: { readonly checkpoints: Checkpoints; readonly progress: Progress },
): Promise<Averaged | undefined> {
  const { averaging, validation, batchTokens = commonDefaults.batchTokens, signal } = training;
  if (averaging === undefined || shrink === undefined) return undefined;
  const place = async (factor: number) => {
    await checkpoints.loadBest(engine, progress.best?.epoch ?? 0);
    if (factor < 1) await shrink(engine, factor);
  };
  return average(engine, { ...averaging, validation, batchTokens, place, signal });
}
