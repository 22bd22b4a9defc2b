// AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101) on a stretch of numbers, as a graph, with its scalars.

import { type Graph, trace } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { add, div, input, mul, scalar, sqrt, sub, sum } from "../graph/ops.ts";
import { simplify } from "../graph/simplify.ts";
import { verify } from "../graph/verify.ts";

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * One update of `parameter`, `mean` and `variance` [count] by `gradient` [count]; outputs `newParameter`, `newMean`, `newVariance`.
 * Each of the three is read by one node that the new one depends on, so the outputs may be written over the inputs.
 */
export function adamWGraph({ beta1, beta2, epsilon }: AdamWOptions): Graph {
  const stretch = (name: string) => input(name, "float32", ["count"]);
  const number = (name: string) => input(name, "float32", []);
  const gradient = mul(stretch("gradient"), number("gradientScale"));
  const newMean = blend(stretch("mean"), gradient, beta1);
  const newVariance = blend(stretch("variance"), mul(gradient, gradient), beta2);
  const root = add(mul(sqrt(newVariance), number("rootScale")), scalar(epsilon));
  const step = mul(div(newMean, root), number("stepSize"));
  const newParameter = sub(mul(stretch("parameter"), number("keep")), step);
  return verify(simplify(trace("AdamW", { newParameter, newMean, newVariance })));
}

/** The scalars of update number `step` (from 1). */
export function adamWScalars({
  step,
  learningRate,
  weightDecay,
  beta1,
  beta2,
}: AdamWOptions & { readonly step: number; readonly learningRate: number; readonly weightDecay: number }) {
  return {
    keep: 1 - learningRate * weightDecay,
    stepSize: learningRate / (1 - beta1 ** step),
    rootScale: 1 / Math.sqrt(1 - beta2 ** step),
  };
}

/** `sumOfSquares` of `gradient` [count]: for clipping by the norm of all gradients together. */
export function sumOfSquaresGraph(): Graph {
  const gradient = input("gradient", "float32", ["count"]);
  return verify(trace("sum of squares", { sumOfSquares: sum(mul(gradient, gradient), [0]) }));
}

function blend(old: Value, fresh: Value, keep: number): Value {
  return add(mul(old, scalar(keep)), mul(fresh, scalar(1 - keep)));
}
