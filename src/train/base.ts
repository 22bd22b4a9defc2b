// A GGUF model as training reads it: its configuration and its weights.

import { decoderConfig } from "../nn/architectures.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { type GgufFile, readGguf, readPackedTensor, readTensor, tensorPacking } from "../weights/gguf-read.ts";
import type { PackedWeights, ReadWeights } from "./weights-file.ts";

export interface Base {
  readonly file: GgufFile;
  readonly config: DecoderConfig;
  readonly read: ReadWeights;
  readonly packed: PackedWeights;
}

/** More tokens than are trained at once anywhere: the tables of positions take memory for every one that a file claims. */
const LONGEST_CONTEXT = 2 ** 17;

/** @throws {UserError} if the file is missing, broken or of an architecture that cannot be tuned. */
export async function openBase(path: string): Promise<Base> {
  const file = await readGguf(path);
  const read: ReadWeights = (tensor) => readTensor(file, tensor);
  const packed: PackedWeights = {
    packing: (tensor) => tensorPacking(file, tensor),
    read: (tensor) => readPackedTensor(file, tensor),
  };
  const claimed = await decoderConfig({ metadata: file.metadata, tensors: file.tensors, read, path });
  return { file, config: { ...claimed, context: Math.min(claimed.context, LONGEST_CONTEXT) }, read, packed };
}
