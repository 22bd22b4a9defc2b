// A GGUF model as training reads it: its configuration and its weights.

import { decoderConfig } from "../nn/architectures.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { elements, type GgufFile, readGguf, readPackedTensor, readTensor, tensorPacking } from "../weights/gguf-read.ts";
import type { PackedWeights, ReadWeights } from "./weights-file.ts";

export interface Base {
  readonly file: GgufFile;
  readonly config: DecoderConfig;
  readonly read: ReadWeights;
  readonly packed: PackedWeights;
}

/**
 * Numbers of a model up to which frozen weights are held as float32, in the layouts that products read fastest: a tenth quicker than made
 * whole for each product, for 12 bytes a number in place of little more than one.
 */
export const HELD_WHOLE = 200e6;

/** More tokens than are trained at once anywhere: the tables of positions take memory for every one that a file claims. */
const LONGEST_CONTEXT = 2 ** 17;

/** @throws {UserError} if the file is missing, broken or of an architecture that cannot be tuned. */
export async function openBase(path: string): Promise<Base> {
  const file = await readGguf(path);
  const read: ReadWeights = (tensor) => readTensor(file, tensor);
  const packed: PackedWeights = {
    packing: (tensor) => tensorPacking(file, tensor),
    read: (tensor) => readPackedTensor(file, tensor),
    heldWhole: [...file.tensors.values()].reduce((sum, { shape }) => sum + elements(shape), 0) <= HELD_WHOLE,
  };
  const claimed = await decoderConfig({ metadata: file.metadata, tensors: file.tensors, read, path });
  const config = { ...claimed, context: Math.min(claimed.context, LONGEST_CONTEXT) };
  return { file, config, read, packed };
}
