// Attention as a graph, up to its output layer, and the mask it reads.

import type { Value } from "../graph/ir.ts";
import { add, matmul, reshape, rmsNorm, softmax, split, transpose } from "../graph/ops.ts";
import { product } from "../graph/shape.ts";
import type { DecoderConfig } from "./config.ts";
import type { Layers } from "./linear.ts";
import type { LayerParameters, Parameter } from "./parameters.ts";

export interface AttentionOptions {
  /** The normed hidden states [batch * time, width]. */
  readonly x: Value;
  /** [time, time]: 0 where a row may look, a large negative number elsewhere. */
  readonly mask: Value;
  readonly rotate: (x: Value) => Value;
  /** What the products of queries and keys are multiplied by. */
  readonly scale: number;
}

/** Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245): [batch * time, heads * headDim]. */
export function attention(
  { heads, kvHeads, headDim, epsilon }: DecoderConfig,
  { queryKeyValue, queryKeyValueBias, queryNorm, keyNorm }: LayerParameters,
  { value, linear }: Layers,
  { x, mask, rotate, scale }: AttentionOptions,
): Value {
  const bias = queryKeyValueBias === undefined ? undefined : value(queryKeyValueBias);
  const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim];
  const [q, k, v] = split(linear(x, queryKeyValue, bias), 1, sizes) as [Value, Value, Value];
  const toHeads = (y: Value, count: number, norm?: Parameter) => {
    const apart = reshape(y, ["batch", "time", count, headDim]);
    return transpose(norm === undefined ? apart : rmsNorm(apart, value(norm), epsilon).y, [0, 2, 1, 3]);
  };

  // The queries of a group stand below each other, so that its one key head is never copied.
  const groupTime = product([heads / kvHeads, "time"]);
  const queries = reshape(rotate(toHeads(q, heads, queryNorm)), ["batch", kvHeads, groupTime, headDim]);
  const scores = matmul(queries, rotate(toHeads(k, kvHeads, keyNorm)), { transB: true, alpha: scale });
  const masked = add(reshape(scores, ["batch", heads, "time", "time"]), mask);
  const shares = softmax(reshape(masked, ["batch", kvHeads, groupTime, "time"]));
  const context = reshape(matmul(shares, toHeads(v, kvHeads)), ["batch", heads, "time", headDim]);
  return reshape(transpose(context, [0, 2, 1, 3]), ["batch*time", heads * headDim]);
}

/** The mask by which a row looks at itself and what stands before it, no further back than a window: [time, time]. */
export function causalMask(time: number, window = time): Float32Array {
  return Float32Array.from({ length: time * time }, (_, index) => {
    const back = Math.floor(index / time) - (index % time);
    // Not -Infinity: its products with zero gradients would be NaN.
    return back < 0 || back >= window ? -1e9 : 0;
  });
}
