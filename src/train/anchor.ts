// Keeps a tuned model near to its base: how far its predictions may drift is part of the loss. Knows sequences and hidden states, no graph.

import type { TokenSequence } from "../model.ts";
import { evaluationBatches, rowsOf, sequenceRows, type Update, type UpdateBatch } from "./batches.ts";
import type { Engine } from "./engine.ts";

/** The KL divergence of the tuned model from the base, as in learning without forgetting (Li and Hoiem 2016, https://arxiv.org/abs/1606.09282). */
export interface KlOptions {
  /** What its mean over the predicted tokens counts beside the task's mean cross-entropy. */
  readonly weight: number;
  /** Where the two are compared: on replayed texts or on the task's own completions. */
  readonly on?: UpdateBatch["of"];
}

/** Hidden states [predicted tokens, width] of the base model, from which its scores follow. */
export type BaseHidden = ReadonlyMap<TokenSequence, Float32Array>;

/**
 * What the engine's model makes of the sequences now, before anything is learnt. In an order of its own, so that a run that goes on
 * finds the same bits. Holds 4 * width bytes for each predicted token.
 */
export async function baseHidden(
  engine: Engine,
  sequences: readonly TokenSequence[],
  { batchTokens, signal }: { readonly batchTokens: number; readonly signal?: AbortSignal | undefined },
): Promise<BaseHidden> {
  const { width } = engine.model.config;
  const found = new Map<TokenSequence, Float32Array>();
  for (const batch of evaluationBatches(sequences, batchTokens)) {
    signal?.throwIfAborted();
    const hidden = await engine.evaluate(batch, "hidden");
    let row = 0;
    for (const sequence of batch.sequences) {
      const end = row + sequenceRows(sequence);
      found.set(sequence, hidden.slice(row * width, end * width));
      row = end;
    }
  }
  return found;
}

/** The update with the batches that are to be kept near to the base told so. */
export function anchored(
  update: Update,
  { hidden, kl: { weight, on = "replay" } }: { readonly hidden: BaseHidden; readonly kl: KlOptions },
): Update {
  const rows = rowsOf(update.batches.filter((batch) => batch.of === on));
  const batches = update.batches.map((batch): UpdateBatch => {
    if (batch.of !== on) return batch;
    return {
      ...batch,
      anchor: { hidden: joined(batch.sequences.map((sequence) => hidden.get(sequence) as Float32Array)), weight: weight / rows },
    };
  });
  return { ...update, batches };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
