// What a llama model and its adapters consist of: every matrix, its shape, and the GGUF tensors it is stacked from.

import { headDim, type LlamaConfig } from "./config.ts";

/** A GGUF tensor that is `rows` rows of a parameter. */
export interface Part {
  readonly tensor: string;
  readonly rows: number;
}

/**
 * A tensor of the model as the graph uses it. Matrices that read the same input are stacked by rows into one (query, key and value;
 * gate and up), since one wide product is quicker than three narrow ones.
 */
export interface Parameter {
  readonly name: string;
  /** [outputs, inputs] of a linear layer, [width] of a norm. */
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
  readonly kind: "embedding" | "linear" | "norm";
  /** The layer that it belongs to; none for embedding, last norm and output. */
  readonly layer?: number;
}

export interface LayerParameters {
  readonly attentionNorm: Parameter;
  readonly queryKeyValue: Parameter;
  readonly attentionOutput: Parameter;
  readonly feedForwardNorm: Parameter;
  readonly gateUp: Parameter;
  readonly down: Parameter;
}

export interface LlamaParameters {
  readonly embedding: Parameter;
  readonly layers: readonly LayerParameters[];
  readonly outputNorm: Parameter;
  /** The table that scores tokens; the embedding itself where the two are tied. */
  readonly output: Parameter;
}

export function llamaParameters(config: LlamaConfig): LlamaParameters {
  const embedding = table("token_embd.weight", "embedding", config);
  return {
    embedding,
    layers: Array.from({ length: config.layers }, (_, layer) => layerParameters(config, layer)),
    outputNorm: norm("output_norm.weight", config),
    output: config.tied ? embedding : table("output.weight", "linear", config),
  };
}

/** Every parameter once: matrices first, then norms, so that weight decay can stop at one place. */
export function allParameters({ embedding, layers, outputNorm, output }: LlamaParameters): readonly Parameter[] {
  const matrices = layers.flatMap((layer) => linears(layer));
  const norms = layers.flatMap(({ attentionNorm, feedForwardNorm }) => [attentionNorm, feedForwardNorm]);
  return [embedding, ...matrices, ...(output === embedding ? [] : [output]), ...norms, outputNorm];
}

export function linears({ queryKeyValue, attentionOutput, gateUp, down }: LayerParameters): readonly Parameter[] {
  return [queryKeyValue, attentionOutput, gateUp, down];
}

export function elementCount({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function layerParameters(config: LlamaConfig, layer: number): LayerParameters {
  const { width, kvHeads, hidden } = config;
  const kvWidth = kvHeads * headDim(config);
  const linear = (name: string, inputs: number, parts: { readonly [tensor: string]: number }): Parameter => ({
    name: `blk.${layer}.${name}`,
    shape: [Object.values(parts).reduce((sum, rows) => sum + rows, 0), inputs],
    parts: Object.entries(parts).map(([tensor, rows]) => ({ tensor: `blk.${layer}.${tensor}.weight`, rows })),
    kind: "linear",
    layer,
  });
  return {
    attentionNorm: norm(`blk.${layer}.attn_norm.weight`, config, layer),
    queryKeyValue: linear("attn_qkv", width, { attn_q: width, attn_k: kvWidth, attn_v: kvWidth }),
    attentionOutput: linear("attn_output", width, { attn_output: width }),
    feedForwardNorm: norm(`blk.${layer}.ffn_norm.weight`, config, layer),
    gateUp: linear("ffn_gate_up", width, { ffn_gate: hidden, ffn_up: hidden }),
    down: linear("ffn_down", hidden, { ffn_down: width }),
  };
}

function table(name: string, kind: "embedding" | "linear", { vocabulary, width }: LlamaConfig): Parameter {
  return { name, shape: [vocabulary, width], parts: [{ tensor: name, rows: vocabulary }], kind };
}

function norm(name: string, { width }: LlamaConfig, layer?: number): Parameter {
  return { name, shape: [width], parts: [{ tensor: name, rows: width }], kind: "norm", ...(layer === undefined ? {} : { layer }) };
}
