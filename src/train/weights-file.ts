// Frozen weights as one flat file of float32 that ONNX Runtime maps into memory. Knows where each parameter starts in it.

import { open } from "node:fs/promises";
import { writeError } from "../errors.ts";
import type { Int8Weight } from "../graph/quantise.ts";
import { elementCount, type Parameter } from "../nn/parameters.ts";
import { int8Matrix } from "./int8-weight.ts";

/** Reads a GGUF tensor as float32. */
export type ReadWeights = (tensor: string) => Promise<Float32Array>;

// Starts of parameters fall on cache lines.
const ALIGNMENT = 64;

export interface WeightsFileOptions {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly read: ReadWeights;
  /** Matrices that are also wanted as bytes, by the names of these. */
  readonly int8?: Int8Weights;
  readonly signal?: AbortSignal | undefined;
}

type Int8Weights = ReadonlyMap<string, Int8Weight>;
const none: Int8Weights = new Map();

/**
 * Where everything stands in the file, in bytes by name: the parameters one after another, each followed by its forms as bytes with
 * their scales (`<name>.scales`).
 */
export function weightsLayout(parameters: readonly Parameter[], int8: Int8Weights = none): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let end = 0;
  const place = (name: string, bytes: number): void => {
    const start = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    offsets.set(name, start);
    end = start + bytes;
  };
  for (const parameter of parameters) {
    place(parameter.name, 4 * elementCount(parameter));
    const [outputs = 0, inputs = 0] = parameter.shape;
    for (const [name, { of, contracts }] of int8) {
      if (of !== parameter.name) continue;
      place(name, elementCount(parameter));
      place(`${name}.scales`, 4 * (contracts === "inputs" ? outputs : inputs));
    }
  }
  return offsets;
}

/** Writes the parameters, each stacked from its parts, and their forms as bytes; returns where they stand. */
export async function writeWeightsFile(options: WeightsFileOptions): Promise<ReadonlyMap<string, number>> {
  const { path, parameters, read, int8 = none, signal } = options;
  const offsets = weightsLayout(parameters, int8);
  const file = await open(path, "w");
  try {
    const write = async (name: string, pieces: readonly (Float32Array | Int8Array)[]): Promise<void> => {
      let position = offsets.get(name)!;
      for (const { buffer, byteOffset, byteLength } of pieces) {
        signal?.throwIfAborted();
        await file.write(new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength, position);
        position += byteLength;
      }
    };
    for (const parameter of parameters) {
      const parts = await readParts(parameter, read);
      await write(parameter.name, parts);
      for (const [name, form] of int8) {
        if (form.of !== parameter.name) continue;
        const { bytes, scales } = int8Matrix(joined(parts), parameter.shape, form.contracts);
        await write(name, [bytes]);
        await write(`${name}.scales`, [scales]);
      }
    }
    return offsets;
  } catch (error) {
    throw writeError(error, path, "Make room there for 4 bytes a weight of the model, or choose another folder for temporary files.");
  } finally {
    await file.close();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The numbers of a parameter's parts. @throws if they are not as many as its shape says. */
export async function readParts(parameter: Parameter, read: ReadWeights): Promise<readonly Float32Array[]> {
  const parts: Float32Array[] = [];
  for (const { tensor } of parameter.parts) parts.push(await read(tensor));
  const count = parts.reduce((sum, { length }) => sum + length, 0);
  if (count !== elementCount(parameter))
    throw new Error(`${parameter.name} has ${count} numbers, its shape [${parameter.shape.join(", ")}] wants ${elementCount(parameter)}.`);
  return parts;
}
