// The graphs of a run as bytes. Made in the runtime's thread: for a model of thirty layers that takes a third of a second.

import { serialise } from "../graph/onnx.ts";
import { type ChoosePrecision, type Int8Weight, quantise } from "../graph/quantise.ts";
import type { DecoderConfig } from "../nn/config.ts";
import type { LoraOptions } from "../nn/lora.ts";
import { buildModel, lossGraph, type Method, type ModelOptions, trainingGraph } from "../nn/programs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Packings, weightSource } from "./weights-file.ts";

export type Precision = "exact" | "fast";

export interface Graphs {
  readonly training: Uint8Array;
  readonly loss: Uint8Array;
  /** Matrices that the training graph reads as bytes, by the names of these. */
  readonly int8: ReadonlyMap<string, Int8Weight>;
}

/** What a thread can be sent: no functions. */
interface GraphsRequest extends ModelOptions {
  readonly config: DecoderConfig;
  readonly method: ({ readonly kind: "lora" } & LoraOptions) | { readonly kind: "full"; readonly trained: readonly string[] };
  readonly precision: Precision;
  readonly packings?: Packings;
  readonly heldWhole?: boolean;
  /** Of the frozen weights, beside the graphs. */
  readonly file: string;
}

export interface BuildGraphsOptions extends Omit<GraphsRequest, "method"> {
  readonly method: Method;
}

/** The graphs, made in the runtime's thread. */
export function buildGraphs(runtime: Runtime, { method, ...options }: BuildGraphsOptions): Promise<Graphs> {
  const trained = () => buildModel(options.config, method).trained.map(({ name }) => name);
  const request: GraphsRequest = { ...options, method: method.kind === "lora" ? method : { kind: "full", trained: trained() } };
  return runtime.compute(import.meta.url, makeGraphs, request);
}

/** The products that become bytes. What the down layer reads has outliers that no rotation spreads: it is multiplied exactly. */
const chosen: { readonly [P in Precision]: ChoosePrecision } = {
  exact: () => "exact",
  fast: (name, contracts) => (!name.startsWith("blk.") || (name.endsWith("ffn_down") && contracts === "inputs") ? "exact" : "int8"),
};

/** What the runtime's thread calls. */
export function makeGraphs({ config, method, precision, packings, heldWhole = false, file, ...options }: GraphsRequest): Graphs {
  const names = new Set(method.kind === "full" ? method.trained : []);
  const model = buildModel(config, method.kind === "lora" ? method : { kind: "full", trains: ({ name }) => names.has(name) }, options);
  const { graph, weights: int8 } = quantise(trainingGraph(model), chosen[precision]);
  const weights = weightSource(file, { parameters: model.frozen, packings, int8 });
  return { training: serialise(graph, { weights, wholeOnce: heldWhole }), loss: serialise(lossGraph(model), { weights }), int8 };
}
