// Learns LoRA adapters of an encoder from questions and the passages that answer them, both read by it, and merges them into its weights.

import { serialise } from "../graph/onnx.ts";
import type { EncoderConfig, EncoderTarget } from "../nn/encoder.ts";
import { adaptEncoder, contrastiveGraphs } from "../nn/encoder-programs.ts";
import type { LoraPair } from "../nn/lora.ts";
import { elementCount } from "../nn/parameters.ts";
import { gradientPrefix } from "../nn/programs.ts";
import type { View } from "../runtime/protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32Data, int64, type Tensors } from "../runtime/tensor.ts";
import { type Random, seededRandom } from "../util/random.ts";
import {
  type Answered,
  type ContrastiveBatch,
  contrastiveBatches,
  type ContrastiveEpoch,
  contrastiveFeeds,
  epochsOf,
  meanContrastiveLoss,
} from "./contrastive-batches.ts";
import { encoderFeeds } from "./encoder-feeds.ts";
import { startOptimiser } from "./optimiser.ts";

/** A question's token ids, special tokens included, with the places of passages. */
export interface EncoderQuery extends Answered {
  readonly tokens: readonly number[];
}

export interface TuneEncoderOptions {
  readonly runtime: Runtime;
  readonly config: EncoderConfig;
  /** The numbers of every parameter by its name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly train: readonly EncoderQuery[];
  /** The epoch is kept whose loss on these is lowest. */
  readonly validation: readonly EncoderQuery[];
  /** Token ids, special tokens included. */
  readonly passages: readonly (readonly number[])[];
  readonly targets?: readonly EncoderTarget[];
  readonly rank?: number;
  readonly alpha?: number;
  readonly temperature?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly epochs?: number;
  readonly patience?: number;
  readonly batchSize?: number;
  readonly hardNegatives?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TunedEncoder {
  /** The adapted matrices with their adapters added, by name; none where no epoch was better than none. */
  readonly merged: ReadonlyMap<string, Float32Array>;
  readonly bestEpoch: number;
  readonly losses: readonly ContrastiveEpoch[];
}

/** Yields each epoch; returns the weights of the best one. */
export async function* tuneEncoder({
  targets = ["query", "key", "value", "output", "up", "down"],
  rank = 8,
  alpha = 16,
  temperature = 0.05,
  learningRate = 2e-4,
  weightDecay = 0.01,
  epochs = 3,
  patience = 1,
  batchSize = 16,
  hardNegatives = 1,
  seed = 0,
  ...options
}: TuneEncoderOptions): AsyncGenerator<ContrastiveEpoch, TunedEncoder> {
  const { runtime, config, weights, train, validation, passages, signal } = options;
  const adapted = adaptEncoder(config, { rank, alpha, targets });
  const graphs = contrastiveGraphs(adapted, temperature);
  await using tuner = await startTuner({ runtime, pairs: adapted.pairs, graphs, weights, passages, seed });
  const random = seededRandom(`encoder ${seed}`);
  const batches = (queries: readonly EncoderQuery[], by: Random) =>
    contrastiveBatches(queries, { passages: passages.length, batchSize, hardNegatives, randomNegatives: 0, random: by });
  const { state, bestEpoch, losses } = yield* epochsOf({
    epochs,
    patience,
    learn: () => meanContrastiveLoss(batches(train, random), (batch) => tuner.step(batch, { learningRate, weightDecay })),
    // The same negatives at every epoch.
    measure: () => meanContrastiveLoss(batches(validation, seededRandom(`held ${seed}`)), (batch) => tuner.loss(batch)),
    read: () => tuner.merged(alpha / rank),
    signal,
  });
  return { merged: state ?? new Map(), bestEpoch, losses };
}

/** Sessions and state of one run. */
interface Tuner extends AsyncDisposable {
  loss(batch: ContrastiveBatch<EncoderQuery>): Promise<number>;
  /** The loss before the update. */
  step(batch: ContrastiveBatch<EncoderQuery>, options: { readonly learningRate: number; readonly weightDecay: number }): Promise<number>;
  /** W + scale * B A of every adapted matrix. */
  merged(scale: number): Promise<ReadonlyMap<string, Float32Array>>;
}

interface StartTunerOptions extends Pick<TuneEncoderOptions, "runtime" | "weights" | "passages"> {
  readonly pairs: readonly LoraPair[];
  readonly graphs: ReturnType<typeof contrastiveGraphs>;
  readonly seed: number;
}

const buffers = ["parameter", "mean", "variance", "gradient"];

async function startTuner({ runtime, pairs, graphs, weights, passages, seed }: StartTunerOptions): Promise<Tuner> {
  const { views, size } = layout(pairs);
  for (const buffer of buffers) await runtime.allocate(buffer, size);
  await drawFirst(runtime, pairs, views, seed);
  const bound = (prefix: string, buffer: string) =>
    Object.fromEntries(Array.from(views, ([name, view]) => [prefix + name, { ...view, buffer }]));
  const bytes = (graph: typeof graphs.loss) => serialise(graph, { weights: (name) => ({ data: weights.get(name)! }) });
  const load = (graph: typeof graphs.loss, outputs = {}) =>
    runtime.load({ source: { bytes: bytes(graph) }, inputs: bound("", "parameter"), outputs });
  const training = await load(graphs.training, bound(gradientPrefix, "gradient"));
  const loss = await load(graphs.loss);
  const optimiser = await startOptimiser(runtime, size, size);
  let steps = 0;
  return {
    loss: async (batch) => float32Data(await loss.run(feedsOf(batch, passages)), "loss")[0]!,
    async step(batch, options) {
      const before = float32Data(await training.run(feedsOf(batch, passages)), "loss")[0]!;
      await optimiser.update("gradient", await optimiser.norm("gradient"), { ...options, step: ++steps, maxNorm: 1 });
      return before;
    },
    merged: async (scale) => {
      const all = await runtime.read("parameter", 0, size);
      const part = ({ name, shape }: LoraPair["a"]) => all.subarray(views.get(name)!.offset).subarray(0, elementCount({ shape }));
      return new Map(pairs.map((pair) => [pair.base.name, added(weights.get(pair.base.name)!, part(pair.a), part(pair.b), pair, scale)]));
    },
    async [Symbol.asyncDispose]() {
      for (const session of [training, loss, optimiser]) await session[Symbol.asyncDispose]();
      for (const buffer of buffers) await runtime.free(buffer);
    },
  };
}

function feedsOf(batch: ContrastiveBatch<EncoderQuery>, passages: TuneEncoderOptions["passages"]): Tensors {
  const [queries, places] = [batch.pairs.length, batch.places.length];
  const texts = [...batch.pairs.map(({ query }) => query.tokens), ...batch.places.map((place) => passages[place]!)];
  const counted = (from: number, count: number) =>
    int64(
      Array.from({ length: count }, (_, at) => from + at),
      [count],
    );
  return { ...contrastiveFeeds(batch), ...encoderFeeds(texts), queryRows: counted(0, queries), passageRows: counted(queries, places) };
}

/** Where each A and B stands in the state. */
function layout(pairs: readonly LoraPair[]): { readonly views: ReadonlyMap<string, View>; readonly size: number } {
  const views = new Map<string, View>();
  let size = 0;
  for (const { name, shape } of pairs.flatMap(({ a, b }) => [a, b])) {
    views.set(name, { buffer: "parameter", offset: size, dims: shape });
    size += elementCount({ shape });
  }
  return { views, size };
}

/** A is drawn as PEFT draws it, uniform within 1 / sqrt(inputs); B is 0, so that nothing is changed at first. */
async function drawFirst(runtime: Runtime, pairs: readonly LoraPair[], views: ReadonlyMap<string, View>, seed: number): Promise<void> {
  const random = seededRandom(`encoder adapters ${seed}`);
  for (const { a } of pairs) {
    const bound = 1 / Math.sqrt(a.shape[1] ?? 1);
    const numbers = Float32Array.from({ length: elementCount(a) }, () => bound * (2 * random.next() - 1));
    await runtime.write("parameter", numbers, views.get(a.name)!.offset);
  }
}

function added(base: Float32Array, a: Float32Array, b: Float32Array, { base: { shape }, rank }: LoraPair, scale: number): Float32Array {
  const [, inputs = 1] = shape;
  return base.map((value, place) => {
    const [row, column] = [Math.floor(place / inputs), place % inputs];
    let sum = 0;
    for (let inner = 0; inner < rank; inner++) sum += b[row * rank + inner]! * a[inner * inputs + column]!;
    return value + scale * sum;
  });
}
