// Reverse-mode differentiation of graphs. Knows no operation: their derivatives are in `backward.ts`.

import { backward } from "./backward.ts";
import { inOrder } from "./graph.ts";
import type { Node, Value } from "./ir.ts";
import { add, fill } from "./ops.ts";

/**
 * The gradients of a number with respect to values it was computed from, in their order, as values of the same shapes. Only what
 * lies between the two is differentiated. A value that `loss` does not depend on has a gradient of zeros.
 */
export function gradients(loss: Value, wrt: readonly Value[]): readonly Value[] {
  if (loss.shape.length > 0) throw new Error(`Only a number can be differentiated, not [${loss.shape.join(", ")}].`);
  const nodes = inOrder([loss.node]);
  const between = dependents(nodes, wrt);
  const found = new Map<Value, Value>([[loss, fill(1, [])]]);
  const stops = new Set(wrt);

  for (const node of nodes.toReversed()) {
    if (!between.has(node) || node.inputs.length === 0) continue;
    const outputs = node.outputs.map((output) => found.get(output));
    if (outputs.every((gradient) => gradient === undefined)) continue;
    const needs = (index: number) => {
      const value = node.inputs[index];
      return value !== undefined && (stops.has(value) || between.has(value.node));
    };
    const inputs = backward(node, { gradients: outputs, needs });
    for (const [index, value] of node.inputs.entries()) {
      const gradient = inputs[index];
      if (gradient === undefined || !needs(index)) continue;
      const before = found.get(value);
      found.set(value, before === undefined ? gradient : add(before, gradient));
    }
  }
  return wrt.map((value) => found.get(value) ?? fill(0, value.shape));
}

/** The nodes whose outputs depend on, or are, one of the values. */
function dependents(nodes: readonly Node[], values: readonly Value[]): ReadonlySet<Node> {
  const found = new Set<Node>(values.map((value) => value.node));
  for (const node of nodes) if (node.inputs.some((input) => found.has(input.node))) found.add(node);
  return found;
}
