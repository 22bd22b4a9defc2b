// LoRA weights as PEFT (Python) reads them, and back: other names, and Q and K rows in another order. Loads no model.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import { checkLora, noAdapter, type LoraTensor, type LoraWeights } from "./lora.ts";
import { permuteRows, unpermuteRows } from "./permute.ts";
import { readSafetensor, readSafetensors, writeSafetensors } from "./safetensors.ts";

/** What the order of Q and K rows hangs on: `llama.attention.head_count` and `head_count_kv` of the model's metadata. */
export interface AttentionHeads {
  readonly heads: number;
  readonly kvHeads: number;
}

export interface WritePeftAdapterOptions extends LoraWeights, AttentionHeads {
  readonly folder: string;
  /** Where PEFT users find the base model: `HuggingFaceTB/SmolLM2-135M-Instruct`. */
  readonly baseModel: string;
  /** Trained with rsLoRA: PEFT then divides its alpha by sqrt(rank), and the alpha written is smaller by that. One rank for all layers. */
  readonly rsLora?: boolean;
  /** At which it was trained, for whoever trains on. */
  readonly dropout?: number;
}

/** Linear layers by their name in a GGUF file; PEFT's own names are those of the transformers library. */
const modules: { readonly [gguf: string]: string } = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};
const ggufNames = new Map(Object.entries(modules).map(([gguf, module]) => [module, gguf]));

/** Whether GGUF files of an architecture hold Q and K rows permuted (convert_hf_to_gguf.py of llama.cpp). */
const permuted: { readonly [architecture: string]: boolean } = { llama: true, qwen2: false, qwen3: false };

const plainLora = {
  peft_type: "LORA",
  task_type: "CAUSAL_LM",
  bias: "none",
  fan_in_fan_out: false,
  inference_mode: true,
};

/**
 * Writes `adapter_config.json` and `adapter_model.safetensors`, which `PeftModel.from_pretrained` loads.
 * @throws {UserError} for an architecture or a layer whose PEFT name is not known.
 */
export async function writePeftAdapter(options: WritePeftAdapterOptions): Promise<void> {
  const { folder, architecture, tensors, heads, kvHeads } = options;
  const swap = isPermuted(architecture);
  const named = tensors.map((tensor) => {
    checkLora(tensor);
    const { layer, module } = peftName(tensor.target);
    const headCount = swap ? rowHeads(module, { heads, kvHeads }) : undefined;
    const b = headCount ? unpermuteRows(tensor.b, { rows: tensor.outputs, heads: headCount }) : tensor.b;
    return { ...tensor, b, module, path: `model.layers.${layer}.${module}` };
  });
  const config = peftConfig(named, options);
  await writeSafetensors({
    path: join(folder, "adapter_model.safetensors"),
    metadata: { format: "pt" },
    tensors: named.flatMap(({ path, a, b, rank, inputs, outputs }) => [
      { name: `base_model.model.${path}.lora_A.weight`, shape: [rank, inputs], type: "F32" as const, data: a },
      { name: `base_model.model.${path}.lora_B.weight`, shape: [outputs, rank], type: "F32" as const, data: b },
    ]),
  });
  await writeFileAtomic(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
}

type Named = LoraTensor & { readonly module: string; readonly path: string };

function peftConfig(named: readonly Named[], { baseModel, alpha, rsLora = false, dropout = 0 }: WritePeftAdapterOptions) {
  const rank = named[0]?.rank ?? 0;
  const otherRanks = named.filter((tensor) => tensor.rank !== rank).map((tensor) => [tensor.path, tensor.rank]);
  if (rsLora && otherRanks.length > 0) throw new Error("An adapter of several ranks has no one alpha for rsLoRA.");
  return {
    ...plainLora,
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: rsLora ? alpha / Math.sqrt(rank) : alpha,
    use_rslora: rsLora,
    lora_dropout: dropout,
    target_modules: [...new Set(named.map(({ module }) => module.split(".").at(-1) ?? module))].sort(),
    rank_pattern: Object.fromEntries(otherRanks),
  };
}

const configSchema = z.object({
  peft_type: z.literal("LORA"),
  r: z.number().optional(),
  lora_alpha: z.number(),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
  alpha_pattern: z.record(z.string(), z.unknown()).default({}),
  rank_pattern: z.record(z.string(), z.unknown()).default({}),
});

/**
 * The LoRA weights in a PEFT folder, in the names and row order of GGUF files.
 * @throws {UserError} when files are missing, or hold another kind of adapter than plain LoRA on linear layers.
 */
export async function readPeftAdapter(
  folder: string,
  { architecture, heads, kvHeads }: AttentionHeads & { readonly architecture: string },
): Promise<LoraWeights> {
  const swap = isPermuted(architecture);
  const alpha = await readAlpha(folder);
  const file = await readSafetensors(join(folder, "adapter_model.safetensors"));
  const tensors: LoraTensor[] = [];
  for (const name of file.tensors.keys()) {
    const match = /^base_model\.model\.model\.layers\.(\d+)\.(\w+\.\w+)\.lora_([AB])\.weight$/.exec(name);
    const gguf = ggufNames.get(match?.[2] ?? "");
    if (!match?.[2] || !gguf) throw noAdapter(folder, `it changes ${name}, which is no linear layer of the model's blocks`);
    if (match[3] === "B") continue;
    const other = file.tensors.get(name.replace("lora_A", "lora_B"));
    const [rank = 0, inputs = 0] = file.tensors.get(name)?.shape ?? [];
    const [outputs = 0, otherRank] = other?.shape ?? [];
    if (!other || rank !== otherRank) throw noAdapter(folder, `the pair of ${name} does not fit together`);
    const headCount = swap ? rowHeads(match[2], { heads, kvHeads }) : undefined;
    const b = await readSafetensor(file, other.name);
    tensors.push({
      target: `blk.${match[1]}.${gguf}.weight`,
      a: await readSafetensor(file, name),
      b: headCount ? permuteRows(b, { rows: outputs, heads: headCount }) : b,
      rank,
      inputs,
      outputs,
    });
  }
  return { architecture, alpha, tensors };
}

async function readAlpha(folder: string): Promise<number> {
  const path = join(folder, "adapter_config.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`Cannot read ${path}: ${messageOf(cause)}. Name a folder that PEFT saved an adapter to.`, { cause });
  });
  const config = configSchema.safeParse(parseJson(path, text));
  if (!config.success)
    throw noAdapter(folder, `adapter_config.json: ${config.error.issues[0]?.path.join(".")}: ${config.error.issues[0]?.message}`);
  const { r: rank, lora_alpha: alpha, use_rslora, use_dora, alpha_pattern, rank_pattern } = config.data;
  if (use_dora || Object.keys(alpha_pattern).length > 0)
    throw noAdapter(folder, "it uses DoRA or an alpha pattern, and only plain LoRA can be served");
  if (!use_rslora) return alpha;
  if (rank === undefined || Object.keys(rank_pattern).length > 0)
    throw noAdapter(folder, "it uses rsLoRA with several ranks, whose scales no single alpha gives");
  return alpha * Math.sqrt(rank);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path} is no JSON: ${messageOf(cause)}. Save the adapter again.`, { cause });
  }
}

function isPermuted(architecture: string): boolean {
  const answer = Object.hasOwn(permuted, architecture) ? permuted[architecture] : undefined;
  if (answer === undefined)
    throw new UserError(
      `The PEFT names of the architecture "${architecture}" are not known (known: ${Object.keys(permuted).join(", ")}). Use the GGUF adapter.`,
    );
  return answer;
}

function rowHeads(module: string, { heads, kvHeads }: AttentionHeads): number | undefined {
  return { "self_attn.q_proj": heads, "self_attn.k_proj": kvHeads }[module];
}

function peftName(target: string): { readonly layer: string; readonly module: string } {
  const match = /^blk\.(\d+)\.(\w+)\.weight$/.exec(target);
  const module = modules[match?.[2] ?? ""];
  if (!match?.[1] || !module)
    throw new UserError(
      `The tensor ${target} has no PEFT name (adapted can be: ${Object.keys(modules).join(", ")}). Use the GGUF adapter.`,
    );
  return { layer: match[1], module };
}
