// What all training runs share: a folder, an engine, first weights, the loop, the record. Each kind of run adds what it learns.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TokenSequence } from "../model.ts";
import type { LlamaConfig } from "../nn/config.ts";
import type { Method } from "../nn/programs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { contentKey } from "../util/hash.ts";
import { checkSequences } from "./batches.ts";
import { Checkpoints } from "./checkpoint.ts";
import { commonDefaults } from "./defaults.ts";
import { type Engine, startEngine } from "./engine.ts";
import type { DoneEvent, TrainingEvent } from "./events.ts";
import { type LoopOptions, trainingLoop } from "./loop.ts";
import { sequencesKey } from "./sequences-key.ts";
import type { ReadWeights } from "./weights-file.ts";

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
  /** Share of the steps in which the learning rate rises. */
  readonly warmup?: number;
  readonly weightDecay?: number;
  /** Gradients are scaled down to this norm. */
  readonly maxNorm?: number;
  /** Epochs without a better validation loss after which the run ends. */
  readonly patience?: number;
  readonly seed?: number;
  /** Where the run's state is kept, so that the same call goes on after a stop. Without it a stop loses the run. */
  readonly checkpointFolder?: string;
  /** Steps between checkpoints. */
  readonly checkpointEvery?: number;
  readonly signal?: AbortSignal;
  /** Seconds of a clock; only reported, never decided by. */
  readonly now?: () => number;
}

export interface RunOptions<R> {
  readonly config: LlamaConfig;
  readonly method: Method;
  readonly training: TrainingOptions & Required<Pick<TrainingOptions, "learningRate" | "epochs" | "batchSize" | "weightDecay">>;
  readonly read: ReadWeights;
  /** Whatever else decides the weights: goes into the key of the checkpoint. */
  readonly identity: unknown;
  /** Writes the first weights into the engine. */
  readonly begin: (engine: Engine) => Promise<void>;
  /** Reads the best weights out of it. */
  readonly finish: (engine: Engine) => Promise<R>;
}

/** Trains and yields what happens; the last event holds what was learnt. */
export async function* runTraining<R>({
  config,
  method,
  training,
  read,
  identity,
  begin,
  finish,
}: RunOptions<R>): AsyncGenerator<TrainingEvent<R>> {
  const { runtime, train, validation, signal, checkpointFolder, now = () => performance.now() / 1000 } = training;
  checkSequences(train, config.context, "the training data");
  checkSequences(validation, config.context, "the validation data");
  const began = now();
  const scratch = await mkdtemp(join(tmpdir(), "sartor-training-"));
  try {
    await using engine = await startEngine({ runtime, config, method, read, folder: scratch, signal });
    await begin(engine);
    const options = loopOptions(training, now);
    const key = runKey(config, identity, options);
    const checkpoints = new Checkpoints({ folder: checkpointFolder ?? join(scratch, "checkpoints"), key });
    const progress = yield* trainingLoop(engine, { ...options, checkpoints });
    const learnt = await finish(engine);
    const done: DoneEvent<R> = {
      kind: "done",
      losses: progress.losses,
      bestEpoch: progress.best?.epoch ?? 0,
      steps: progress.step,
      stoppedEarly: progress.stoppedEarly,
      seconds: now() - began,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      trainedParameters: engine.size,
      ...learnt,
    };
    yield done;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type LoopSettings = Omit<LoopOptions, "checkpoints">;

function loopOptions(training: RunOptions<unknown>["training"], now: () => number): LoopSettings {
  return { ...commonDefaults, ...training, now };
}

/** Differs whenever the weights could. How often checkpoints are made does not matter. */
function runKey(config: LlamaConfig, identity: unknown, options: LoopSettings): string {
  const {
    train,
    validation,
    learningRate,
    warmup,
    weightDecay,
    maxNorm,
    epochs,
    maxSteps = null,
    patience,
    batchSize,
    batchTokens,
    seed,
  } = options;
  return contentKey({
    config,
    identity,
    train: sequencesKey(train),
    validation: sequencesKey(validation),
    learningRate,
    warmup,
    weightDecay,
    maxNorm,
    epochs,
    maxSteps,
    patience,
    batchSize,
    batchTokens,
    seed,
  });
}
