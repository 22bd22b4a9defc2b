// The graphs that are run: a training step (loss and gradients), a loss without gradients, and logits.

import { gradients } from "../graph/differentiate.ts";
import { type Graph, trace } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { input, linearCrossEntropy, mul, sum, weight } from "../graph/ops.ts";
import { simplify } from "../graph/simplify.ts";
import { verify } from "../graph/verify.ts";
import { decoderParameters } from "./architectures.ts";
import type { DecoderConfig } from "./config.ts";
import { hiddenStates, logits, modelInputs } from "./decoder.ts";
import { type Layers, plainLayers } from "./linear.ts";
import { addLora, type LoraOptions, loraPair, type LoraPair, maskOf } from "./lora.ts";
import { allParameters, type DecoderParameters, linears, type Parameter } from "./parameters.ts";

/** What is learnt: adapters of every linear layer, or the parameters of the model that pass. */
export type Method =
  | ({ readonly kind: "lora" } & LoraOptions)
  | { readonly kind: "full"; readonly trains: (parameter: Parameter) => boolean };

export interface Model {
  readonly config: DecoderConfig;
  readonly parameters: DecoderParameters;
  readonly layers: Layers;
  /** Parameters that are learnt, given as inputs of their names; matrices before norms. */
  readonly trained: readonly Parameter[];
  /** Parameters that are frozen, parts of the model file. */
  readonly frozen: readonly Parameter[];
  /** The pairs of adapters, where the method is LoRA. */
  readonly pairs: readonly LoraPair[];
}

/** A model whose parameters are frozen or learnt as the method says. */
export function buildModel(config: DecoderConfig, method: Method): Model {
  const parameters = decoderParameters(config);
  const all = allParameters(parameters);
  if (method.kind === "lora") return loraModel(config, parameters, method);
  const trained = all.filter(method.trains);
  const frozen = all.filter((parameter) => !method.trains(parameter));
  return { config, parameters, layers: plainLayers(leaves(trained)), trained, frozen, pairs: [] };
}

export const gradientPrefix = "gradient/";

/** Loss, and under `gradient/<name>` the gradient of every trained parameter. */
export function trainingGraph(model: Model): Graph {
  const loss = lossOf(model);
  const trained = model.trained.map(model.layers.value);
  const found = gradients(loss, trained);
  const outputs = model.trained.map(({ name }, index) => [gradientPrefix + name, found[index] as Value] as const);
  return finish("training step", { loss, ...Object.fromEntries(outputs) });
}

/** The loss alone. */
export function lossGraph(model: Model): Graph {
  return finish("loss", { loss: lossOf(model) });
}

/** The logits [rows, vocabulary] of the wanted rows. */
export function logitsGraph(model: Model): Graph {
  const { config, parameters, layers } = model;
  return finish("logits", { logits: logits(hiddenStates(config, parameters, layers, modelInputs()), parameters, layers) });
}

/** Cross-entropy of the wanted rows against `labels`, each times its share in `weights`, added up. */
function lossOf({ config, parameters, layers }: Model): Value {
  const hidden = hiddenStates(config, parameters, layers, modelInputs());
  const labels = input("labels", "int64", ["rows"]);
  const weights = input("weights", "float32", ["rows"]);
  return sum(mul(linearCrossEntropy(hidden, layers.value(parameters.output), labels).losses, weights), [0]);
}

function finish(name: string, outputs: { readonly [name: string]: Value }): Graph {
  return verify(simplify(verify(trace(name, outputs))));
}

function loraModel(config: DecoderConfig, parameters: DecoderParameters, { rank, alpha }: LoraOptions): Model {
  const pairs = parameters.layers.flatMap((layer) => linears(layer).map((linear) => loraPair(linear, rank)));
  const pairOf = new Map(pairs.map((pair) => [pair.base, pair]));
  const trained = pairs.flatMap(({ a, b }) => [a, b]);
  const frozen = allParameters(parameters);
  const value = leaves(trained);
  const plain = plainLayers(value);
  const masks = new Map<string, Value | undefined>();
  // Layers of one shape share one mask.
  const mask = (pair: LoraPair) => {
    const key = pair.base.parts.map(({ rows }) => rows).join();
    if (!masks.has(key)) masks.set(key, maskOf(pair));
    return masks.get(key);
  };
  const linear: Layers["linear"] = (x, parameter, added) => {
    const base = plain.linear(x, parameter, added);
    const pair = pairOf.get(parameter);
    return pair === undefined ? base : addLora(base, x, { pair, a: value(pair.a), b: value(pair.b), mask: mask(pair), rank, alpha });
  };
  return { config, parameters, layers: { value, linear }, trained, frozen, pairs };
}

/** One leaf a parameter: an input where it is trained, a weight where it is frozen. */
function leaves(trained: readonly Parameter[]): (parameter: Parameter) => Value {
  const inputs = new Set(trained);
  const made = new Map<Parameter, Value>();
  return (parameter) => {
    const found = made.get(parameter);
    if (found !== undefined) return found;
    const leaf = inputs.has(parameter) ? input(parameter.name, "float32", parameter.shape) : weight(parameter.name, parameter.shape);
    made.set(parameter, leaf);
    return leaf;
  };
}
