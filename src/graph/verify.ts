// Checks a graph after it was changed: what inference says of every node still holds, and the graph can be run.

import { type Graph } from "./graph.ts";
import { infer } from "./infer.ts";
import type { Node, Value } from "./ir.ts";
import { factors, sameShape, showShape } from "./shape.ts";

/** The graph itself, when it holds together. @throws naming the node and what is wrong with it: a bug in what made the graph. */
export function verify(graph: Graph): Graph {
  const defined = new Set<Value>();
  const sizes = new Set(
    graph.inputs.flatMap(({ attributes }) => attributes.shape.filter((dim) => typeof dim === "string" && !dim.includes("*"))),
  );
  for (const node of graph.nodes) {
    for (const input of node.inputs) check(defined.has(input), node, "reads a value that is not computed before it");
    checkOutputs(node);
    for (const output of node.outputs) {
      defined.add(output);
      for (const name of output.shape.flatMap((dim) => factors(dim).names)) {
        check(sizes.has(name), node, `has the size "${name}", which no input tells`);
      }
    }
  }
  checkNames(graph);
  for (const [name, value] of Object.entries(graph.outputs))
    check(defined.has(value), value.node, `gives output "${name}" and is not in the graph`);
  return graph;
}

function checkOutputs(node: Node): void {
  const inferred = infer(node);
  check(inferred.length === node.outputs.length, node, `has ${node.outputs.length} outputs in place of ${inferred.length}`);
  for (const [index, { type, shape }] of inferred.entries()) {
    const output = node.outputs[index];
    const same = output !== undefined && output.type === type && sameShape(output.shape, shape);
    check(same, node, `has output ${index} of shape ${showShape(output?.shape ?? [])} in place of ${showShape(shape)}`);
  }
}

function checkNames({ inputs, weights, name: graphName }: Graph): void {
  const seen = new Set<string>();
  for (const { attributes } of [...inputs, ...weights]) {
    if (seen.has(attributes.name)) throw new Error(`${graphName}: two leaves are called "${attributes.name}".`);
    seen.add(attributes.name);
  }
}

function check(condition: boolean, node: Node, message: string): asserts condition {
  if (!condition) throw new Error(`The graph does not hold together: ${node.op} ${message}.`);
}
