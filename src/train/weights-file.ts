// Frozen weights as one flat file of float32 that ONNX Runtime maps into memory. Knows where each parameter starts in it.

import { open } from "node:fs/promises";
import { writeError } from "../errors.ts";
import { elementCount, type Parameter } from "../nn/parameters.ts";

/** Reads a GGUF tensor as float32. */
export type ReadWeights = (tensor: string) => Promise<Float32Array>;

// Starts of parameters fall on cache lines.
const ALIGNMENT = 64;

/** Writes the parameters one after another, each stacked from its parts; returns their offsets in bytes by name. */
export async function writeWeightsFile(
  path: string,
  parameters: readonly Parameter[],
  read: ReadWeights,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const file = await open(path, "w");
  try {
    const offsets = new Map<string, number>();
    let position = 0;
    for (const parameter of parameters) {
      position = Math.ceil(position / ALIGNMENT) * ALIGNMENT;
      offsets.set(parameter.name, position);
      for (const numbers of await readParts(parameter, read)) {
        signal?.throwIfAborted();
        await file.write(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 0, numbers.byteLength, position);
        position += numbers.byteLength;
      }
    }
    return offsets;
  } catch (error) {
    throw writeError(error, path, "Make room there for 4 bytes a weight of the model, or choose another folder for temporary files.");
  } finally {
    await file.close();
  }
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
