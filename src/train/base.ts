// A GGUF model as training reads it: its configuration and its weights as float32.

import { UserError } from "../errors.ts";
import { type LlamaConfig, llamaConfig } from "../nn/config.ts";
import { allParameters, llamaParameters } from "../nn/parameters.ts";
import { type GgufFile, readGguf, readTensor } from "../weights/gguf-read.ts";
import type { ReadWeights } from "./weights-file.ts";

export interface Base {
  readonly file: GgufFile;
  readonly config: LlamaConfig;
  readonly read: ReadWeights;
}

/** More tokens than are trained at once anywhere: the tables of positions take memory for every one that a file claims. */
const LONGEST_CONTEXT = 2 ** 17;

/**
 * @throws {UserError} if the file is missing, broken or of an architecture that cannot be tuned, or its tensors are not of the sizes
 * that its metadata want.
 */
export async function openBase(path: string): Promise<Base> {
  const file = await readGguf(path);
  const claimed = llamaConfig({ metadata: file.metadata, tensors: file.tensors, path });
  const config = { ...claimed, context: Math.min(claimed.context, LONGEST_CONTEXT) };
  checkTensors(file, config);
  return { file, config, read: (tensor) => readTensor(file, tensor) };
}

/** Before anything is made in the sizes of the metadata. */
function checkTensors({ path, tensors }: GgufFile, config: LlamaConfig): void {
  const refuse = (what: string) => {
    throw new UserError(`${path} does not hold what its metadata say: ${what}. The file is broken or of an unknown kind; fetch it again.`);
  };
  if (config.layers > tensors.size) refuse(`${config.layers} layers in ${tensors.size} tensors`);
  for (const { parts, shape } of allParameters(llamaParameters(config))) {
    for (const { tensor, rows } of parts) {
      const wanted = [rows, ...shape.slice(1)].join(", ");
      const found = tensors.get(tensor)?.shape.join(", ");
      if (found !== wanted) refuse(`the tensor ${tensor} should be [${wanted}] and is ${found === undefined ? "missing" : `[${found}]`}`);
    }
  }
}
