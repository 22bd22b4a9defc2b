// A new GGUF file from a base: some matrices replaced, or with LoRA weights added; all the rest copied as it is packed.
import { UserError } from "../errors.ts";
import { quoted } from "../util/quoted.ts";
import { readTensor, readTensorBytes, type GgufFile, type GgufTensor } from "./gguf-read.ts";
import { writeGguf, type PackedTensor, type TensorToWrite } from "./gguf-write.ts";
import { addLora, checkLora, type LoraTensor, type LoraWeights } from "./lora.ts";
import type { WritableType } from "./quantise.ts";

export interface MergeOptions {
  readonly base: GgufFile;
  readonly path: string;
  /** How changed matrices are stored. Vectors stay F32, and rows that Q8_0 cannot hold become F16. */
  readonly type?: WritableType;
  /** New numbers by tensor name, or a function that gives them when their turn comes. */
  readonly replacements?: ReadonlyMap<string, TensorToWrite["data"]>;
  readonly adapter?: LoraWeights;
  /** At which the adapter is added (1: as it was trained). */
  readonly scale?: number;
  readonly signal?: AbortSignal;
}

/** `general.file_type` of llama.cpp: what most of the file is. */
const fileTypes: { readonly [T in WritableType]: number } = { F32: 0, F16: 1, Q8_0: 7 };

/**
 * Writes the merged model. In F32 a merge is exact (to rounding); in a smaller type it is another model, to be measured.
 * @throws {UserError} when a tensor to change is missing in the base, or has another shape there.
 */
export async function mergeInto({
  base,
  path,
  type = "F32",
  replacements = new Map(),
  adapter,
  scale = 1,
  signal,
}: MergeOptions): Promise<void> {
  const lora = new Map(adapter?.tensors.map((tensor) => [tensor.target, tensor]));
  for (const name of [...replacements.keys(), ...lora.keys()]) {
    if (!base.tensors.has(name))
      throw new UserError(`No tensor ${quoted(name)} to change in ${base.path}. Use the model that the weights were trained on.`);
  }
  const tensors = Array.from(base.tensors.values(), (tensor): TensorToWrite | PackedTensor => {
    const { name, shape } = tensor;
    const replacement = replacements.get(name);
    const pair = lora.get(name);
    if (!replacement && !pair) return { ...tensor, packed: () => readTensorBytes(base, name) };
    if (pair) checkFits(base, tensor, pair);
    const numbers = async (): Promise<Float32Array> => {
      const current = replacement ? (typeof replacement === "function" ? await replacement() : replacement) : await readTensor(base, name);
      return pair && adapter ? addLora(current, pair, { alpha: adapter.alpha, scale }) : current;
    };
    return { name, shape, type: storedAs(tensor, type), data: numbers };
  });
  await writeGguf({
    path,
    metadata: { ...base.metadata, "general.file_type": fileTypes[type] },
    metadataTypes: { ...base.metadataTypes, "general.file_type": "uint32" },
    tensors,
    ...(signal ? { signal } : {}),
  });
}

function checkFits(base: GgufFile, { name, shape }: GgufTensor, pair: LoraTensor): void {
  checkLora(pair);
  if (shape.length === 2 && shape[0] === pair.outputs && shape[1] === pair.inputs) return;
  throw new UserError(
    `The adapter changes ${quoted(name)} as [${pair.outputs}, ${pair.inputs}], and ${base.path} holds it as [${shape.join(", ")}]. Use the model that the adapter was trained on.`,
  );
}

function storedAs({ shape }: GgufTensor, type: WritableType): WritableType {
  if (shape.length < 2) return "F32";
  return type === "Q8_0" && (shape.at(-1) ?? 1) % 32 !== 0 ? "F16" : type;
}
