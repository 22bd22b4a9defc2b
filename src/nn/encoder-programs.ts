// The graphs of an encoder that are run: sentence embeddings, and a contrastive training step of its adapters.

import { gradients } from "../graph/differentiate.ts";
import { type Graph, trace } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { gather, input, mul, sum, weight } from "../graph/ops.ts";
import { recompute } from "../graph/recompute.ts";
import { simplify } from "../graph/simplify.ts";
import { verify } from "../graph/verify.ts";
import { infoNce } from "./contrastive.ts";
import {
  type EncoderConfig,
  encoderInputs,
  encoderParameters,
  type EncoderParameters,
  type EncoderTarget,
  sentenceEmbeddings,
} from "./encoder.ts";
import { type Layers, plainLayers } from "./linear.ts";
import { addLora, type LoraPair } from "./lora.ts";
import type { Parameter } from "./parameters.ts";
import { gradientPrefix } from "./programs.ts";

export interface EncoderLora {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly EncoderTarget[];
}

/** An encoder with adapters: A and B of each pair are inputs, all else is frozen. */
export interface AdaptedEncoder {
  readonly config: EncoderConfig;
  readonly parameters: EncoderParameters;
  readonly lora: EncoderLora;
  readonly pairs: readonly LoraPair[];
}

export function adaptEncoder(config: EncoderConfig, lora: EncoderLora): AdaptedEncoder {
  const parameters = encoderParameters(config);
  const pairs = parameters.layers.flatMap(({ linears }) => lora.targets.map((target) => pairOf(linears[target].weight, lora)));
  return { config, parameters, lora, pairs };
}

function pairOf(base: Parameter, { rank }: EncoderLora): LoraPair {
  const [outputs = 0, inputs = 0] = base.shape;
  const part = (suffix: string, shape: readonly number[]): Parameter => ({
    name: `${base.name}.${suffix}`,
    shape,
    kind: "linear",
    parts: [],
  });
  return {
    base,
    rank,
    blocks: [{ tensor: base.name, row: 0, rows: outputs }],
    a: part("lora_a", [rank, inputs]),
    b: part("lora_b", [outputs, rank]),
  };
}

/** `embeddings` [batch, width] of the encoder without adapters. */
export function embeddingGraph(config: EncoderConfig): Graph {
  const embeddings = sentenceEmbeddings(config, encoderParameters(config), plainLayers(leaves([])), encoderInputs());
  return finish("embeddings", { embeddings });
}

/**
 * Questions and passages are texts of one batch, `queryRows` and `passageRows` of it. `loss`: InfoNCE of the questions, each counting
 * by its number in `weights`; of the training graph also, under `gradient/<name>`, its derivative by every A and B.
 */
export function contrastiveGraphs(
  { config, parameters, lora, pairs }: AdaptedEncoder,
  temperature: number,
): { readonly training: Graph; readonly loss: Graph } {
  const trained = pairs.flatMap(({ a, b }) => [a, b]);
  const layers = adaptedLayers(leaves(trained), pairs, lora);
  const embeddings = sentenceEmbeddings(config, parameters, layers, encoderInputs());
  const losses = infoNce(
    gather(embeddings, input("queryRows", "int64", ["queries"])),
    gather(embeddings, input("passageRows", "int64", ["passages"])),
    { labels: input("labels", "int64", ["queries"]), blocked: input("blocked", "float32", ["queries", "passages"]), temperature },
  );
  const loss = sum(mul(losses, input("weights", "float32", ["queries"])), [0]);
  const found = gradients(loss, trained.map(layers.value));
  const outputs = trained.map(({ name }, index) => [gradientPrefix + name, found[index] as Value] as const);
  const training = finish("contrastive step", { loss, ...Object.fromEntries(outputs) });
  return { training: verify(recompute(training, ["loss"])), loss: finish("contrastive loss", { loss }) };
}

function adaptedLayers(value: Layers["value"], pairs: readonly LoraPair[], { rank, alpha }: EncoderLora): Layers {
  const plain = plainLayers(value);
  const pairOfBase = new Map(pairs.map((pair) => [pair.base, pair]));
  return {
    value,
    linear(x, parameter, added) {
      const base = plain.linear(x, parameter, added);
      const pair = pairOfBase.get(parameter);
      return pair === undefined ? base : addLora(base, x, { pair, rank, alpha, a: value(pair.a), b: value(pair.b), mask: undefined });
    },
  };
}

/** One leaf a parameter: an input where it is learnt, a weight where it is frozen. */
function leaves(trained: readonly Parameter[]): Layers["value"] {
  const made = new Map<Parameter, Value>();
  return (parameter) => {
    const leaf =
      made.get(parameter) ??
      (trained.includes(parameter) ? input(parameter.name, "float32", parameter.shape) : weight(parameter.name, parameter.shape));
    made.set(parameter, leaf);
    return leaf;
  };
}

function finish(name: string, outputs: { readonly [name: string]: Value }): Graph {
  return verify(simplify(verify(trace(name, outputs))));
}
