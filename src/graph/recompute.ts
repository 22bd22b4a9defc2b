// Trades time for memory: the pass back computes again what it reads of the pass forward, but for a few values that are held.

import { type Graph, inOrder, rebuild } from "./graph.ts";
import { type OpName, outputOf, type Value } from "./ir.ts";
import { node as makeNode } from "./node.ts";
import { factors, product } from "./shape.ts";

/** What costs more than holding what it gives: products, and what moves their numbers, which is held in their place. */
const held: ReadonlySet<OpName> = new Set<OpName>(["gemm", "gemmInt8", "matmul", "linearCrossEntropy", "linearKl", "split", "rope"]);

/**
 * The same outputs, bit for bit, from a graph in which what leads to the outputs called `forward` is held only where it is a product
 * (or one moved) or small. All else that the other outputs read is computed a second time, from what is held: norms, activations, and above all the
 * matrices of attention, which grow with the square of the length (Chen et al. 2016, https://arxiv.org/abs/1604.06174; that attention
 * is what to choose, Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198). Not to be simplified afterwards: equal nodes would
 * become one again.
 */
export function recompute(graph: Graph, forward: readonly string[]): Graph {
  const roots = Object.entries(graph.outputs).flatMap(([name, { node }]) => (forward.includes(name) ? [node] : []));
  const nodes = inOrder(roots);
  const copies = new Map<Value, Value>();
  const again = (value: Value): Value => copies.get(value) ?? value;
  for (const node of nodes) {
    if (node.inputs.length === 0 || node.outputs.every(isHeld)) continue;
    const copy = makeNode(node.op, node.inputs.map(again), node.attributes);
    for (const [index, output] of node.outputs.entries()) if (!isHeld(output)) copies.set(output, outputOf(copy, index));
  }
  const before = new Set(nodes);
  return rebuild(graph, (node, inputs) =>
    before.has(node) || node.inputs.length === 0 ? node.outputs : makeNode(node.op, inputs.map(again), node.attributes).outputs,
  );
}

/** Values of a fixed size are as small as parameters; what is held must not grow with the square of a size. */
function isHeld({ node, shape }: Value): boolean {
  const { names } = factors(product(shape));
  return names.length === 0 || (held.has(node.op) && new Set(names).size === names.length);
}
