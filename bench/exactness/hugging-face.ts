// A llama GGUF model as the transformers library reads it: config.json, and the same numbers in fp32 under other names.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Base } from "../../src/train/base.ts";
import { unpermuteRows } from "../../src/weights/permute.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";

const outer: { readonly [gguf: string]: string } = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};
const inner: { readonly [gguf: string]: string } = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

export async function writeHuggingFace({ file, config, read }: Base, folder: string): Promise<void> {
  const heads: { readonly [part: string]: number } = { attn_q: config.heads, attn_k: config.kvHeads };
  const tensors = [];
  for (const { name, shape } of file.tensors.values()) {
    const [, layer, part = ""] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    const numbers = await read(name);
    const [rows = 0] = shape;
    const data = heads[part] === undefined ? numbers : unpermuteRows(numbers, { rows, heads: heads[part] });
    const renamed = layer === undefined ? outer[name] : `model.layers.${layer}.${inner[part]}.weight`;
    tensors.push({ name: renamed ?? name, shape, type: "F32" as const, data });
  }
  await writeSafetensors({ path: join(folder, "model.safetensors"), metadata: { format: "pt" }, tensors });
  const described = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: config.vocabulary,
    hidden_size: config.width,
    intermediate_size: config.hidden,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    rms_norm_eps: config.epsilon,
    rope_theta: config.ropeBase,
    max_position_embeddings: config.context,
    tie_word_embeddings: config.tied,
    hidden_act: "silu",
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(described));
}
