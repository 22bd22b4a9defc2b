// LoRA weights as PEFT (Python) reads them, and back: other names, and Q and K rows in another order. Loads no model.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import type { ArchitectureName } from "../nn/config.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import { quoted } from "../util/quoted.ts";
import { checkLora, noAdapter, pairSizes, type LoraTensor, type LoraWeights } from "./lora.ts";
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

/** What an architecture's linear layers are called and how their rows are ordered. */
interface Naming {
  /** Linear layers by their name in a GGUF file; PEFT's own names are those of the transformers library. */
  readonly modules: { readonly [gguf: string]: string };
  /** Whether GGUF files hold Q and K rows permuted (convert_hf_to_gguf.py of llama.cpp). */
  readonly permuted: boolean;
}

const separate = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};
const fused = {
  attn_qkv: "self_attn.qkv_proj",
  attn_output: "self_attn.o_proj",
  ffn_up: "mlp.gate_up_proj",
  ffn_down: "mlp.down_proj",
};

const namings: { readonly [A in ArchitectureName]: Naming } = {
  llama: { modules: separate, permuted: true },
  qwen2: { modules: separate, permuted: false },
  qwen3: { modules: separate, permuted: false },
  gemma3: { modules: separate, permuted: false },
  phi3: { modules: fused, permuted: false },
};

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
  const { modules, permuted } = namingOf(architecture);
  const named = tensors.map((tensor) => {
    checkLora(tensor);
    const { layer, module } = peftName(tensor.target, modules);
    const headCount = permuted ? rowHeads(module, { heads, kvHeads }) : undefined;
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
  const { modules, permuted } = namingOf(architecture);
  const ggufNames = new Map(Object.entries(modules).map(([gguf, module]) => [module, gguf]));
  const alpha = await readAlpha(folder);
  const file = await readSafetensors(join(folder, "adapter_model.safetensors"));
  if (file.tensors.size === 0) throw noAdapter(folder, "it holds no pair of lora_A and lora_B");
  const tensors: LoraTensor[] = [];
  for (const name of file.tensors.keys()) {
    const { layer, gguf, module, matrix } = peftParts({ folder, name, ggufNames });
    const [a, b] = [name.replace(/lora_[AB]/, "lora_A"), name.replace(/lora_[AB]/, "lora_B")];
    const sizes = pairSizes({ path: folder, target: name, a: file.tensors.get(a)?.shape, b: file.tensors.get(b)?.shape });
    if (matrix === "B") continue;
    const headCount = permuted ? rowHeads(module, { heads, kvHeads }) : undefined;
    if (headCount !== undefined && sizes.outputs % (2 * headCount) !== 0)
      throw noAdapter(folder, `the ${sizes.outputs} rows of ${quoted(b)} are not those of ${headCount} heads`);
    const numbers = await readSafetensor(file, b);
    tensors.push({
      target: `blk.${layer}.${gguf}.weight`,
      a: await readSafetensor(file, a),
      b: headCount === undefined ? numbers : permuteRows(numbers, { rows: sizes.outputs, heads: headCount }),
      ...sizes,
    });
  }
  return { architecture, alpha, tensors };
}

interface PeftName {
  readonly folder: string;
  readonly name: string;
  readonly ggufNames: ReadonlyMap<string, string>;
}

function peftParts({ folder, name, ggufNames }: PeftName) {
  const match = /^base_model\.model\.model\.layers\.(\d+)\.(\w+\.\w+)\.lora_([AB])\.weight$/.exec(name);
  const [, layer, module = "", matrix] = match ?? [];
  const gguf = ggufNames.get(module);
  if (!layer || !matrix || gguf === undefined)
    throw noAdapter(folder, `it changes ${quoted(name)}, which is no linear layer of the model's blocks`);
  return { layer, gguf, module, matrix };
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
    // Not the parser's own words, which quote the text with its line breaks.
    throw new UserError(`${path} is no JSON. Save the adapter again.`, { cause });
  }
}

function namingOf(architecture: string): Naming {
  if (Object.hasOwn(namings, architecture)) return namings[architecture as ArchitectureName];
  throw new UserError(
    `The PEFT names of the architecture "${architecture}" are not known (known: ${Object.keys(namings).join(", ")}). Use the GGUF adapter.`,
  );
}

function rowHeads(module: string, { heads, kvHeads }: AttentionHeads): number | undefined {
  return { "self_attn.q_proj": heads, "self_attn.k_proj": kvHeads }[module];
}

function peftName(target: string, modules: Naming["modules"]): { readonly layer: string; readonly module: string } {
  const match = /^blk\.(\d+)\.(\w+)\.weight$/.exec(target);
  const module = modules[match?.[2] ?? ""];
  if (!match?.[1] || !module)
    throw new UserError(
      `The tensor ${target} has no PEFT name (adapted can be: ${Object.keys(modules).join(", ")}). Use the GGUF adapter.`,
    );
  return { layer: match[1], module };
}
