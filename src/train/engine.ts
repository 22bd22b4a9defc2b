// The training engine: sessions and state of one run inside the runtime. Takes steps and measures losses; knows no epochs or data.

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeError } from "../errors.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { elementCount, isMatrix, type Parameter } from "../nn/parameters.ts";
import { buildModel, gradientPrefix, type Method, type Model } from "../nn/programs.ts";
import type { View } from "../runtime/protocol.ts";
import type { LoadOptions, Runtime, Session } from "../runtime/runtime.ts";
import { float32Data } from "../runtime/tensor.ts";
import type { Batch, Update } from "./batches.ts";
import { commonDefaults } from "./defaults.ts";
import { dropoutFeeds } from "./dropout.ts";
import { anchorFeeds, lossFeeds } from "./feeds.ts";
import { buildGraphs, type Graphs, type Precision } from "./graphs.ts";
import { type Optimiser, startOptimiser, type UpdateOptions } from "./optimiser.ts";
import { type PackedWeights, packingsOf, type ReadWeights, writeWeightsFile } from "./weights-file.ts";

/** What a run keeps about each trained number: its value and AdamW's two moments. */
export const stateBuffers = ["parameter", "mean", "variance"] as const;
export type StateBuffer = (typeof stateBuffers)[number];

export interface StepResult {
  /** Mean cross-entropy of the update's predicted tokens before it, in nats; those of replayed texts left out. */
  readonly loss: number;
  /** What replayed texts and the divergence from the base model added to the loss that was lowered. */
  readonly penalty: number;
  /** Norm of the gradient before clipping. Where it is no number, the weights were left as they were. */
  readonly norm: number;
}

export interface StepOptions extends UpdateOptions {
  /** Of what is dropped. */
  readonly seed?: number;
}

/** One run's sessions and state. Disposing frees both. */
export interface Engine extends AsyncDisposable {
  readonly model: Model;
  /** Numbers that are learnt. */
  readonly size: number;
  /** The stretch of the state that is a trained parameter. */
  view(parameter: Parameter): View;
  step(update: Update, options: StepOptions): Promise<StepResult>;
  /** The cross-entropy in nats of each of a batch's predicted tokens, or the hidden states [rows, width] behind them, if the model is anchored. */
  evaluate(batch: Batch, what: "losses" | "hidden"): Promise<Float32Array>;
  read(buffer: StateBuffer, offset: number, length: number): Promise<Float32Array>;
  write(buffer: StateBuffer, data: Float32Array, offset: number): Promise<void>;
}

export interface StartEngineOptions {
  readonly runtime: Runtime;
  readonly config: DecoderConfig;
  readonly method: Method;
  /** Whether steps may be kept near to the base model. */
  readonly anchored?: boolean;
  /** Where frozen weights come from. */
  readonly read: ReadWeights;
  /** Where those come from that stay quantised: little more than a byte a number, for a tenth more time a step. */
  readonly packed?: PackedWeights | undefined;
  /** A folder for the frozen weights while sessions are made. */
  readonly folder: string;
  /** "fast": frozen matrices are multiplied as bytes, forward and backward; losses are measured exactly either way. */
  readonly precision?: Precision;
  readonly signal?: AbortSignal | undefined;
}

/** Sessions and zeroed state for a run. The trained parameters are still to be written. */
export async function startEngine(options: StartEngineOptions): Promise<Engine> {
  const { runtime, config, method, anchored = false, folder } = options;
  const model = buildModel(config, method, { anchored });
  const { views, size, decayed } = layout(model.trained);
  const graphs = await makeFiles(options, model);
  const bound = (prefix: string, buffer: string) =>
    Object.fromEntries([...views].map(([{ name }, view]) => [prefix + name, { ...view, buffer }]));
  const load = async (name: string, bytes: Uint8Array, options: Omit<LoadOptions, "source" | "inputs">) => {
    const path = join(folder, `${name}.onnx`);
    await writeFile(path, bytes).catch((error: unknown) => {
      throw writeError(error, path);
    });
    return runtime.load({ source: { path }, inputs: bound("", "parameter"), ...options });
  };

  const buffers = [...stateBuffers, "gradient"];
  for (const buffer of buffers) await runtime.allocate(buffer, size);
  const training = await load("step", graphs.training, { ...graphs.holding, outputs: bound(gradientPrefix, "gradient") });
  // It reads the mapped file, where the training session may hold the weights in a layout of its own.
  const evaluation = await load("loss", graphs.loss, { prepack: false });
  const optimiser = await startOptimiser(runtime, size, decayed);
  // Both sessions have mapped it. Where a mapped file cannot be removed, it goes with the folder.
  await rm(join(folder, WEIGHTS), { force: true }).catch(() => {});

  return {
    model,
    size,
    view: (parameter) => views.get(parameter) ?? missing(parameter.name),
    step: (update, options) => step({ model, training, optimiser }, update, options),
    evaluate: async (batch, what) => float32Data(await evaluation.run(lossFeeds(batch, 1, config)), what),
    read: (buffer, offset, length) => runtime.read(buffer, offset, length),
    write: (buffer, data, offset) => runtime.write(buffer, data, offset),
    async [Symbol.asyncDispose]() {
      for (const session of [training, evaluation, optimiser]) await session[Symbol.asyncDispose]();
      for (const buffer of buffers) await runtime.free(buffer);
    },
  };
}

const WEIGHTS = "weights.bin";

/** The graphs, and beside them in the folder the file of the frozen weights. */
async function makeFiles({ anchored = false, precision = commonDefaults.precision, ...options }: StartEngineOptions, model: Model) {
  const { runtime, config, method, read, packed, folder, signal } = options;
  const packings = packingsOf(model.frozen, packed);
  const heldWhole = packed?.heldWhole ?? true;
  const building = buildGraphs(runtime, { config, method, anchored, precision, packings, heldWhole, file: WEIGHTS });
  const write = (int8?: Graphs["int8"]) =>
    writeWeightsFile({ path: join(folder, WEIGHTS), parameters: model.frozen, packings, ...(int8 && { int8 }), read, packed, signal });
  // Which weights are wanted as bytes only the graphs tell; otherwise both are made at once.
  if (precision === "exact") await Promise.all([building, write()]);
  else await write((await building).int8);
  // Where layers stay quantised, only a table could be copied into another layout: twice its size for a hundredth of the time.
  return { ...(await building), holding: { fold: heldWhole, prepack: heldWhole || packings.size === 0 || precision === "fast" } };
}

interface Stepper {
  readonly model: Model;
  readonly training: Session;
  readonly optimiser: Optimiser;
}

async function step(
  { model, training, optimiser }: Stepper,
  { batches }: Update,
  { seed = 0, ...options }: StepOptions,
): Promise<StepResult> {
  let [loss, penalty] = [0, 0];
  for (const [index, batch] of batches.entries()) {
    const anchor = model.anchor === undefined ? {} : anchorFeeds(batch.anchor, model.config.width);
    const feeds = {
      ...lossFeeds(batch, batch.weight, model.config),
      ...anchor,
      ...dropoutFeeds(model, batch, { seed, step: options.step, index }),
    };
    // Where all adapted layers read the same rows, the others' codes are no input.
    const wanted = Object.fromEntries(Object.entries(feeds).filter(([name]) => training.inputNames.includes(name)));
    const outputs = await training.run(wanted);
    const own = float32Data(outputs, "loss")[0] ?? Number.NaN;
    if (batch.of === "task") loss += own;
    else penalty += own;
    if (model.anchor !== undefined) penalty += float32Data(outputs, "kl")[0] ?? Number.NaN;
    if (batches.length > 1) await optimiser.accumulate(index === 0);
  }
  const gradient = batches.length > 1 ? "total" : "gradient";
  const norm = await optimiser.norm(gradient);
  if (Number.isFinite(norm) && Number.isFinite(loss + penalty)) await optimiser.update(gradient, norm, options);
  return { loss, penalty, norm };
}

/** Numbers drawn before others get their turn: some ten milliseconds. */
const DRAWN = 2 ** 15;

/** Writes the first numbers of a trained parameter, drawn one after another. */
export async function fillParameter(engine: Engine, parameter: Parameter, draw: () => number): Promise<void> {
  const { offset } = engine.view(parameter);
  const count = elementCount(parameter);
  for (let at = 0; at < count; at += DRAWN)
    await engine.write("parameter", Float32Array.from({ length: Math.min(DRAWN, count - at) }, draw), offset + at);
}

/** Where each trained parameter stands in the state; matrices first, `decayed` numbers of them. */
function layout(trained: readonly Parameter[]) {
  const views = new Map<Parameter, View>();
  let size = 0;
  let decayed = 0;
  for (const parameter of trained) {
    views.set(parameter, { buffer: "parameter", offset: size, dims: parameter.shape });
    size += elementCount(parameter);
    if (isMatrix(parameter)) decayed = size;
  }
  return { views, size, decayed };
}

function missing(name: string): never {
  throw new Error(`"${name}" is no parameter of this run.`);
}
