// A batch as the tensors that a model's graph reads.

import { causalMask } from "../nn/attention.ts";
import { float32, int64, type Tensors } from "../runtime/tensor.ts";
import type { Batch } from "./batches.ts";

/** Tokens, mask and wanted rows. */
export function modelFeeds({ size, time, tokens, rows }: Pick<Batch, "size" | "time" | "tokens" | "rows">): Tensors {
  return { tokens: int64(tokens, [size, time]), mask: float32(causalMask(time), [time, time]), rows: int64(rows, [rows.length]) };
}

/** The same with labels, each row's loss counting `weight`. */
export function lossFeeds(batch: Batch, weight: number): Tensors {
  const count = batch.rows.length;
  return { ...modelFeeds(batch), labels: int64(batch.labels, [count]), weights: float32(new Float32Array(count).fill(weight), [count]) };
}
