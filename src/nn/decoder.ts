// The forward pass of a decoder as a graph, from tokens to the hidden states of chosen rows. What differs, its architecture says.

import type { Value } from "../graph/ir.ts";
import { flatten, gather, gemm, input, mul, rmsNorm, split } from "../graph/ops.ts";
import { architectures } from "./architectures.ts";
import { attention } from "./attention.ts";
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

/** The hidden states [rows, width] behind the last norm, ready to be scored against the output table. */
export function hiddenStates(config: DecoderConfig, parameters: DecoderParameters, layers: Layers, inputs: ModelInputs): Value {
  const { rotatedPairs } = architectures[config.architecture];
  const rotate = rotation(config, rotatedPairs);
  const norm = (x: Value, parameter: Parameter) => rmsNorm(x, layers.value(parameter), config.epsilon).y;
  let x = gather(layers.value(parameters.embedding), flatten(inputs.tokens)); // [batch * time, width]
  for (const [index, layer] of parameters.layers.entries()) {
    const context = attention(config, layer, layers, { x: norm(x, layer.attentionNorm), mask: inputs.mask, rotate });
    // Behind the last attention nothing but the wanted rows is read.
    const last = index === parameters.layers.length - 1;
    const pick = (value: Value) => (last ? gather(value, inputs.rows) : value);
    x = layers.linear(pick(context), layer.attentionOutput, pick(x));
    x = layers.linear(gated(config, layer, layers, norm(x, layer.feedForwardNorm)), layer.down, x);
  }
  return norm(x, parameters.outputNorm);
}

/** The scores [rows, vocabulary] of the tokens that may follow the wanted rows. */
export function logits(hidden: Value, { output }: DecoderParameters, layers: Layers): Value {
  return gemm(hidden, layers.value(output), { transB: true });
}

/** A gated linear unit (Shazeer 2020, https://arxiv.org/abs/2002.05202) up to its last matrix: [rows, hidden]. */
function gated({ architecture, hidden }: DecoderConfig, { gateUp }: LayerParameters, { linear }: Layers, x: Value): Value {
  const [gate, up] = split(linear(x, gateUp), 1, [hidden, hidden]) as [Value, Value];
  return mul(architectures[architecture].activation(gate), up);
}
