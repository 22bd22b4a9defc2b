// A batch as the tensors that a model's graph reads.

import { causalMask } from "../nn/attention.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { float32, int64, scalar, type Tensors } from "../runtime/tensor.ts";
import type { Anchor, Batch } from "./batches.ts";

/** Tokens, masks and wanted rows. */
export function modelFeeds({ size, time, tokens, rows }: Pick<Batch, "size" | "time" | "tokens" | "rows">, config: DecoderConfig): Tensors {
  return { tokens: int64(tokens, [size, time]), ...masks(config, time), rows: int64(rows, [rows.length]) };
}

/** The same with labels, each row's loss counting `weight`. */
export function lossFeeds(batch: Batch, weight: number, config: DecoderConfig): Tensors {
  const count = batch.rows.length;
  return {
    ...modelFeeds(batch, config),
    labels: int64(batch.labels, [count]),
    weights: float32(new Float32Array(count).fill(weight), [count]),
  };
}

/** The masks that the graph of this configuration reads. */
function masks({ sliding }: DecoderConfig, time: number): Tensors {
  const mask = (window?: number) => float32(causalMask(time, window), [time, time]);
  const full = sliding === undefined || sliding.layers.includes(false);
  return { ...(full ? { mask: mask() } : {}), ...(sliding?.layers.includes(true) ? { slidingMask: mask(sliding.window) } : {}) };
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
