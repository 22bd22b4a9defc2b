// Makes a graph smaller and quicker without changing what it computes: shared subexpressions, neutral elements, fused additions.

import { type Graph, rebuild } from "./graph.ts";
import { inputOf, isOp, type Node, type OpName, outputOf, type Value } from "./ir.ts";
import { node as makeNode } from "./node.ts";
import { constant, fill, gemm, matmul, mul, reshape, scatterAdd, sum } from "./ops.ts";
import { sameShape } from "./shape.ts";

/** Rules look at a node whose inputs are simple already; `single` tells whether a value is read once in all. */
type Rule<O extends OpName> = (node: Node<O>, single: (value: Value) => boolean) => Value | undefined;

/** The same outputs from fewer nodes. */
export function simplify(graph: Graph): Graph {
  let before = graph;
  // Each round may open the way for the next; graphs settle in two or three.
  for (let after = round(before); ; after = round(before)) {
    if (after.nodes.length === before.nodes.length) return after;
    before = after;
  }
}

function round(graph: Graph): Graph {
  const uses = countUses(graph);
  const unique = new Map<string, readonly Value[]>();
  const ids = new Map<Value, number>();
  // Uses are counted in the graph as it was: the value a rule looks at is made anew and stands for one of those.
  const originals = new Map<Value, Value>();
  const single = (value: Value) => uses.get(originals.get(value) ?? value) === 1;
  const id = (value: Value) => ids.get(value) ?? ids.set(value, ids.size).size - 1;

  return rebuild(graph, (original, inputs) => {
    const same = inputs.every((value, index) => value === original.inputs[index]);
    const node = same ? original : makeNode(original.op, inputs, original.attributes);
    // Before a rule looks at it: what a rule makes anew, as a negated table, is made once for all equal nodes.
    const key = keyOf(node, id);
    const found = key === undefined ? undefined : unique.get(key);
    if (found !== undefined) return found;
    const simpler = applyRule(node, single);
    const outputs = simpler === undefined ? node.outputs : [simpler];
    if (key !== undefined) unique.set(key, outputs);
    if (simpler === undefined) for (const [index, value] of outputs.entries()) originals.set(value, outputOf(original, index));
    return outputs;
  });
}

function applyRule<O extends OpName>(node: Node<O>, single: (value: Value) => boolean): Value | undefined {
  const rule = rules[node.op] as Rule<O> | undefined;
  return rule?.(node, single);
}

const rules: { readonly [O in OpName]?: Rule<O> } = {
  add(node, single) {
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const { shape } = outputOf(node);
    if (isFill(a, 0) && sameShape(b.shape, shape)) return b;
    if (isFill(b, 0) && sameShape(a.shape, shape)) return a;
    return intoScatter(a, b, shape) ?? intoScatter(b, a, shape) ?? intoGemm(b, a, single) ?? intoGemm(a, b, single);
  },
  mul(node) {
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const { shape } = outputOf(node);
    if (isFill(a, 1) && sameShape(b.shape, shape)) return b;
    if (isFill(b, 1) && sameShape(a.shape, shape)) return a;
    return undefined;
  },
  neg(node) {
    const { node: from, shape } = inputOf(node, 0);
    if (isOp(from, "neg")) return inputOf(from, 0);
    if (!isOp(from, "constant") || !(from.attributes.data instanceof Float32Array)) return undefined;
    const negated = from.attributes.data.map((value) => -value);
    return constant(negated, shape);
  },
  reshape(node) {
    const { node: from, shape } = inputOf(node, 0);
    const to = outputOf(node).shape;
    if (sameShape(shape, to)) return inputOf(node, 0);
    if (isOp(from, "reshape")) return reshape(inputOf(from, 0), to);
    if (isOp(from, "fill")) return fill(from.attributes.value, to);
    return undefined;
  },
  sum(node) {
    const [axis, ...others] = node.attributes.axes;
    const { node: from } = inputOf(node, 0);
    if (axis !== -1 || others.length > 0 || !isOp(from, "mul") || !sameShape(inputOf(from, 0).shape, inputOf(from, 1).shape))
      return undefined;
    const product = overInner(inputOf(from, 0), inputOf(from, 1));
    return product && sum(product, [-1], node.attributes.keepDims);
  },
  transpose(node) {
    const { node: from } = inputOf(node, 0);
    if (!isOp(from, "transpose")) return undefined;
    return node.attributes.order.every((axis, index) => from.attributes.order[axis] === index) ? inputOf(from, 0) : undefined;
  },
  expand(node) {
    const { node: from } = inputOf(node, 0);
    return isOp(from, "fill") ? fill(from.attributes.value, node.attributes.shape) : undefined;
  },
};

/** `gemm(a, b) + other` is one operation, where nobody else reads the product. */
function intoGemm(value: Value, other: Value, single: (value: Value) => boolean): Value | undefined {
  const { node } = value;
  if (!isOp(node, "gemm") || node.inputs.length > 2 || !single(value) || !sameShape(value.shape, other.shape)) return undefined;
  return gemm(inputOf(node, 0), inputOf(node, 1), { ...node.attributes, added: other });
}

/** Rows scattered into zeros and then added to a tensor are added to it at once. */
function intoScatter(value: Value, other: Value, shape: readonly unknown[]): Value | undefined {
  const { node } = value;
  if (!isOp(node, "scatterAdd") || !isFill(inputOf(node, 0), 0) || shape.length !== other.shape.length) return undefined;
  return sameShape(value.shape, other.shape) ? scatterAdd(other, inputOf(node, 1), inputOf(node, 2)) : undefined;
}

/**
 * Rows of p times rows of (a b^T) add up to what rows of a times rows of (p b) do: where p are the shares of attention, the latter is
 * what it gave, and narrow (Dao et al. 2022, https://arxiv.org/abs/2205.14135, appendix B.2).
 */
function overInner(p: Value, { node }: Value): Value | undefined {
  if (!isOp(node, "matmul") || node.attributes.transA || !node.attributes.transB) return undefined;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  return mul(a, matmul(p, b, { alpha: node.attributes.alpha }));
}

function isFill({ node }: Value, number: number): boolean {
  if (isOp(node, "fill")) return node.attributes.value === number;
  return isOp(node, "constant") && node.attributes.data.length === 1 && node.attributes.data[0] === number;
}

function countUses(graph: Graph): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  const read = [...graph.nodes.flatMap((node) => node.inputs), ...Object.values(graph.outputs)];
  for (const value of read) uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}

/** Equal keys mean equal values; leaves are told apart by name, long constants by identity. */
function keyOf(node: Node, id: (value: Value) => number): string | undefined {
  if (node.inputs.length === 0)
    return isOp(node, "constant") && node.attributes.data.length === 1
      ? `constant ${node.attributes.type} ${node.attributes.shape.join()} ${node.attributes.data[0]}`
      : undefined;
  return `${node.op} ${JSON.stringify(node.attributes)} ${node.inputs.map(id).join()}`;
}
