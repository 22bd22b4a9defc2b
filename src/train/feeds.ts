// A batch as the tensors that a model's graph reads.

import { causalMask } from "../nn/llama.ts";
import { float32, int64, scalar, type Tensors } from "../runtime/tensor.ts";
import type { Anchor, Batch } from "./batches.ts";

/** Tokens, mask and wanted rows. */
export function modelFeeds({ size, time, tokens, rows }: Pick<Batch, "size" | "time" | "tokens" | "rows">): Tensors {
  return { tokens: int64(tokens, [size, time]), mask: float32(causalMask(time), [time, time]), rows: int64(rows, [rows.length]) };
}

/** The same with labels, each row's loss counting `weight`. */
export function lossFeeds(batch: Batch, weight: number): Tensors {
  const count = batch.rows.length;
  return { ...modelFeeds(batch), labels: int64(batch.labels, [count]), weights: float32(new Float32Array(count).fill(weight), [count]) };
}

/** All rows of a batch to be kept near to the base model; without an anchor none. */
export function anchorFeeds(anchor: Anchor | undefined, width: number): Tensors {
  const { hidden, weight } = anchor ?? { hidden: new Float32Array(), weight: 0 };
  const count = hidden.length / width;
  return {
    anchorRows: int64(
      Int32Array.from({ length: count }, (_, row) => row),
      [count],
    ),
    baseHidden: float32(hidden, [count, width]),
    klWeight: scalar(weight),
  };
}
