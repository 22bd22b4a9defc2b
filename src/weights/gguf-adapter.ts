// LoRA weights as a GGUF file, as llama.cpp loads it on top of a model, and back.
import { quoted } from "../util/quoted.ts";
import type { Metadata } from "./gguf-metadata.ts";
import { readGguf, readTensor } from "./gguf-read.ts";
import { writeGguf, type TensorToWrite } from "./gguf-write.ts";
import { checkLora, noAdapter, pairSizes, type LoraTensor, type LoraWeights } from "./lora.ts";

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
  if (
    file.metadata["adapter.type"] !== "lora" ||
    typeof alpha !== "number" ||
    !Number.isFinite(alpha) ||
    typeof architecture !== "string"
  ) {
    throw noAdapter(path, "its metadata does not say adapter.type lora with an alpha and an architecture");
  }
  const targets = new Set(Array.from(file.tensors.keys(), (name) => targetOf(path, name)));
  if (targets.size === 0) throw noAdapter(path, "it holds no pair of lora_a and lora_b");
  const tensors: LoraTensor[] = [];
  for (const target of targets) {
    const [a, b] = [`${target}.lora_a`, `${target}.lora_b`];
    const sizes = pairSizes({ path, target, a: file.tensors.get(a)?.shape, b: file.tensors.get(b)?.shape });
    tensors.push({ target, a: await readTensor(file, a), b: await readTensor(file, b), ...sizes });
  }
  return { architecture, alpha, tensors };
}

function targetOf(path: string, name: string): string {
  const target = /^(.+)\.lora_[ab]$/s.exec(name)?.[1];
  if (target === undefined) throw noAdapter(path, `it holds ${quoted(name)}, which is neither a lora_a nor a lora_b`);
  return target;
}
