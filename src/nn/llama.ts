// The forward pass of the llama architecture as a graph, from tokens to the hidden states of chosen rows.

import type { Value } from "../graph/ir.ts";
import {
  add,
  constant,
  gather,
  gemm,
  flatten,
  input,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rope,
  silu,
  softmax,
  split,
  transpose,
} from "../graph/ops.ts";
import { product } from "../graph/shape.ts";
import { headDim, type LlamaConfig } from "./config.ts";
import type { LayerParameters, LlamaParameters, Parameter } from "./parameters.ts";

/** How a parameter becomes a value, and how a linear layer with it is computed. */
export interface Layers {
  readonly value: (parameter: Parameter) => Value;
  /** `x [rows, inputs]` times the parameter's rows, plus `added` [rows, outputs] where given. */
  readonly linear: (x: Value, parameter: Parameter, added?: Value) => Value;
}

/** What is given at every run. */
export interface ModelInputs {
  /** int64 [batch, time]; shorter sequences are filled up at the end with any token. */
  readonly tokens: Value;
  /** [time, time]: 0 where a row may look, a large negative number elsewhere. */
  readonly mask: Value;
  /** int64 [rows]: the places in batch * time whose hidden states are wanted. */
  readonly rows: Value;
}

export function modelInputs(): ModelInputs {
  return {
    tokens: input("tokens", "int64", ["batch", "time"]),
    mask: input("mask", "float32", ["time", "time"]),
    rows: input("rows", "int64", ["rows"]),
  };
}

/** Linear layers without adapters. */
export function plainLayers(value: (parameter: Parameter) => Value): Layers {
  return { value, linear: (x, parameter, added) => gemm(x, value(parameter), { transB: true, ...(added === undefined ? {} : { added }) }) };
}

/** The hidden states [rows, width] behind the last norm, ready to be scored against the output table. */
export function hiddenStates(config: LlamaConfig, parameters: LlamaParameters, layers: Layers, inputs: ModelInputs): Value {
  const rotate = rotation(config);
  let x = gather(layers.value(parameters.embedding), flatten(inputs.tokens)); // [batch * time, width]
  for (const [index, layer] of parameters.layers.entries()) {
    const context = attention(config, layer, layers, x, inputs.mask, rotate);
    // Behind the last attention nothing but the wanted rows is read.
    const last = index === parameters.layers.length - 1;
    const pick = (value: Value) => (last ? gather(value, inputs.rows) : value);
    x = layers.linear(pick(context), layer.attentionOutput, pick(x));
    x = feedForward(config, layer, layers, x);
  }
  return rmsNorm(x, layers.value(parameters.outputNorm), config.epsilon).y;
}

/** The scores [rows, vocabulary] of the tokens that may follow the wanted rows. */
export function logits(hidden: Value, { output }: LlamaParameters, layers: Layers): Value {
  return gemm(hidden, layers.value(output), { transB: true });
}

/** Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245) up to its output layer: [batch * time, width]. */
function attention(
  config: LlamaConfig,
  layer: LayerParameters,
  { value, linear }: Layers,
  x: Value,
  mask: Value,
  rotate: (x: Value) => Value,
): Value {
  const { heads, kvHeads, width, epsilon } = config;
  const dim = headDim(config);
  const normal = rmsNorm(x, value(layer.attentionNorm), epsilon).y;
  const [q, k, v] = split(linear(normal, layer.queryKeyValue), 1, [width, kvHeads * dim, kvHeads * dim]) as [Value, Value, Value];
  const toHeads = (y: Value, count: number) => transpose(reshape(y, ["batch", "time", count, dim]), [0, 2, 1, 3]);

  // The queries of a group stand below each other, so that its one key head is never copied.
  const groupTime = product([heads / kvHeads, "time"]);
  const queries = reshape(rotate(toHeads(q, heads)), ["batch", kvHeads, groupTime, dim]);
  const scores = matmul(queries, rotate(toHeads(k, kvHeads)), { transB: true, alpha: 1 / Math.sqrt(dim) });
  const masked = add(reshape(scores, ["batch", heads, "time", "time"]), mask);
  const shares = reshape(softmax(masked), ["batch", kvHeads, groupTime, "time"]);
  const context = reshape(matmul(shares, toHeads(v, kvHeads)), ["batch", heads, "time", dim]);
  return reshape(transpose(context, [0, 2, 1, 3]), ["batch*time", width]);
}

/** SwiGLU (Shazeer 2020, https://arxiv.org/abs/2002.05202), its input added. */
function feedForward({ hidden, epsilon }: LlamaConfig, layer: LayerParameters, { value, linear }: Layers, x: Value): Value {
  const normal = rmsNorm(x, value(layer.feedForwardNorm), epsilon).y;
  const [gate, up] = split(linear(normal, layer.gateUp), 1, [hidden, hidden]) as [Value, Value];
  return linear(mul(silu(gate), up), layer.down, x);
}

// GGUF files of this architecture keep the rows of query and key so that a pair of rotated numbers are neighbours.
function rotation(config: LlamaConfig): (x: Value) => Value {
  const { cos, sin } = ropeTables(config);
  const shape = [config.context, headDim(config) / 2];
  const [cosines, sines] = [constant(cos, shape), constant(sin, shape)];
  return (x) => rope(x, cosines, sines, true);
}

/** cos and sin of position * base^(-2 i / headDim): [context, headDim / 2] each. */
export function ropeTables(config: LlamaConfig): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = headDim(config) / 2;
  const angles = Float64Array.from(
    { length: config.context * half },
    (_, index) => Math.floor(index / half) * config.ropeBase ** (-(index % half) / half),
  );
  return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) };
}

/** The mask by which a row looks at itself and what stands before it: [time, time]. */
export function causalMask(time: number): Float32Array {
  // Not -Infinity: its products with zero gradients would be NaN.
  return Float32Array.from({ length: time * time }, (_, index) => (index % time > Math.floor(index / time) ? -1e9 : 0));
}
