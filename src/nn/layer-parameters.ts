// The parameters of one layer by their names in GGUF files: makers for each kind, and the layer that most architectures have.

import type { DecoderConfig } from "./config.ts";
import type { LayerParameters, Parameter } from "./parameters.ts";

/** GGUF tensors and their rows, in the order in which they are stacked. */
type Rows = { readonly [tensor: string]: number };

/** Makers of the parameters of layer number `layer`. */
export function layerMakers({ width }: DecoderConfig, layer: number) {
  const stacked = (name: string, kind: "linear" | "bias", suffix: string, rows: Rows, inputs: readonly number[]): Parameter => ({
    name: `blk.${layer}.${name}`,
    shape: [Object.values(rows).reduce((sum, count) => sum + count, 0), ...inputs],
    parts: Object.entries(rows).map(([tensor, count]) => ({ tensor: `blk.${layer}.${tensor}.${suffix}`, rows: count })),
    kind,
    layer,
  });
  return {
    linear: (name: string, inputs: number, rows: Rows) => stacked(name, "linear", "weight", rows, [inputs]),
    bias: (name: string, rows: Rows) => stacked(name, "bias", "bias", rows, []),
    norm: (name: string, size = width): Parameter => ({ ...normOf(`blk.${layer}.${name}.weight`, size), layer }),
  };
}

/** Query, key and value, gate and up as GGUF tensors of their own; norms before attention and before the feed-forward layer. */
export function usualLayer(config: DecoderConfig, layer: number): LayerParameters {
  const { width, heads, headDim, hidden } = config;
  const { linear, norm } = layerMakers(config, layer);
  return {
    attentionNorm: norm("attn_norm"),
    queryKeyValue: linear("attn_qkv", width, queryKeyValueRows(config)),
    attentionOutput: linear("attn_output", heads * headDim, { attn_output: width }),
    feedForwardNorm: norm("ffn_norm"),
    gateUp: linear("ffn_gate_up", width, { ffn_gate: hidden, ffn_up: hidden }),
    down: linear("ffn_down", hidden, { ffn_down: width }),
  };
}

/** Norms of each head of query and key (Henry et al. 2020, https://arxiv.org/abs/2010.04245). */
export function headNorms(config: DecoderConfig, layer: number) {
  const { norm } = layerMakers(config, layer);
  return { queryNorm: norm("attn_q_norm", config.headDim), keyNorm: norm("attn_k_norm", config.headDim) };
}

export function queryKeyValueRows({ heads, kvHeads, headDim }: DecoderConfig): Rows {
  return { attn_q: heads * headDim, attn_k: kvHeads * headDim, attn_v: kvHeads * headDim };
}

export function normOf(tensor: string, size: number): Parameter {
  return { name: tensor, shape: [size], parts: [{ tensor, rows: size }], kind: "norm" };
}
