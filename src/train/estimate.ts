// What a run will need, before it runs: steps exactly, work and memory by sums whose few constants were fitted to measured runs
// (`npm run bench -- estimate`). Pure.

import { decoderParameters } from "../nn/architectures.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { learntNumbers, loraPair } from "../nn/lora.ts";
import { allParameters, elementCount, linears, type Parameter } from "../nn/parameters.ts";
import { commonDefaults, defaults, type RunKind } from "./defaults.ts";

/** Lengths of a training text, in tokens. */
export interface SequenceLength {
  readonly tokens: number;
  readonly promptLength: number;
}

/** Tokens that are predicted. */
export function learntTokens(sequences: readonly SequenceLength[]): number {
  return sequences.reduce((sum, { tokens, promptLength }) => sum + tokens - Math.max(promptLength, 1), 0);
}

export interface EstimateOptions {
  readonly config: DecoderConfig;
  readonly kind: RunKind;
  /** Whether the model's matrices are quantised in its file: those that are not learnt stay so. */
  readonly quantised?: boolean;
  readonly sequences: readonly SequenceLength[];
  readonly rank?: number;
  /** For full tuning: layers learnt from the end; all weights without it. */
  readonly lastLayers?: number;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly batchSize?: number;
  readonly batchTokens?: number;
}

export interface TrainingEstimate {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Tokens read in all steps. */
  readonly tokens: number;
  readonly trainedParameters: number;
  /** Multiply-adds of all steps, all other work told in those that take as long: time is proportional to it, within a quarter. */
  readonly operations: number;
  /** Peak of the process, within a quarter. */
  readonly memoryBytes: number;
}

export function estimateTraining(options: EstimateOptions): TrainingEstimate {
  const { kind, sequences, maxSteps = Number.POSITIVE_INFINITY, batchTokens = commonDefaults.batchTokens } = options;
  const { epochs = defaults[kind].epochs, batchSize = defaults[kind].batchSize } = options;
  const stepsPerEpoch = Math.ceil(sequences.length / batchSize);
  const steps = Math.min(epochs * stepsPerEpoch, maxSteps);
  const passes = stepsPerEpoch === 0 ? 0 : steps / stepsPerEpoch;
  const lengths = sequences.map(({ tokens }) => tokens - 1);
  const overall = (values: readonly number[]) => passes * sum(values);
  const read: Read = {
    steps,
    tokens: overall(lengths),
    squares: overall(lengths.map((length) => length ** 2)),
    rows: passes * learntTokens(sequences),
  };
  const sizes = parameterSizes(options);
  const longest = Math.max(0, ...lengths);
  const places = Math.min(Math.max(batchTokens, longest), batchSize * longest);
  return {
    steps,
    stepsPerEpoch,
    tokens: read.tokens,
    trainedParameters: sizes.trained,
    operations: operations(options, sizes, read),
    memoryBytes: memory(options, sizes, { places, longest, rows: (places * read.rows) / Math.max(1, read.tokens) }),
  };
}

/** What all steps read: tokens, their sequences' lengths squared, and predicted tokens. */
interface Read {
  readonly steps: number;
  readonly tokens: number;
  readonly squares: number;
  readonly rows: number;
}

interface Sizes {
  /** Numbers in matrices of the layers, in the output table, and in what is learnt. */
  readonly linear: number;
  readonly table: number;
  readonly trained: number;
  /** What is learnt and the zeros beside it: stacked adapters have them, and they are multiplied and updated too. */
  readonly state: number;
  readonly all: number;
}

/** Numbers in a model and in what a run of it learns. */
export function parameterSizes({
  config,
  kind,
  rank = defaults.lora.rank,
  lastLayers,
}: Pick<EstimateOptions, "config" | "kind" | "rank" | "lastLayers">): Sizes {
  const parameters = decoderParameters(config);
  const count = (list: readonly Parameter[]) => sum(list.map(elementCount));
  const pairs = parameters.layers.flatMap(linears).flatMap((linear) => loraPair(linear, { rank }) ?? []);
  const adapters = { trained: sum(pairs.map(learntNumbers)), state: count(pairs.flatMap(({ a, b }) => [a, b])) };
  const all = allParameters(parameters);
  const learnt = lastLayers === undefined ? all : all.filter(({ layer }) => layer !== undefined && layer >= config.layers - lastLayers);
  return {
    linear: count(parameters.layers.flatMap(linears)),
    table: elementCount(parameters.output),
    ...(kind === "lora" ? adapters : { trained: count(learnt), state: count(learnt) }),
    all: count(all),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Layers through which gradients go. */
function layersLearnt({ kind, config: { layers }, lastLayers = layers }: EstimateOptions): number {
  return kind === "full" ? lastLayers : layers;
}

/** Multiply-adds of a large product that take as long as one number of what lies between products, forward and backward. */
const BETWEEN = 300;
/** And as the update of one learnt number, which waits for memory. */
const UPDATE = 1550;

function operations(options: EstimateOptions, { linear, table, state }: Sizes, { steps, tokens, squares, rows }: Read): number {
  const { config, kind, lastLayers } = options;
  const { layers, width, hidden, heads, headDim } = config;
  const back = layersLearnt(options) / layers;
  // Forward, back to the inputs, and back to the weights where they are learnt; an adapter's two matrices all three times.
  const products = tokens * linear * (1 + back) + tokens * (kind === "lora" ? 3 * state : back * linear);
  const head = rows * table * (kind === "lora" || lastLayers !== undefined ? 2 : 3);
  const attention = layers * heads * headDim * squares * (2 + 4 * back);
  const between = (layers * (tokens * (10 * width + 7 * hidden) + 2 * heads * squares) * (1 + 2 * back)) / 3;
  return products + head + attention + BETWEEN * between + UPDATE * state * steps;
}

/** Bytes that a process takes before it trains. */
const PROCESS = 250e6;

interface Batch {
  readonly places: number;
  readonly longest: number;
  readonly rows: number;
}

function memory(options: EstimateOptions, { linear, table, state, all }: Sizes, { places, longest, rows }: Batch): number {
  const { kind, config, quantised = false } = options;
  const { width, hidden, heads, kvHeads, headDim, layers, vocabulary } = config;
  const learnt = layersLearnt(options);
  // Every layer's products are held; all else is that of one layer. What computes without learning anything counts as a layer.
  const held = Math.min(layers, learnt + 1) * places * (2 * width + 2 * (heads + kvHeads) * headDim + 2 * hidden);
  const between = places * (8 * hidden + 8 * heads * longest);
  const frozen = kind === "lora" ? { all, linear } : { all: all - state, linear: (1 - learnt / layers) * linear };
  // Value, gradient, AdamW's two moments and a copy of each learnt number; of each predicted token its scores, here and where losses are measured.
  return PROCESS + weightBytes(frozen, table, quantised) + 20 * state + 4 * (held + between + 5 * rows * vocabulary);
}

/** Of the numbers that are not learnt, in matrices of layers and in all. */
function weightBytes(frozen: Pick<Sizes, "all" | "linear">, table: number, quantised: boolean): number {
  const tables = frozen.all >= table ? table : 0;
  // A byte a number and a step for 32 of them; tables are as they are in the file.
  if (quantised) return 1.125 * frozen.linear + 4 * (frozen.all - frozen.linear);
  // As they are in the file; those of layers twice more in the layouts of products, those of the table three times, while it is read.
  return 4 * frozen.all + 8 * frozen.linear + 12 * tables;
}
