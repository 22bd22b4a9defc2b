// LoRA weights as a GGUF file, as llama.cpp loads it on top of a model, and back.
import type { Metadata } from "./gguf-metadata.ts";
import { readGguf, readTensor } from "./gguf-read.ts";
import { writeGguf, type TensorToWrite } from "./gguf-write.ts";
import { checkLora, noAdapter, type LoraTensor, type LoraWeights } from "./lora.ts";

export interface WriteGgufAdapterOptions extends LoraWeights {
  readonly path: string;
  /** More metadata, such as `general.name`. */
  readonly metadata?: Metadata;
}

/** Writes LoRA weights in 32 bits. llama.cpp scales them by alpha / rank, times the scale at which the adapter is loaded. */
export async function writeGgufAdapter({ path, architecture, alpha, tensors, metadata = {} }: WriteGgufAdapterOptions): Promise<void> {
  await writeGguf({
    path,
    metadata: {
      ...metadata,
      "general.type": "adapter",
      "general.architecture": architecture,
      "adapter.type": "lora",
      "adapter.lora.alpha": alpha,
    },
    tensors: tensors.flatMap((tensor): TensorToWrite[] => {
      checkLora(tensor);
      const { target, a, b, rank, inputs, outputs } = tensor;
      return [
        { name: `${target}.lora_a`, shape: [rank, inputs], type: "F32", data: a },
        { name: `${target}.lora_b`, shape: [outputs, rank], type: "F32", data: b },
      ];
    }),
  });
}

/**
 * The LoRA weights in a GGUF adapter.
 * @throws {UserError} when the file is no adapter, or half of a pair is missing.
 */
export async function readGgufAdapter(path: string): Promise<LoraWeights> {
  const file = await readGguf(path);
  const architecture = file.metadata["general.architecture"];
  const alpha = file.metadata["adapter.lora.alpha"];
  if (file.metadata["adapter.type"] !== "lora" || typeof alpha !== "number" || typeof architecture !== "string") {
    throw noAdapter(path, "its metadata does not say adapter.type lora with an alpha and an architecture");
  }
  const tensors: LoraTensor[] = [];
  for (const { name, shape } of file.tensors.values()) {
    if (!name.endsWith(".lora_a")) continue;
    const target = name.slice(0, -".lora_a".length);
    const other = file.tensors.get(`${target}.lora_b`);
    const [rank = 0, inputs = 0] = shape;
    const [outputs = 0, otherRank] = other?.shape ?? [];
    if (shape.length !== 2 || other?.shape.length !== 2 || rank !== otherRank)
      throw noAdapter(path, `the pair of ${target} does not fit together`);
    tensors.push({ target, a: await readTensor(file, name), b: await readTensor(file, other.name), rank, inputs, outputs });
  }
  if (tensors.length === 0) throw noAdapter(path, "it holds no pair of lora_a and lora_b");
  return { architecture, alpha, tensors };
}
