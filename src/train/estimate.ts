// What a run will need, before it runs: steps and work exactly, memory as a first guess. Pure.

import { decoderParameters } from "../nn/architectures.ts";
import type { DecoderConfig } from "../nn/config.ts";
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
  /** Multiplications and additions of all steps, filling of batches left out. */
  readonly operations: number;
  /** Peak of the process, within about a third. */
  readonly memoryBytes: number;
}

export function estimateTraining(options: EstimateOptions): TrainingEstimate {
  const { config, kind, sequences, maxSteps = Number.POSITIVE_INFINITY, batchTokens = commonDefaults.batchTokens } = options;
  const { epochs = defaults[kind].epochs, batchSize = defaults[kind].batchSize } = options;
  const stepsPerEpoch = Math.ceil(sequences.length / batchSize);
  const steps = Math.min(epochs * stepsPerEpoch, maxSteps);
  const passes = stepsPerEpoch === 0 ? 0 : steps / stepsPerEpoch;
  const tokens = passes * sequences.reduce((sum, { tokens: count }) => sum + count - 1, 0);
  const rows = passes * learntTokens(sequences);
  const sizes = parameterSizes(options);
  const longest = Math.max(0, ...sequences.map(({ tokens: count }) => count - 1));
  return {
    steps,
    stepsPerEpoch,
    tokens,
    trainedParameters: sizes.trained,
    operations: operations(options, sizes, tokens, rows),
    memoryBytes: memory(config, sizes, Math.max(batchTokens, longest), longest),
  };
}

interface Sizes {
  /** Numbers in matrices of the layers, in the output table, and in what is learnt. */
  readonly linear: number;
  readonly table: number;
  readonly trained: number;
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
  const count = (list: readonly Parameter[]) => list.reduce((sum, parameter) => sum + elementCount(parameter), 0);
  const adapters = parameters.layers
    .flatMap(linears)
    .flatMap(({ shape: [outputs = 0, inputs = 0], parts }) => parts.length * rank * (outputs + inputs))
    .reduce((sum, size) => sum + size, 0);
  const all = allParameters(parameters);
  const learnt = lastLayers === undefined ? all : all.filter(({ layer }) => layer !== undefined && layer >= config.layers - lastLayers);
  return {
    linear: count(parameters.layers.flatMap(linears)),
    table: elementCount(parameters.output),
    trained: kind === "lora" ? adapters : count(learnt),
    all: count(all),
  };
}

// Forward, and backward to the inputs, cost the same; weights that are learnt cost it once more.
function operations(
  { config: { layers, heads, headDim }, kind }: EstimateOptions,
  { linear, table, trained }: Sizes,
  tokens: number,
  rows: number,
): number {
  const learning = kind === "lora" ? 3 * trained : Math.min(trained, linear);
  const attention = layers * heads * headDim * 4;
  return 2 * (tokens * (2 * linear + learning + attention) + rows * table * (kind === "lora" ? 2 : 3));
}

/** Bytes a process takes before it trains. */
const PROCESS = 250e6;

// First guesses from the sizes of what is held; not fitted to measured peaks.
function memory(
  { layers, width, hidden, heads, headDim, vocabulary }: DecoderConfig,
  { linear, table, trained, all }: Sizes,
  places: number,
  longest: number,
): number {
  const lora = trained < linear / 4;
  // Frozen matrices stand twice in the layout of products (forward, backward), and once as they are in the file.
  const frozen = 4 * (all - (lora ? 0 : trained)) + (lora ? 8 * linear + 4 * table : 0);
  const state = 16 * trained;
  const kept = places * layers * (6 * width + 4 * heads * headDim + 7 * hidden + 3 * heads * longest);
  const head = 3 * places * vocabulary;
  return PROCESS + frozen + state + 4 * (kept + head);
}
