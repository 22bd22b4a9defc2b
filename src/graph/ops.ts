// The operations as functions of values: what graphs are written with. Each says what it computes; none computes it.

import { outputOf, type Value, type ValueType } from "./ir.ts";
import { node } from "./node.ts";
import { product, sameShape, type Shape } from "./shape.ts";

/** A tensor given at every run. */
export const input = (name: string, type: ValueType, shape: Shape): Value => outputOf(node("input", [], { name, type, shape }));

/** A frozen tensor that is part of the model file. */
export const weight = (name: string, shape: Shape, type: "float32" | "int8" = "float32"): Value =>
  outputOf(node("weight", [], { name, type, shape }));

/** Numbers written into the graph. */
export const constant = (data: Float32Array | BigInt64Array, shape: Shape): Value =>
  outputOf(node("constant", [], { type: data instanceof Float32Array ? "float32" : "int64", shape, data }));

/** One number, to be broadcast. */
export const scalar = (value: number): Value => constant(Float32Array.of(value), []);

/** A tensor that holds one number everywhere. */
export const fill = (value: number, shape: Shape): Value => outputOf(node("fill", [], { shape, value }));

export const add = (a: Value, b: Value): Value => outputOf(node("add", [a, b], {}));
export const sub = (a: Value, b: Value): Value => outputOf(node("sub", [a, b], {}));
export const mul = (a: Value, b: Value): Value => outputOf(node("mul", [a, b], {}));
export const div = (a: Value, b: Value): Value => outputOf(node("div", [a, b], {}));
export const neg = (x: Value): Value => outputOf(node("neg", [x], {}));
export const sqrt = (x: Value): Value => outputOf(node("sqrt", [x], {}));
export const sigmoid = (x: Value): Value => outputOf(node("sigmoid", [x], {}));

/** `x * sigmoid(x)` (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118). */
export const silu = (x: Value): Value => outputOf(node("silu", [x], {}));

/** `gradient` times the derivative of silu at `x`. */
export const siluGradient = (gradient: Value, x: Value): Value => outputOf(node("siluGradient", [gradient, x], {}));

/** `x` times the chance that a standard normal number is below it (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415). */
export const gelu = (x: Value): Value => outputOf(node("gelu", [x], {}));

/** `gradient` times the derivative of gelu at `x`. */
export const geluGradient = (gradient: Value, x: Value): Value => outputOf(node("geluGradient", [gradient, x], {}));

/** `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415). */
export const geluTanh = (x: Value): Value => outputOf(node("geluTanh", [x], {}));

/** `gradient` times the derivative of geluTanh at `x`. */
export const geluTanhGradient = (gradient: Value, x: Value): Value => outputOf(node("geluTanhGradient", [gradient, x], {}));

export interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/** `alpha * a b + added` of matrices, each transposed first if so told; `added` is a matrix, or a row for all rows. */
export function gemm(
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1, added }: ProductOptions & { readonly added?: Value } = {},
): Value {
  return outputOf(node("gemm", added === undefined ? [a, b] : [a, b, added], { transA, transB, alpha }));
}

/**
 * `x (table * scales)` with x [rows, inner] rounded to 8 bits, row by row, `table` int8 [inner, columns] and `scales` [columns]:
 * the products and sums are of whole numbers (Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 2.2).
 */
export const gemmInt8 = (x: Value, table: Value, scales: Value): Value => outputOf(node("gemmInt8", [x, table, scales], {}));

/** `alpha * a b` over the last two axes, the axes before them alike in both. */
export function matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: ProductOptions = {}): Value {
  return outputOf(node("matmul", [a, b], { transA, transB, alpha }));
}

/** Softmax over the last axis. */
export const softmax = (x: Value): Value => outputOf(node("softmax", [x], {}));

export interface DropOptions {
  readonly rate: number;
  readonly rows: Value;
  readonly columns: Value;
}

/**
 * x [rows, columns] with a share `rate` of its numbers 0 (Srivastava et al. 2014), the others as they are. Which ones, the codes decide:
 * odd whole numbers of 32 bits, int64 [rows] and [columns]. The number at i, j is 0 where rows[i] * columns[j], kept to 32 bits, is among
 * the lowest `rate` of its range. Odd numbers are a group under that product, so with random codes any two places are independent;
 * a mask drawn place by place would be as many random numbers as x holds, at every step.
 */
export const drop = (x: Value, { rate, rows, columns }: DropOptions): Value => outputOf(node("drop", [x, rows, columns], { rate }));

/** `x / rms(x) * weight` over the last axis, and 1 / rms(x) (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467). */
export function rmsNorm(x: Value, weight: Value, epsilon: number): { readonly y: Value; readonly inverseRms: Value } {
  const made = node("rmsNorm", [x, weight], { epsilon });
  return { y: outputOf(made, 0), inverseRms: outputOf(made, 1) };
}

/**
 * Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864) of x [batch, heads, time, headDim] by the tables
 * cos and sin [positions >= time, headDim / 2]. Interleaved: pairs are neighbours; else number i is paired with i + headDim / 2.
 */
export const rope = (x: Value, cos: Value, sin: Value, interleaved: boolean): Value =>
  outputOf(node("rope", [x, cos, sin], { interleaved }));

export const reshape = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : outputOf(node("reshape", [x], { shape })));

/** Axis i of the result is axis `order[i]` of x. */
export const transpose = (x: Value, order: readonly number[]): Value => outputOf(node("transpose", [x], { order }));

/** Pieces of the given sizes along an axis. */
export const split = (x: Value, axis: number, sizes: readonly number[]): readonly Value[] => node("split", [x], { axis, sizes }).outputs;

export const concat = (parts: readonly Value[], axis: number): Value => outputOf(node("concat", parts, { axis }));

/** x broadcast to a shape. */
export const expand = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : outputOf(node("expand", [x], { shape })));

export function sum(x: Value, axes: readonly number[], keepDims = false): Value {
  return axes.length === 0 ? x : outputOf(node("sum", [x], { axes, keepDims }));
}

/** The rows `indices` of a table: [indices, ...table's other axes]. */
export const gather = (table: Value, indices: Value): Value => outputOf(node("gather", [table, indices], {}));

/** `base` with `rows[i]` added to its row `indices[i]`; an index may come more than once. */
export const scatterAdd = (base: Value, indices: Value, rows: Value): Value => outputOf(node("scatterAdd", [base, indices, rows], {}));

/**
 * Cross-entropy of `softmax(hidden table^T + added)` against labels: losses [rows], and the probabilities [rows, vocabulary].
 * One operation because its gradient needs no tensor of [rows, vocabulary] beyond the probabilities:
 * `d hidden = w * (probabilities table - table[labels])`. `added` [rows, vocabulary] is not differentiated, and is 0 at the labels.
 */
export function linearCrossEntropy(
  hidden: Value,
  table: Value,
  labels: Value,
  added?: Value,
): { readonly losses: Value; readonly probabilities: Value } {
  const made = node("linearCrossEntropy", added === undefined ? [hidden, table, labels] : [hidden, table, labels, added], {});
  return { losses: outputOf(made, 0), probabilities: outputOf(made, 1) };
}

/**
 * KL divergence of `softmax(hidden table^T)` from `softmax(baseHidden baseTable^T)`, which is not differentiated: losses [rows], and the
 * probabilities less the base's [rows, vocabulary], from which `d hidden = w * (probabilities - base's) table`.
 */
export function linearKl(
  hidden: Value,
  table: Value,
  { hidden: baseHidden, table: baseTable }: { readonly hidden: Value; readonly table: Value },
): { readonly losses: Value; readonly difference: Value } {
  const made = node("linearKl", [hidden, table, baseHidden, baseTable], {});
  return { losses: outputOf(made, 0), difference: outputOf(made, 1) };
}

/** x flattened to one axis. */
export const flatten = (x: Value): Value => reshape(x, [product(x.shape)]);
