// The folder that a training run writes: what it was asked, its log and learning curve, checkpoints while it goes on, the result at the end.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "./errors.ts";
import { learningCurveSvg } from "./report/learning-curve.ts";
import { fileSystemStore } from "./store/file-system.ts";
import type { Store } from "./store.ts";
import type { DoneEvent, EpochEvent, StepEvent, TrainingEvent, TrainingRecord } from "./train/events.ts";

export interface OpenTrainingFolderOptions {
  readonly output: string;
  /** Of everything that decides the result. */
  readonly key: string;
  /** What a person should find in run.json. */
  readonly settings: { readonly [name: string]: unknown };
}

/** `R` is what the run leaves in run.json when it is finished. */
export interface TrainingFolder<R> {
  /** Where the run's state is kept until it is finished. */
  readonly checkpointFolder: string;
  /** The result of the same run, where it has been finished before. */
  readonly finished: R | undefined;
  path(name: string): string;
  /** Passes steps and epochs on, into the log and the curve on the way; returns what the last event holds. */
  follow<T>(running: AsyncIterable<TrainingEvent<T>>): AsyncGenerator<StepEvent | EpochEvent, Followed<T>>;
  /** Writes the result and removes the checkpoints. */
  finish(result: R): Promise<void>;
}

export interface Followed<T> {
  readonly record: TrainingRecord;
  readonly learnt: T;
}

interface RunFile<R> {
  readonly key: string;
  readonly settings: OpenTrainingFolderOptions["settings"];
  readonly result?: R;
}

const runFile = "run.json";
const logFile = "training.jsonl";
const curveFile = "curve.svg";
const checkpoints = "checkpoints";

/** The folder, made where it is missing. @throws {UserError} where it cannot be made, or holds another run. */
export async function openTrainingFolder<R>({ output, key, settings }: OpenTrainingFolderOptions): Promise<TrainingFolder<R>> {
  await mkdir(output, { recursive: true }).catch((cause: unknown) => {
    throw new UserError(`The folder ${output} can't be made: ${messageOf(cause)}. Choose another --output.`, { cause });
  });
  const store = fileSystemStore(output);
  const before = await readRun<R>(store);
  const other = before !== undefined && before.key !== key;
  // What ended before its first checkpoint is nothing to keep: a learning rate too high, a setting that does not exist.
  const worthKeeping = before?.result !== undefined || (await store.list(checkpoints)).length > 0;
  if (other && worthKeeping)
    throw new UserError(`${output} holds another run (other data, model or settings). Choose another --output, or delete the folder.`);
  const save = (result?: R): Promise<void> =>
    store.writeText(
      runFile,
      `${JSON.stringify({ key, settings, ...(result === undefined ? {} : { result }) } satisfies RunFile<R>, undefined, 2)}\n`,
    );
  if (before === undefined || other) await save();
  return {
    checkpointFolder: join(output, checkpoints),
    finished: before?.result,
    path: (name) => join(output, name),
    follow: (running) => follow(store, running),
    finish: async (result) => {
      await save(result);
      await store.remove(checkpoints);
    },
  };
}

/** What the folder's run was; one of no key where the file is another program's. */
async function readRun<R>(store: Store): Promise<Partial<RunFile<R>> | undefined> {
  const written = await store.readText(runFile);
  if (written === undefined) return undefined;
  try {
    return JSON.parse(written) as Partial<RunFile<R>>;
  } catch {
    return {};
  }
}

type Logged = Omit<StepEvent, "kind" | "of"> | (Omit<EpochEvent, "kind"> & { readonly step: number });

async function* follow<T>(store: Store, running: AsyncIterable<TrainingEvent<T>>): AsyncGenerator<StepEvent | EpochEvent, Followed<T>> {
  let log: Logged[] | undefined;
  for await (const event of running) {
    if (event.kind === "done") {
      await writeCurve(store, log ?? ((await store.readLines(logFile)) as Logged[]));
      return parted(event);
    }
    // A run that goes on takes the steps after its last checkpoint again.
    log ??= await cutLog(store, event.kind === "step" ? event.step : Number.POSITIVE_INFINITY);
    const entry = logged(event, log.at(-1)?.step ?? 0);
    log.push(entry);
    await store.append(logFile, entry);
    if (event.kind === "epoch") await writeCurve(store, log);
    yield event;
  }
  throw new Error("The training run ended without a result.");
}

function parted<T>(event: DoneEvent<T>): Followed<T> {
  const {
    kind: _kind,
    losses,
    bestEpoch,
    steps,
    stoppedEarly,
    diverged,
    averaged,
    seconds,
    peakMemoryBytes,
    trainedParameters,
    ...learnt
  } = event;
  const rare = { ...(diverged !== undefined && { diverged }), ...(averaged && { averaged }) };
  return { record: { losses, bestEpoch, steps, stoppedEarly, ...rare, seconds, peakMemoryBytes, trainedParameters }, learnt: learnt as T };
}

function logged(event: StepEvent | EpochEvent, lastStep: number): Logged {
  if (event.kind === "step") {
    const { kind: _kind, of: _of, ...rest } = event;
    return rest;
  }
  const { kind: _kind, ...rest } = event;
  return { step: lastStep, ...rest };
}

async function cutLog(store: Store, step: number): Promise<Logged[]> {
  const lines = (await store.readLines(logFile)) as readonly Logged[];
  const kept = lines.filter((line) => line.step < step);
  await store.writeText(logFile, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return kept;
}

async function writeCurve(store: Store, log: readonly Logged[]): Promise<void> {
  const steps = log.filter((line) => "loss" in line);
  const epochs = log.filter((line) => "epoch" in line);
  await store.writeText(curveFile, await learningCurveSvg({ steps, epochs }));
}
