// Batches of questions and passages for contrastive learning, and the epochs of it. Knows places of passages, not what they are.

import { float32, int64, type Tensors } from "../runtime/tensor.ts";
import type { Random } from "../util/random.ts";

/** A question's passages, by their places. */
export interface Answered {
  /** Those that answer it, at least one. */
  readonly answers: readonly number[];
  /** Those that look as if they did: hard negatives, as DPR mines them by BM25 (Karpukhin et al. 2020, https://arxiv.org/abs/2004.04906). */
  readonly others: readonly number[];
}

export interface ContrastiveBatch<Q extends Answered> {
  /** A question and one of its answers; a question with several is several pairs, which together count as one. */
  readonly pairs: readonly { readonly query: Q; readonly answer: number }[];
  /** The passages of the batch: answers of all its questions, and negatives. */
  readonly places: readonly number[];
  /** Questions in it. */
  readonly weight: number;
}

export interface BatchOptions {
  /** Passages there are. */
  readonly passages: number;
  readonly batchSize: number;
  /** Drawn for each question of a batch. */
  readonly hardNegatives: number;
  /** Drawn for all of its questions. */
  readonly randomNegatives: number;
  readonly random: Random;
}

/** Every pair once, in a random order. */
export function* contrastiveBatches<Q extends Answered>(queries: readonly Q[], options: BatchOptions): Iterable<ContrastiveBatch<Q>> {
  const { passages, batchSize, hardNegatives, randomNegatives, random } = options;
  const order = random.shuffle(queries.flatMap((query) => query.answers.map((answer) => ({ query, answer }))));
  for (let from = 0; from < order.length; from += batchSize) {
    const pairs = order.slice(from, from + batchSize);
    const hard = pairs.flatMap(({ query }) => random.shuffle(query.others).slice(0, hardNegatives));
    const drawn = Array.from({ length: Math.min(randomNegatives, passages) }, () => random.integer(passages));
    const weight = pairs.reduce((sum, { query }) => sum + 1 / query.answers.length, 0);
    yield { pairs, places: [...new Set([...pairs.map(({ answer }) => answer), ...hard, ...drawn])], weight };
  }
}

/** Not -Infinity: its products with zero gradients would be NaN. */
const BLOCKED = -1e9;

/** What the loss reads: which passage answers, which of the others are answers too, and how much each question counts. */
export function contrastiveFeeds({ pairs, places, weight }: ContrastiveBatch<Answered>): Tensors {
  const columnOf = new Map(places.map((place, column) => [place, column]));
  const blocked = new Float32Array(pairs.length * places.length);
  for (const [row, { query, answer }] of pairs.entries()) {
    for (const other of query.answers) {
      const column = columnOf.get(other);
      if (other !== answer && column !== undefined) blocked[row * places.length + column] = BLOCKED;
    }
  }
  const labels = pairs.map(({ answer }) => columnOf.get(answer)!);
  const weights = Float32Array.from(pairs, ({ query }) => 1 / query.answers.length / weight);
  return {
    labels: int64(labels, [pairs.length]),
    blocked: float32(blocked, [pairs.length, places.length]),
    weights: float32(weights, [pairs.length]),
  };
}

/** The mean loss of a question over batches. */
export async function meanContrastiveLoss<Q extends Answered>(
  batches: Iterable<ContrastiveBatch<Q>>,
  lossOf: (batch: ContrastiveBatch<Q>) => Promise<number>,
): Promise<number> {
  let [sum, weight] = [0, 0];
  for (const batch of batches) {
    sum += batch.weight * (await lossOf(batch));
    weight += batch.weight;
  }
  return sum / weight;
}

export interface ContrastiveEpoch {
  readonly epoch: number;
  /** Mean cross-entropies in nats; of epoch 0, before anything was learnt, there is none. */
  readonly trainLoss: number;
  readonly validationLoss: number;
}

export interface EpochsOptions<S> {
  readonly epochs: number;
  /** Epochs without a better one before it stops. */
  readonly patience: number;
  /** Takes the steps of an epoch; its mean loss. */
  readonly learn: () => Promise<number>;
  readonly measure: () => Promise<number>;
  /** What was learnt so far. */
  readonly read: () => Promise<S>;
  readonly signal?: AbortSignal | undefined;
}

export interface BestEpoch<S> {
  /** Of the epoch with the lowest loss on validation; none where it was that before anything was learnt. */
  readonly state: S | undefined;
  readonly bestEpoch: number;
  readonly losses: readonly ContrastiveEpoch[];
}

export async function* epochsOf<S>(options: EpochsOptions<S>): AsyncGenerator<ContrastiveEpoch, BestEpoch<S>> {
  const { epochs, patience, learn, measure, read, signal } = options;
  const losses: ContrastiveEpoch[] = [{ epoch: 0, trainLoss: Number.NaN, validationLoss: await measure() }];
  let [bestEpoch, lowest] = [0, losses[0]!.validationLoss];
  let state: S | undefined;
  for (let epoch = 1; epoch <= epochs && epoch - bestEpoch <= patience; epoch++) {
    signal?.throwIfAborted();
    const told = { epoch, trainLoss: await learn(), validationLoss: await measure() };
    losses.push(told);
    if (told.validationLoss < lowest) [bestEpoch, lowest, state] = [epoch, told.validationLoss, await read()];
    yield told;
  }
  return { state, bestEpoch, losses };
}
