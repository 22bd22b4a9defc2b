// A graph: named outputs and every node they need, in an order in which they can be computed.

import { isOp, type Node, type Value } from "./ir.ts";

export interface Graph {
  readonly name: string;
  /** The leaves given at a run, in the order in which they are first needed. */
  readonly inputs: readonly Node<"input">[];
  /** The frozen leaves. */
  readonly weights: readonly Node<"weight">[];
  /** All nodes, each after those it reads. */
  readonly nodes: readonly Node[];
  readonly outputs: { readonly [name: string]: Value };
}

/** The graph of what `outputs` need; all else is left out. */
export function trace(name: string, outputs: { readonly [name: string]: Value }): Graph {
  const nodes = inOrder(Object.values(outputs).map((value) => value.node));
  return {
    name,
    inputs: nodes.filter((node) => isOp(node, "input")),
    weights: nodes.filter((node) => isOp(node, "weight")),
    nodes,
    outputs,
  };
}

/** The nodes that `roots` depend on and the roots, each after those it reads. */
export function inOrder(roots: readonly Node[]): readonly Node[] {
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  // A stack of its own: graphs are deeper than the call stack.
  const stack: { readonly node: Node; next: number }[] = [];
  const visit = (node: Node) => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const root of roots) {
    visit(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.node.inputs[top.next++];
      if (child !== undefined) visit(child.node);
      else {
        ordered.push(top.node);
        stack.pop();
      }
    }
  }
  return ordered;
}

/** A copy of the graph in which `change` may put a value in the place of each output of each node. Inputs come to it already changed. */
export function rebuild(graph: Graph, change: (original: Node, inputs: readonly Value[]) => readonly Value[]): Graph {
  const changed = new Map<Node, readonly Value[]>();
  const current = (value: Value): Value => {
    const found = changed.get(value.node)?.[value.index];
    if (found === undefined) throw new Error(`${value.node.op} was dropped while it is still read.`);
    return found;
  };
  for (const node of graph.nodes) changed.set(node, change(node, node.inputs.map(current)));
  return trace(graph.name, Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, current(value)])));
}
