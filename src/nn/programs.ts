// The graphs that are run: a training step (loss and gradients), a loss without gradients, and logits.

import { gradients } from "../graph/differentiate.ts";
import { type Graph, trace } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { add, gather, input, linearCrossEntropy, linearKl, mul, split, sum, weight } from "../graph/ops.ts";
import { type Dim, dimAt } from "../graph/shape.ts";
import { recompute } from "../graph/recompute.ts";
import { simplify } from "../graph/simplify.ts";
import { verify } from "../graph/verify.ts";
import { decoderParameters } from "./architectures.ts";
import type { DecoderConfig } from "./config.ts";
import { hiddenStates, logits, modelInputs } from "./decoder.ts";
import { type Layers, plainLayers } from "./linear.ts";
import { addLora, type Dropout, learntNumbers, type LoraOptions, loraPair, type LoraPair, maskOf } from "./lora.ts";
import { allParameters, type DecoderParameters, elementCount, linears, type Parameter } from "./parameters.ts";

/** What is learnt: adapters of every linear layer, or the parameters of the model that pass. */
export type Method =
  | ({ readonly kind: "lora" } & LoraOptions)
  | { readonly kind: "full"; readonly trains: (parameter: Parameter) => boolean };

export interface Model {
  readonly config: DecoderConfig;
  readonly parameters: DecoderParameters;
  readonly layers: Layers;
  /** The layers as a training step computes them: with dropout, where the method has it. */
  readonly learning: Layers;
  /** Codes that `dropout/columns` takes; 0 without dropout. */
  readonly dropoutColumns: number;
  /** Parameters that are learnt, given as inputs of their names; matrices before norms. */
  readonly trained: readonly Parameter[];
  /** Parameters that are frozen, parts of the model file. */
  readonly frozen: readonly Parameter[];
  /** The pairs of adapters, where the method is LoRA. */
  readonly pairs: readonly LoraPair[];
  /** The table that scored tokens before anything was learnt, where a training step keeps near the base model. */
  readonly anchor?: Parameter;
}

export interface ModelOptions {
  /** Whether a training step takes the KL divergence from the base model into its loss. */
  readonly anchored?: boolean;
}

/** A model whose parameters are frozen or learnt as the method says. */
export function buildModel(config: DecoderConfig, method: Method, { anchored = false }: ModelOptions = {}): Model {
  const model = plainModel(config, method);
  const { output } = model.parameters;
  if (!anchored) return model;
  if (!model.trained.includes(output)) return { ...model, anchor: output };
  const anchor = { ...output, name: `base/${output.name}` };
  return { ...model, anchor, frozen: [...model.frozen, anchor] };
}

function plainModel(config: DecoderConfig, method: Method): Model {
  const parameters = decoderParameters(config);
  const all = allParameters(parameters);
  if (method.kind === "lora") return loraModel(config, parameters, method);
  const trained = all.filter(method.trains);
  const frozen = all.filter((parameter) => !method.trains(parameter));
  const layers = plainLayers(leaves(trained));
  return { config, parameters, layers, learning: layers, dropoutColumns: 0, trained, frozen, pairs: [] };
}

/** Numbers that are learnt. */
export function learntCount({ pairs, trained }: Model): number {
  const counts = pairs.length > 0 ? pairs.map(learntNumbers) : trained.map(elementCount);
  return counts.reduce((sum, count) => sum + count, 0);
}

export const gradientPrefix = "gradient/";
/** Of the inputs that decide what is dropped: `columns`, and the rows by their dimension's name. */
export const dropoutPrefix = "dropout/";

/** Loss, where the model is anchored `kl`, and under `gradient/<name>` the gradient of their sum by every trained parameter. Holds little of the pass forward. */
export function trainingGraph(model: Model): Graph {
  const { hidden, loss } = lossOf(model, model.learning);
  const kl = model.anchor === undefined ? undefined : divergence(hidden, model, model.anchor);
  const trained = model.trained.map(model.layers.value);
  const found = gradients(kl === undefined ? loss : add(loss, kl), trained);
  const outputs = model.trained.map(({ name }, index) => [gradientPrefix + name, found[index] as Value] as const);
  const forward = { loss, ...(kl && { kl }) };
  const graph = finish("training step", { ...forward, ...Object.fromEntries(outputs) });
  return verify(recompute(graph, Object.keys(forward)));
}

/** The loss alone, and the cross-entropy of each row; where the model is anchored also `hidden`, what it is to be kept near to. */
export function lossGraph(model: Model): Graph {
  const { hidden, loss, losses } = lossOf(model, model.layers);
  return finish("loss", { loss, losses, ...(model.anchor && { hidden }) });
}

/** The logits [rows, vocabulary] of the wanted rows. */
export function logitsGraph(model: Model): Graph {
  const { config, parameters, layers } = model;
  return finish("logits", { logits: logits(hiddenStates(config, parameters, layers, modelInputs()), parameters, layers) });
}

/** Cross-entropy of the wanted rows against `labels`, each times its share in `weights`, added up. */
function lossOf({ config, parameters }: Model, layers: Layers) {
  const hidden = hiddenStates(config, parameters, layers, modelInputs());
  const labels = input("labels", "int64", ["rows"]);
  const weights = input("weights", "float32", ["rows"]);
  const { losses } = linearCrossEntropy(hidden, layers.value(parameters.output), labels);
  return { hidden, losses, loss: sum(mul(losses, weights), [0]) };
}

/**
 * KL divergence from the base model at `anchorRows` of the wanted rows, added up and times `klWeight`. The base's hidden states there
 * are given: they never change, so that they are computed once for all epochs, and nothing but its scores is computed again.
 */
function divergence(hidden: Value, { parameters: { output }, layers, config: { width } }: Model, anchor: Parameter): Value {
  const rows = gather(hidden, input("anchorRows", "int64", ["anchored"]));
  const base = { hidden: input("baseHidden", "float32", ["anchored", width]), table: layers.value(anchor) };
  return mul(sum(linearKl(rows, layers.value(output), base).losses, [0]), input("klWeight", "float32", []));
}

function finish(name: string, outputs: { readonly [name: string]: Value }): Graph {
  return verify(simplify(verify(trace(name, outputs))));
}

function loraModel(config: DecoderConfig, parameters: DecoderParameters, { dropout = 0, ...options }: LoraOptions): Model {
  const pairs = parameters.layers.flatMap((layer) => linears(layer).flatMap((linear) => loraPair(linear, options) ?? []));
  const pairOf = new Map(pairs.map((pair) => [pair.base, pair]));
  const trained = pairs.flatMap(({ a, b }) => [a, b]);
  const value = leaves(trained);
  const plain = plainLayers(value);
  const mask = sharedMasks();
  const adapted = (droppedOf: DroppedOf): Layers => ({
    value,
    linear(x, parameter, added) {
      const base = plain.linear(x, parameter, added);
      const pair = pairOf.get(parameter);
      if (pair === undefined) return base;
      return addLora(base, x, { ...options, pair, a: value(pair.a), b: value(pair.b), mask: mask(pair), dropped: droppedOf(pair, x) });
    },
  });
  const layers = adapted(() => undefined);
  return {
    config,
    parameters,
    layers,
    learning: dropout === 0 ? layers : adapted(codes(pairs, dropout)),
    dropoutColumns: dropout === 0 ? 0 : pairs.reduce((sum, { a }) => sum + inputsOf(a), 0),
    trained,
    frozen: allParameters(parameters),
    pairs,
  };
}

type DroppedOf = (pair: LoraPair, x: Value) => Dropout | undefined;

/** Codes of columns are of each pair's own; codes of rows are shared by all that read the same rows. */
function codes(pairs: readonly LoraPair[], rate: number): DroppedOf {
  const widths = pairs.map(({ a }) => inputsOf(a));
  const all = input(dropoutPrefix + "columns", "int64", [widths.reduce((sum, width) => sum + width, 0)]);
  const columns = split(all, 0, widths);
  const rows = new Map<Dim, Value>();
  return (pair, x) => {
    const dim = dimAt(x.shape, 0);
    const known = rows.get(dim) ?? input(dropoutPrefix + dim, "int64", [dim]);
    rows.set(dim, known);
    return { rate, rows: known, columns: columns[pairs.indexOf(pair)] as Value };
  };
}

function inputsOf({ shape: [, inputs = 0] }: Parameter): number {
  return inputs;
}

/** Layers of one shape share one mask. */
function sharedMasks(): (pair: LoraPair) => Value | undefined {
  const masks = new Map<string, Value | undefined>();
  return (pair) => {
    const key = `${pair.b.shape.join()}: ${pair.blocks.map(({ row, rows }) => `${row} ${rows}`).join()}`;
    if (!masks.has(key)) masks.set(key, maskOf(pair));
    return masks.get(key);
  };
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
