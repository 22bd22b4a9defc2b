// The forward pass of a decoder as a graph, from tokens to the hidden states of chosen rows. What differs, its architecture says.

import type { Value } from "../graph/ir.ts";
import { add, flatten, gather, gemm, input, mul, rmsNorm, scalar, split } from "../graph/ops.ts";
import { architectures } from "./architectures.ts";
import { attention, type AttentionOptions } from "./attention.ts";
import type { DecoderConfig } from "./config.ts";
import type { Layers } from "./linear.ts";
import type { DecoderParameters, LayerParameters, Parameter } from "./parameters.ts";
import { rotation } from "./rope.ts";

/** What is given at every run. */
export interface ModelInputs {
  /** int64 [batch, time]; shorter sequences are filled up at the end with any token. */
  readonly tokens: Value;
  /** [time, time]: 0 where a row may look, a large negative number elsewhere. */
  readonly mask: Value;
  /** The same for layers that look back over a window only. */
  readonly slidingMask: Value;
  /** int64 [rows]: the places in batch * time whose hidden states are wanted. */
  readonly rows: Value;
}

export function modelInputs(): ModelInputs {
  return {
    tokens: input("tokens", "int64", ["batch", "time"]),
    mask: input("mask", "float32", ["time", "time"]),
    slidingMask: input("slidingMask", "float32", ["time", "time"]),
    rows: input("rows", "int64", ["rows"]),
  };
}

/** The hidden states [rows, width] behind the last norm, ready to be scored against the output table. */
export function hiddenStates(config: DecoderConfig, parameters: DecoderParameters, layers: Layers, inputs: ModelInputs): Value {
  const viewOf = views(config, inputs);
  const norm = (x: Value, parameter: Parameter) => rmsNorm(x, layers.value(parameter), config.epsilon).y;
  // What a matrix adds to the hidden state, normed first where the architecture does so.
  const addTo = (hidden: Value, x: Value, matrix: Parameter, postNorm: Parameter | undefined) =>
    postNorm === undefined ? layers.linear(x, matrix, hidden) : add(hidden, norm(layers.linear(x, matrix), postNorm));
  let x = embed(config, parameters, layers, inputs);
  for (const [index, layer] of parameters.layers.entries()) {
    const context = attention(config, layer, layers, { x: norm(x, layer.attentionNorm), ...viewOf(index) });
    // Behind the last attention nothing but the wanted rows is read.
    const last = index === parameters.layers.length - 1;
    const pick = (value: Value) => (last ? gather(value, inputs.rows) : value);
    x = addTo(pick(x), pick(context), layer.attentionOutput, layer.attentionPostNorm);
    x = addTo(x, gated(config, layer, layers, norm(x, layer.feedForwardNorm)), layer.down, layer.feedForwardPostNorm);
  }
  return norm(x, parameters.outputNorm);
}

/** The scores [rows, vocabulary] of the tokens that may follow the wanted rows. */
export function logits(hidden: Value, { output }: DecoderParameters, layers: Layers): Value {
  return gemm(hidden, layers.value(output), { transB: true });
}

/** [batch * time, width] */
function embed(config: DecoderConfig, { embedding }: DecoderParameters, { value }: Layers, { tokens }: ModelInputs): Value {
  const scale = architectures[config.architecture].embeddingScale?.(config);
  const x = gather(value(embedding), flatten(tokens));
  return scale === undefined ? x : mul(x, scalar(scale));
}

/** How the rows of each layer look at one another. */
function views(config: DecoderConfig, inputs: ModelInputs): (layer: number) => Omit<AttentionOptions, "x"> {
  const { sliding, architecture, context, headDim } = config;
  const { rotatedPairs, attentionScale } = architectures[architecture];
  const scale = attentionScale?.(config) ?? 1 / Math.sqrt(headDim);
  const full = { mask: inputs.mask, rotate: rotation(config, rotatedPairs), scale };
  if (sliding === undefined) return () => full;
  const rotate = rotation({ context, headDim, ropeBase: sliding.ropeBase }, rotatedPairs);
  return (layer) => (sliding.layers[layer] === true ? { mask: inputs.slidingMask, rotate, scale } : full);
}

/** A gated linear unit (Shazeer 2020, https://arxiv.org/abs/2002.05202) up to its last matrix: [rows, hidden]. */
function gated({ architecture, hidden }: DecoderConfig, { gateUp }: LayerParameters, { linear }: Layers, x: Value): Value {
  const [gate, up] = split(linear(x, gateUp), 1, [hidden, hidden]) as [Value, Value];
  return mul(architectures[architecture].activation(gate), up);
}
