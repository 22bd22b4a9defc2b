// Full fine-tuning of a GGUF model: its own weights are learnt, all of them or those of the last layers.

import { UserError } from "../errors.ts";
import type { DecoderConfig } from "../nn/config.ts";
import type { Parameter } from "../nn/parameters.ts";
import { sha256File } from "../util/hash.ts";
import { openBase } from "./base.ts";
import { fullDefaults } from "./defaults.ts";
import type { Engine } from "./engine.ts";
import type { TrainingEvent } from "./events.ts";
import { runTraining, type TuneOptions } from "./run.ts";
import { type ReadWeights, readParts } from "./weights-file.ts";

export interface TuneFullOptions extends TuneOptions {
  readonly basePath: string;
  /** Learn only this many layers from the end, and the last norm; embedding and output stay. All weights without it. */
  readonly lastLayers?: number;
}

/** A tensor of the best epoch: float32, row-major, rows in the order of the GGUF file. */
export interface TrainedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The tensors that were learnt, by their names in a GGUF file. */
export interface FullResult {
  readonly tensors: ReadonlyMap<string, TrainedTensor>;
}

/**
 * Tunes the weights themselves and yields what happens; the last event holds the changed tensors of the best epoch. Takes 16 bytes
 * of memory for each learnt number.
 * @throws {UserError} for a model that cannot be tuned, sequences that do not fit it, or a run that diverges.
 */
export async function* tuneFull({ basePath, lastLayers, ...training }: TuneFullOptions): AsyncGenerator<TrainingEvent<FullResult>> {
  const { config, read, packed } = await openBase(basePath);
  yield* runTraining<FullResult>({
    config,
    method: { kind: "full", trains: trainsLast(config, lastLayers) },
    training: { ...fullDefaults, ...training },
    read,
    packed,
    identity: { kind: "full", lastLayers: lastLayers ?? null, base: await sha256File(basePath) },
    begin: (engine) => writeTrained(engine, read),
    shrink: (engine, factor) => shrinkChange(engine, read, factor),
    finish: async (engine) => ({ tensors: await readTrained(engine) }),
  });
}

/** Which parameters are learnt when only the last layers are. */
export function trainsLast(config: DecoderConfig, lastLayers: number | undefined): (parameter: Parameter) => boolean {
  if (lastLayers === undefined) return () => true;
  if (!(lastLayers >= 1 && lastLayers <= config.layers)) {
    throw new UserError(`lastLayers is ${lastLayers}; the model has ${config.layers} layers. Give a number from 1 to ${config.layers}.`);
  }
  return ({ layer, kind }) => (layer === undefined ? kind === "norm" : layer >= config.layers - lastLayers);
}

async function writeTrained(engine: Engine, read: ReadWeights): Promise<void> {
  for await (const { numbers, offset } of baseNumbers(engine, read)) await engine.write("parameter", numbers, offset);
}

/** base + factor * (tuned - base). */
async function shrinkChange(engine: Engine, read: ReadWeights, factor: number): Promise<void> {
  for await (const { numbers, offset } of baseNumbers(engine, read)) {
    const tuned = await engine.read("parameter", offset, numbers.length);
    await engine.write(
      "parameter",
      tuned.map((value, index) => numbers[index]! + factor * (value - numbers[index]!)),
      offset,
    );
  }
}

/** The base model's numbers of what is learnt, and where in the state they stand, tensor by tensor. */
async function* baseNumbers(engine: Engine, read: ReadWeights) {
  for (const parameter of engine.model.trained) {
    let { offset } = engine.view(parameter);
    for (const numbers of await readParts(parameter, read)) {
      yield { numbers, offset };
      offset += numbers.length;
    }
  }
}

/** The learnt parameters, taken apart into GGUF tensors. */
export async function readTrained(engine: Engine): Promise<ReadonlyMap<string, TrainedTensor>> {
  const tensors = new Map<string, TrainedTensor>();
  for (const parameter of engine.model.trained) {
    let { offset } = engine.view(parameter);
    for (const { tensor, rows } of parameter.parts) {
      const shape = [rows, ...parameter.shape.slice(1)];
      const length = shape.reduce((product, dim) => product * dim, 1);
      tensors.set(tensor, { shape, data: await engine.read("parameter", offset, length) });
      offset += length;
    }
  }
  return tensors;
}
