// General texts beside the task's in every update, against forgetting. Pure: which ones, the seed and the update's number decide.

import type { TokenSequence } from "../model.ts";
import { seededRandom } from "../util/random.ts";
import { evaluationBatches, rowsOf, type Update, type UpdateBatch } from "./batches.ts";

/** Experience replay (Robins 1995; for language models Scialom et al. 2022, https://arxiv.org/abs/2205.12393). */
export interface ReplayOptions {
  /** Texts of the kind that the model should not forget. */
  readonly sequences: readonly TokenSequence[];
  /** Of them in an update, for each of the task's sequences; one at least. */
  readonly share?: number;
  /** What their mean cross-entropy counts beside the task's; with 0 they only serve to keep near to the base model. */
  readonly weight?: number;
}

export const replayDefaults = { share: 0.25, weight: 0.5 } as const;

export interface WithReplayOptions {
  readonly replay: ReplayOptions;
  readonly batchSize: number;
  readonly batchTokens: number;
  readonly seed: number;
  /** Of the update in the whole run, from 0. */
  readonly index: number;
}

/** An update with general texts added: one after another in an order of their own, until all have been read, then in another. */
export function withReplay(update: Update, { replay, batchSize, batchTokens, seed, index }: WithReplayOptions): Update {
  const { sequences, share = replayDefaults.share, weight = replayDefaults.weight } = replay;
  const count = Math.max(1, Math.round(share * batchSize));
  const orders = new Map<number, readonly TokenSequence[]>();
  const order = (pass: number) => {
    const known = orders.get(pass) ?? seededRandom(`replay ${seed} ${pass}`).shuffle(sequences);
    orders.set(pass, known);
    return known;
  };
  const drawn = Array.from({ length: count }, (_, offset) => {
    const place = index * count + offset;
    return order(Math.floor(place / sequences.length))[place % sequences.length] as TokenSequence;
  });
  const plain = evaluationBatches(drawn, batchTokens);
  const rows = rowsOf(plain);
  const replayed = plain.map((batch): UpdateBatch => ({ ...batch, of: "replay", weight: weight / rows }));
  const tokenCount = plain.reduce((sum, batch) => sum + batch.tokenCount, update.tokenCount);
  return { ...update, batches: [...update.batches, ...replayed], tokenCount };
}
