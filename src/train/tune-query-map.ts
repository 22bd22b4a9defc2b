// Learns a linear map of query embeddings from questions and the passages that answer them. Knows vectors and places, no texts.

import { serialise } from "../graph/onnx.ts";
import { queryMapGraphs } from "../nn/contrastive.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { float32, float32Data, int64, type Tensors } from "../runtime/tensor.ts";
import { type Random, seededRandom } from "../util/random.ts";
import { type Optimiser, startOptimiser } from "./optimiser.ts";

/** A question with the places of passages. */
export interface TuningQuery {
  readonly vector: Float32Array;
  /** Those that answer it, at least one. */
  readonly answers: readonly number[];
  /** Those that look as if they did: hard negatives, as DPR mines them by BM25 (Karpukhin et al. 2020, https://arxiv.org/abs/2004.04906). */
  readonly others: readonly number[];
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

export interface QueryMapEpoch {
  readonly epoch: number;
  /** Mean cross-entropies in nats; of epoch 0, before anything was learnt. */
  readonly trainLoss: number;
  readonly validationLoss: number;
}

export interface TunedQueryMap {
  /** [width, width], row-major: 1 + what was learnt. */
  readonly matrix: Float32Array;
  /** The epoch it is of: 0, the identity, where none was better. */
  readonly bestEpoch: number;
  readonly losses: readonly QueryMapEpoch[];
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
}: TuneQueryMapOptions): AsyncGenerator<QueryMapEpoch, TunedQueryMap> {
  const width = passages[0]!.length;
  await using tuner = await startTuner(runtime, width, temperature);
  const random = seededRandom(`query map ${seed}`);
  const batches = (queries: readonly TuningQuery[], by: Random) =>
    batchesOf(pairsOf(queries), { passages, batchSize, hardNegatives, randomNegatives, random: by });
  // The same negatives at every epoch.
  const measure = () => meanLoss(batches(validation, seededRandom(`held ${seed}`)), (batch) => tuner.loss(batch));
  const losses: QueryMapEpoch[] = [{ epoch: 0, trainLoss: Number.NaN, validationLoss: await measure() }];
  let best: { epoch: number; loss: number; change: Float32Array } = {
    epoch: 0,
    loss: losses[0]!.validationLoss,
    change: new Float32Array(width * width),
  };
  for (let epoch = 1; epoch <= epochs && epoch - best.epoch <= patience; epoch++) {
    signal?.throwIfAborted();
    const trainLoss = await meanLoss(batches(train, random), (batch) => tuner.step(batch, { learningRate, weightDecay }));
    const told = { epoch, trainLoss, validationLoss: await measure() };
    losses.push(told);
    if (told.validationLoss < best.loss) best = { epoch, loss: told.validationLoss, change: await tuner.change() };
    yield told;
  }
  return { matrix: plusIdentity(best.change, width), bestEpoch: best.epoch, losses };
}

function plusIdentity(change: Float32Array, width: number): Float32Array {
  return change.map((value, place) => value + Number(Math.floor(place / width) === place % width));
}

interface Pair {
  readonly query: TuningQuery;
  readonly answer: number;
}

/** A question with several answers is several pairs, which together count as one. */
function pairsOf(queries: readonly TuningQuery[]): readonly Pair[] {
  return queries.flatMap((query) => query.answers.map((answer) => ({ query, answer })));
}

interface Batch {
  readonly feeds: Tensors;
  /** Questions in it. */
  readonly weight: number;
}

interface BatchOptions {
  readonly passages: readonly Float32Array[];
  readonly batchSize: number;
  readonly hardNegatives: number;
  readonly randomNegatives: number;
  readonly random: Random;
}

/** In a random order. Made one at a time: the vectors of a batch's passages are copied. */
function* batchesOf(pairs: readonly Pair[], { passages, batchSize, ...negatives }: BatchOptions): Iterable<Batch> {
  const { random, hardNegatives, randomNegatives } = negatives;
  const order = random.shuffle(pairs);
  for (let from = 0; from < order.length; from += batchSize) {
    const batch = order.slice(from, from + batchSize);
    const hard = batch.flatMap(({ query }) => random.shuffle(query.others).slice(0, hardNegatives));
    const drawn = Array.from({ length: Math.min(randomNegatives, passages.length) }, () => random.integer(passages.length));
    yield batchOf(batch, [...new Set([...batch.map(({ answer }) => answer), ...hard, ...drawn])], passages);
  }
}

function batchOf(batch: readonly Pair[], places: readonly number[], passages: readonly Float32Array[]): Batch {
  const width = passages[0]!.length;
  const rowOf = new Map(places.map((place, row) => [place, row]));
  const blocked = new Float32Array(batch.length * places.length);
  for (const [row, { query, answer }] of batch.entries()) {
    for (const other of query.answers) {
      const column = rowOf.get(other);
      if (other !== answer && column !== undefined) blocked[row * places.length + column] = BLOCKED;
    }
  }
  const shares = batch.map(({ query }) => 1 / query.answers.length);
  const weight = shares.reduce((sum, share) => sum + share, 0);
  return {
    weight,
    feeds: {
      queries: rows(
        batch.map(({ query }) => query.vector),
        width,
      ),
      passages: rows(
        places.map((place) => passages[place]!),
        width,
      ),
      labels: int64(
        batch.map(({ answer }) => rowOf.get(answer)!),
        [batch.length],
      ),
      blocked: float32(blocked, [batch.length, places.length]),
      weights: float32(
        Float32Array.from(shares, (share) => share / weight),
        [batch.length],
      ),
    },
  };
}

/** Not -Infinity: its products with zero gradients would be NaN. */
const BLOCKED = -1e9;

function rows(vectors: readonly Float32Array[], width: number): Tensors[string] {
  const data = new Float32Array(vectors.length * width);
  vectors.forEach((vector, row) => data.set(vector, row * width));
  return float32(data, [vectors.length, width]);
}

async function meanLoss(batches: Iterable<Batch>, lossOf: (batch: Batch) => Promise<number>): Promise<number> {
  let [sum, weight] = [0, 0];
  for (const batch of batches) {
    sum += batch.weight * (await lossOf(batch));
    weight += batch.weight;
  }
  return sum / weight;
}

/** Sessions and state of one run. */
interface Tuner extends AsyncDisposable {
  loss(batch: Batch): Promise<number>;
  /** The loss before the update. */
  step(batch: Batch, options: { readonly learningRate: number; readonly weightDecay: number }): Promise<number>;
  change(): Promise<Float32Array>;
}

const buffers = ["parameter", "mean", "variance", "gradient"];

async function startTuner(runtime: Runtime, width: number, temperature: number): Promise<Tuner> {
  const size = width * width;
  for (const buffer of buffers) await runtime.allocate(buffer, size);
  const graphs = queryMapGraphs({ width, temperature });
  const view = (buffer: string) => ({ buffer, offset: 0, dims: [width, width] });
  const load = (bytes: Uint8Array, outputs = {}): Promise<Session> =>
    runtime.load({ source: { bytes }, inputs: { change: view("parameter") }, outputs });
  const training = await load(serialise(graphs.training), { "gradient/change": view("gradient") });
  const loss = await load(serialise(graphs.loss));
  const optimiser: Optimiser = await startOptimiser(runtime, size, size);
  let steps = 0;
  return {
    loss: async ({ feeds }) => float32Data(await loss.run(feeds), "loss")[0]!,
    async step({ feeds }, options) {
      const before = float32Data(await training.run(feeds), "loss")[0]!;
      const norm = await optimiser.norm("gradient");
      await optimiser.update("gradient", norm, { ...options, step: ++steps, maxNorm: 1 });
      return before;
    },
    change: () => runtime.read("parameter", 0, size),
    async [Symbol.asyncDispose]() {
      for (const session of [training, loss, optimiser]) await session[Symbol.asyncDispose]();
      for (const buffer of buffers) await runtime.free(buffer);
    },
  };
}
