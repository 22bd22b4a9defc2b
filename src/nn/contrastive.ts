// Contrastive learning of embeddings as graphs: questions are pulled to the passages that answer them and away from others.

import { gradients } from "../graph/differentiate.ts";
import { type Graph, trace } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { constant, gemm, input, linearCrossEntropy, mul, rmsNorm, scalar, sum } from "../graph/ops.ts";
import { simplify } from "../graph/simplify.ts";
import { verify } from "../graph/verify.ts";

export interface InfoNceOptions {
  /** int64 [queries]: the passage that answers each query. */
  readonly labels: Value;
  /** [queries, passages]: 0, or a large negative number where a passage is no negative: it answers the query as well. */
  readonly blocked: Value;
  /** What similarities are divided by. */
  readonly temperature: number;
}

/**
 * InfoNCE (van den Oord et al. 2018, https://arxiv.org/abs/1807.03748, equation 4) with the passages of the whole batch as negatives
 * (Henderson et al. 2017, https://arxiv.org/abs/1705.00652, section 4.4): losses [queries] of unit vectors [queries, width] and [passages, width].
 */
export function infoNce(queries: Value, passages: Value, { labels, blocked, temperature }: InfoNceOptions): Value {
  return linearCrossEntropy(mul(queries, scalar(1 / temperature)), passages, labels, blocked).losses;
}

/** Rows [rows, width] scaled to length 1. */
export function unitRows(x: Value, width: number): Value {
  return rmsNorm(x, constant(new Float32Array(width).fill(1 / Math.sqrt(width)), [width]), 1e-12).y;
}

export interface QueryMapOptions {
  readonly width: number;
  readonly temperature: number;
}

/**
 * The weighted loss of queries mapped by 1 + `change` against passages as they are. Of the training graph also `gradient/change`. The map
 * is learnt as what it differs from the identity by, so that weight decay pulls it there.
 */
export function queryMapGraphs({ width, temperature }: QueryMapOptions): { readonly training: Graph; readonly loss: Graph } {
  const queries = input("queries", "float32", ["queries", width]);
  const change = input("change", "float32", [width, width]);
  const losses = infoNce(
    unitRows(gemm(queries, change, { transB: true, added: queries }), width),
    input("passages", "float32", ["passages", width]),
    { labels: input("labels", "int64", ["queries"]), blocked: input("blocked", "float32", ["queries", "passages"]), temperature },
  );
  const loss = sum(mul(losses, input("weights", "float32", ["queries"])), [0]);
  const [gradient] = gradients(loss, [change]) as readonly [Value];
  const finish = (name: string, outputs: { readonly [name: string]: Value }) => verify(simplify(verify(trace(name, outputs))));
  return { training: finish("query map", { loss, "gradient/change": gradient }), loss: finish("query map loss", { loss }) };
}
