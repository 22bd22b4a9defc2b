// A GGUF model as training reads it: its configuration and its weights as float32.

import { type LlamaConfig, llamaConfig } from "../nn/config.ts";
import { type GgufFile, readGguf, readTensor } from "../weights/gguf-read.ts";
import type { ReadWeights } from "./weights-file.ts";

export interface Base {
  readonly file: GgufFile;
  readonly config: LlamaConfig;
  readonly read: ReadWeights;
}

/** @throws {UserError} if the file is missing, broken or of an architecture that cannot be tuned. */
export async function openBase(path: string): Promise<Base> {
  const file = await readGguf(path);
  return {
    file,
    config: llamaConfig({ metadata: file.metadata, tensors: file.tensors, path }),
    read: (tensor) => readTensor(file, tensor),
  };
}
