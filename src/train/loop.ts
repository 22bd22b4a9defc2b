// The loop of a run: epochs of updates, validation, the best weights kept, checkpoints. Knows no model.

import { UserError } from "../errors.ts";
import type { TokenSequence } from "../model.ts";
import { anchored } from "./anchor.ts";
import { type BatchOptions, epochGroups, evaluationBatches, makeUpdate, type Update, updatesPerEpoch } from "./batches.ts";
import type { Checkpoints, Progress } from "./checkpoint.ts";
import type { Engine } from "./engine.ts";
import type { EpochEvent, EpochLoss, StepEvent } from "./events.ts";
import { type ReplayOptions, withReplay } from "./replay.ts";
import { learningRateAt, type Schedule } from "./schedule.ts";

export interface LoopOptions extends BatchOptions {
  readonly train: readonly TokenSequence[];
  readonly validation: readonly TokenSequence[];
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly maxNorm: number;
  readonly epochs: number;
  /** Fewer steps than the epochs would take. */
  readonly maxSteps?: number | undefined;
  /** Epochs without a better validation loss after which the run ends. */
  readonly patience: number;
  /** Steps between checkpoints; one is made after each epoch anyway. */
  readonly checkpointEvery: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly checkpoints: Checkpoints;
  /** General texts in every update. */
  readonly replay?: ReplayOptions | undefined;
  /** What keeps updates near to the base model. */
  readonly anchor?: Parameters<typeof anchored>[1] | undefined;
  /** Seconds. */
  readonly now: () => number;
}

/** Steps that a run plans. */
export function plannedSteps({
  train,
  batchSize,
  epochs,
  maxSteps = Number.POSITIVE_INFINITY,
}: Pick<LoopOptions, "train" | "batchSize" | "epochs" | "maxSteps">): number {
  return Math.min(epochs * updatesPerEpoch(train.length, { batchSize }), maxSteps);
}

/** The loss exploded, or is no number any more. */
export class Diverged extends UserError {}

export interface Outcome extends Progress {
  /** What ended the run, where the loss was no number any more or exploded after an epoch had gone well. */
  readonly diverged?: string;
}

/**
 * Trains to the end, from where the checkpoint stands, and leaves the best weights in the engine. Returns how the run went.
 * @throws {UserError} when the loss is no number any more or explodes in the first epoch.
 */
export async function* trainingLoop(engine: Engine, options: LoopOptions): AsyncGenerator<StepEvent | EpochEvent, Outcome> {
  const outcome = yield* epochs(engine, options);
  if (outcome.best !== undefined) await options.checkpoints.loadBest(engine, outcome.best.epoch);
  return outcome;
}

async function* epochs(engine: Engine, options: LoopOptions): AsyncGenerator<StepEvent | EpochEvent, Outcome> {
  const { checkpoints, signal, train, checkpointEvery } = options;
  const steps = plannedSteps(options);
  const perEpoch = updatesPerEpoch(train.length, options);
  let progress = (await checkpoints.load(engine)) ?? start;
  let groups: readonly (readonly TokenSequence[])[] = [];
  let ordered = -1;
  while (progress.step < steps && !progress.stoppedEarly) {
    signal?.throwIfAborted();
    const epoch = Math.floor(progress.step / perEpoch);
    if (ordered !== epoch) groups = epochGroups(train, { ...options, epoch });
    ordered = epoch;
    const update = updateOf(groups[progress.step % perEpoch] as readonly TokenSequence[], progress.step, options);
    const event = await takeStep(engine, update, progress, steps, options).catch(orDiverged);
    // Not saved: a run that goes on finds the same.
    if (event instanceof Diverged && progress.best !== undefined) return { ...progress, stoppedEarly: true, diverged: event.message };
    if (event instanceof Diverged) throw event;
    progress = advance(progress, event.loss, update.rows);
    yield event;
    if (progress.step % perEpoch === 0 || progress.step === steps) {
      const ended = await endEpoch(engine, progress, epoch + 1, options);
      progress = ended.progress;
      await checkpoints.save(engine, progress);
      await checkpoints.dropBestExcept(progress.best?.epoch ?? epoch + 1);
      yield ended.event;
    } else if (progress.step % checkpointEvery === 0) await checkpoints.save(engine, progress);
  }
  return progress;
}

function orDiverged(error: unknown): Diverged {
  if (error instanceof Diverged) return error;
  throw error;
}

const start: Progress = { step: 0, losses: [], running: { loss: 0, rows: 0 }, stoppedEarly: false };

/** Made when its turn comes: an epoch may be long. */
function updateOf(group: readonly TokenSequence[], index: number, { replay, anchor, ...options }: LoopOptions): Update {
  const plain = makeUpdate(group, options.batchTokens);
  const update = replay === undefined ? plain : withReplay(plain, { ...options, replay, index });
  return anchor === undefined ? update : anchored(update, anchor);
}

async function takeStep(engine: Engine, update: Update, progress: Progress, of: number, options: LoopOptions): Promise<StepEvent> {
  const { now, weightDecay, maxNorm, seed } = options;
  const step = progress.step + 1;
  const learningRate = learningRateAt(step, { ...options, steps: of });
  const began = now();
  const { loss, penalty, norm } = await engine.step(update, { step, learningRate, weightDecay, maxNorm, seed });
  // Twice the loss of guessing every token alike, or of the start: the weights are broken.
  const limit = 2 * Math.max(Math.log(engine.model.config.vocabulary), progress.firstLoss ?? loss);
  if (!Number.isFinite(norm) || !(loss <= limit)) {
    throw new Diverged(
      `Training diverged at step ${step} of ${of}: loss ${loss.toFixed(2)}, gradient norm ${norm.toFixed(2)}, learning rate ${learningRate}. Lower the learning rate.`,
    );
  }
  const more = update.batches.some(({ of: kind, anchor }) => kind === "replay" || anchor !== undefined) ? { penalty } : {};
  return { kind: "step", step, of, loss, ...more, tokensPerSecond: update.tokenCount / (now() - began), learningRate };
}

function advance({ step, running, firstLoss, ...progress }: Progress, loss: number, rows: number): Progress {
  return {
    ...progress,
    step: step + 1,
    firstLoss: firstLoss ?? loss,
    running: { loss: running.loss + loss * rows, rows: running.rows + rows },
  };
}

async function endEpoch(
  engine: Engine,
  progress: Progress,
  epoch: number,
  options: LoopOptions,
): Promise<{ progress: Progress; event: EpochEvent }> {
  const trainLoss = progress.running.loss / progress.running.rows;
  const validationLoss = await meanLoss(engine, options);
  // Without validation the last weights count as the best.
  const best = validationLoss === undefined || validationLoss < (progress.best?.loss ?? Number.POSITIVE_INFINITY);
  if (best) await options.checkpoints.saveBest(engine, epoch);
  const kept = best ? { epoch, loss: validationLoss ?? trainLoss } : (progress.best as NonNullable<Progress["best"]>);
  const validation = validationLoss === undefined ? {} : { validation: validationLoss };
  const losses: readonly EpochLoss[] = [...progress.losses, { epoch, train: trainLoss, ...validation }];
  const stoppedEarly = epoch - kept.epoch >= options.patience;
  return {
    progress: { ...progress, losses, running: start.running, best: kept, stoppedEarly },
    event: { kind: "epoch", epoch, trainLoss, ...(validationLoss === undefined ? {} : { validationLoss }), best },
  };
}

/** Mean loss for a predicted token of the validation sequences. */
async function meanLoss(engine: Engine, { validation, batchTokens, signal }: LoopOptions): Promise<number | undefined> {
  let loss = 0;
  let rows = 0;
  for (const batch of evaluationBatches(validation, batchTokens)) {
    signal?.throwIfAborted();
    for (const one of await engine.evaluate(batch, "losses")) loss += one;
    rows += batch.rows.length;
  }
  return rows === 0 ? undefined : loss / rows;
}
