// Learns a linear map of query embeddings from questions and the passages that answer them. Knows vectors and places, no texts.

import { serialise } from "../graph/onnx.ts";
import { queryMapGraphs } from "../nn/contrastive.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { float32, float32Data, type Tensors } from "../runtime/tensor.ts";
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
import { startOptimiser } from "./optimiser.ts";

/** A question's vector, with the places of passages. */
export interface TuningQuery extends Answered {
  readonly vector: Float32Array;
}

export interface TuneQueryMapOptions {
  readonly runtime: Runtime;
  readonly train: readonly TuningQuery[];
  /** The epoch is kept whose loss on these is lowest. */
  readonly validation: readonly TuningQuery[];
  /** Unit vectors, as wide as the queries'. */
  readonly passages: readonly Float32Array[];
  readonly temperature?: number;
  readonly learningRate?: number;
  /** Pull towards the identity. */
  readonly weightDecay?: number;
  readonly epochs?: number;
  /** Epochs without a better one before it stops. */
  readonly patience?: number;
  readonly batchSize?: number;
  /** Hard negatives drawn for each question of a batch, and passages drawn for all of its questions. */
  readonly hardNegatives?: number;
  readonly randomNegatives?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TunedQueryMap {
  /** [width, width], row-major: 1 + what was learnt. */
  readonly matrix: Float32Array;
  /** The epoch it is of: 0, the identity, where none was better. */
  readonly bestEpoch: number;
  readonly losses: readonly ContrastiveEpoch[];
}

/** Yields each epoch; returns the map of the best one. The same seed gives the same map. */
export async function* tuneQueryMap({
  runtime,
  train,
  validation,
  passages,
  temperature = 0.05,
  learningRate = 3e-4,
  weightDecay = 0.1,
  epochs = 20,
  patience = 4,
  batchSize = 64,
  hardNegatives = 4,
  randomNegatives = 1024,
  seed = 0,
  signal,
}: TuneQueryMapOptions): AsyncGenerator<ContrastiveEpoch, TunedQueryMap> {
  const width = passages[0]!.length;
  await using tuner = await startTuner({ runtime, passages, temperature });
  const random = seededRandom(`query map ${seed}`);
  const batches = (queries: readonly TuningQuery[], by: Random) =>
    contrastiveBatches(queries, { passages: passages.length, batchSize, hardNegatives, randomNegatives, random: by });
  const { state, bestEpoch, losses } = yield* epochsOf({
    epochs,
    patience,
    learn: () => meanContrastiveLoss(batches(train, random), (batch) => tuner.step(batch, { learningRate, weightDecay })),
    // The same negatives at every epoch.
    measure: () => meanContrastiveLoss(batches(validation, seededRandom(`held ${seed}`)), (batch) => tuner.loss(batch)),
    read: () => tuner.change(),
    signal,
  });
  return { matrix: plusIdentity(state ?? new Float32Array(width * width), width), bestEpoch, losses };
}

function plusIdentity(change: Float32Array, width: number): Float32Array {
  return change.map((value, place) => value + Number(Math.floor(place / width) === place % width));
}

/** Sessions and state of one run. */
interface Tuner extends AsyncDisposable {
  loss(batch: ContrastiveBatch<TuningQuery>): Promise<number>;
  /** The loss before the update. */
  step(batch: ContrastiveBatch<TuningQuery>, options: { readonly learningRate: number; readonly weightDecay: number }): Promise<number>;
  change(): Promise<Float32Array>;
}

const buffers = ["parameter", "mean", "variance", "gradient"];

async function startTuner({
  runtime,
  passages,
  temperature,
}: Pick<TuneQueryMapOptions, "runtime" | "passages"> & { readonly temperature: number }): Promise<Tuner> {
  const width = passages[0]!.length;
  const size = width * width;
  for (const buffer of buffers) await runtime.allocate(buffer, size);
  const graphs = queryMapGraphs({ width, temperature });
  const view = (buffer: string) => ({ buffer, offset: 0, dims: [width, width] });
  const load = (bytes: Uint8Array, outputs = {}): Promise<Session> =>
    runtime.load({ source: { bytes }, inputs: { change: view("parameter") }, outputs });
  const training = await load(serialise(graphs.training), { "gradient/change": view("gradient") });
  const loss = await load(serialise(graphs.loss));
  const optimiser = await startOptimiser(runtime, size, size);
  const feeds = (batch: ContrastiveBatch<TuningQuery>): Tensors => ({
    ...contrastiveFeeds(batch),
    queries: rows(batch.pairs.map(({ query }) => query.vector)),
    passages: rows(batch.places.map((place) => passages[place]!)),
  });
  let steps = 0;
  return {
    loss: async (batch) => float32Data(await loss.run(feeds(batch)), "loss")[0]!,
    async step(batch, options) {
      const before = float32Data(await training.run(feeds(batch)), "loss")[0]!;
      await optimiser.update("gradient", await optimiser.norm("gradient"), { ...options, step: ++steps, maxNorm: 1 });
      return before;
    },
    change: () => runtime.read("parameter", 0, size),
    async [Symbol.asyncDispose]() {
      for (const session of [training, loss, optimiser]) await session[Symbol.asyncDispose]();
      for (const buffer of buffers) await runtime.free(buffer);
    },
  };
}

function rows(vectors: readonly Float32Array[]): Tensors[string] {
  const width = vectors[0]!.length;
  const data = new Float32Array(vectors.length * width);
  vectors.forEach((vector, row) => data.set(vector, row * width));
  return float32(data, [vectors.length, width]);
}
