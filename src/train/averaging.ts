// Weights between the base model's and the tuned ones, chosen on validation (WiSE-FT, Wortsman et al. 2022, https://arxiv.org/abs/2109.01903).

import { UserError } from "../errors.ts";
import type { TokenSequence } from "../model.ts";
import { evaluationBatches, sequenceRows } from "./batches.ts";
import type { Engine } from "./engine.ts";

export interface AveragingOptions {
  /** Shares of the way from the base model (0) to the tuned one (1) that are tried. A single one is taken as it is. */
  readonly factors?: readonly number[];
}

export const averagingFactors = [0.25, 0.5, 0.75, 1] as const;

/** What was chosen, and the mean validation loss in nats a token of all that were tried. */
export interface Averaged {
  readonly factor: number;
  readonly tried: readonly { readonly factor: number; readonly loss: number; readonly error: number }[];
}

export interface AverageOptions extends AveragingOptions {
  readonly validation: readonly TokenSequence[];
  readonly batchTokens: number;
  /** Puts the weights at a share of the way into the engine. */
  readonly place: (factor: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** @throws {UserError} for shares outside 0 to 1, or several without validation sequences to choose by. */
export function checkAveraging({ factors = averagingFactors }: AveragingOptions, validation: readonly TokenSequence[]): void {
  if (factors.length === 0 || !factors.every((factor) => factor >= 0 && factor <= 1))
    throw new UserError(`averaging.factors is [${factors.join(", ")}]. Give shares from 0, the base model, to 1, the tuned one.`);
  if (factors.length > 1 && validation.length === 0)
    throw new UserError("There are no validation examples to choose among averaging.factors by. Give some, or a single factor.");
}

/**
 * Leaves the weights in the engine that lie nearest to the base model and whose mean validation loss is within one standard error of the
 * lowest (the rule of Breiman et al. 1984, section 3.4.3).
 */
export async function average(engine: Engine, options: AverageOptions): Promise<Averaged> {
  const { factors = averagingFactors, place } = options;
  const tried: Averaged["tried"][number][] = [];
  const rising = factors.toSorted((a, b) => a - b);
  for (const factor of rising.length > 1 ? rising : []) {
    await place(factor);
    tried.push({ factor, ...(await meanLoss(engine, options)) });
  }
  const best = tried.toSorted((a, b) => a.loss - b.loss)[0];
  const chosen = best === undefined ? rising[0] : tried.find(({ loss }) => loss <= best.loss + best.error)?.factor;
  await place(chosen as number);
  return { factor: chosen as number, tried };
}

/** Mean over predicted tokens, and the standard error of that ratio of sums over sequences (Cochran 1977, section 6.3). */
async function meanLoss(
  engine: Engine,
  { validation, batchTokens, signal }: Pick<AverageOptions, "validation" | "batchTokens" | "signal">,
): Promise<{ readonly loss: number; readonly error: number }> {
  const sums: { readonly loss: number; readonly rows: number }[] = [];
  for (const batch of evaluationBatches(validation, batchTokens)) {
    signal?.throwIfAborted();
    const losses = await engine.evaluate(batch, "losses");
    let row = 0;
    for (const sequence of batch.sequences) {
      const rows = sequenceRows(sequence);
      sums.push({ loss: losses.subarray(row, row + rows).reduce((sum, one) => sum + one, 0), rows });
      row += rows;
    }
  }
  const total = sums.reduce((sum, { rows }) => sum + rows, 0);
  const loss = sums.reduce((sum, one) => sum + one.loss, 0) / total;
  const squares = sums.reduce((sum, one) => sum + (one.loss - loss * one.rows) ** 2, 0);
  return { loss, error: Math.sqrt((squares * sums.length) / Math.max(1, sums.length - 1)) / total };
}
