// A batch as the tensors that a model's graph reads.

import { causalMask } from "../nn/attention.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { float32, int64, type Tensors } from "../runtime/tensor.ts";
import type { Batch } from "./batches.ts";

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
