// The intermediate representation: values, nodes, and every operation with its attributes. Types, and how to look at a node.

import type { Shape } from "./shape.ts";

export type ValueType = "float32" | "int64" | "int8";

/** A tensor that a node yields. */
export interface Value {
  readonly node: Node;
  readonly index: number;
  readonly type: ValueType;
  readonly shape: Shape;
}

type None = { readonly [name: string]: never };

/** Every operation, with its attributes. What each computes stands at its function in `ops.ts`. */
export interface Operations {
  input: { readonly name: string; readonly type: ValueType; readonly shape: Shape };
  weight: { readonly name: string; readonly type: "float32" | "int8"; readonly shape: Shape };
  constant: { readonly type: ValueType; readonly shape: Shape; readonly data: Float32Array | BigInt64Array };
  fill: { readonly shape: Shape; readonly value: number };
  add: None;
  sub: None;
  mul: None;
  div: None;
  neg: None;
  sqrt: None;
  sigmoid: None;
  silu: None;
  siluGradient: None;
  gelu: None;
  geluGradient: None;
  geluTanh: None;
  geluTanhGradient: None;
  gemm: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  gemmInt8: None;
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  softmax: None;
  drop: { readonly rate: number };
  rmsNorm: { readonly epsilon: number };
  rope: { readonly interleaved: boolean };
  reshape: { readonly shape: Shape };
  transpose: { readonly order: readonly number[] };
  split: { readonly axis: number; readonly sizes: readonly number[] };
  concat: { readonly axis: number };
  expand: { readonly shape: Shape };
  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  gather: None;
  scatterAdd: None;
  linearCrossEntropy: None;
  linearKl: None;
}

export type OpName = keyof Operations;

/** One application of an operation. Graphs are made of nodes that point at the values they read; nothing is ever changed. */
export interface Node<O extends OpName = OpName> {
  readonly op: O;
  readonly inputs: readonly Value[];
  readonly attributes: Operations[O];
  readonly outputs: readonly Value[];
}

/** The input of a node at a place where its operation always has one. */
export function inputOf(node: Node, index: number): Value {
  const value = node.inputs[index];
  if (value === undefined) throw new Error(`${node.op} has no input ${index}.`);
  return value;
}

/** The output of a node at a place where its operation always has one. */
export function outputOf(node: Node, index = 0): Value {
  const value = node.outputs[index];
  if (value === undefined) throw new Error(`${node.op} has no output ${index}.`);
  return value;
}

/** Whether a node is of an operation, for the compiler too. */
export function isOp<O extends OpName>(node: Node, op: O): node is Node<O> {
  return node.op === op;
}

/** Products of codes below this whole number of 32 bits drop their number. */
export function dropBound(rate: number): number {
  return Math.round(rate * 2 ** 32) - 2 ** 31;
}
