// A graph as text, one line a node: for people, and for tests that show what a graph is.

import type { Graph } from "./graph.ts";
import { isOp, type Node, type Value } from "./ir.ts";

/** `%3: [rows, 8] = gemm(%1, blk.0.a, transB)`; leaves by name, scalars by value. */
export function print(graph: Graph): string {
  const names = new Map<Value, string>();
  const name = (value: Value): string => names.get(value) ?? "?";
  const lines: string[] = [];
  let next = 1;
  for (const node of graph.nodes) {
    const leaf = leafName(node);
    for (const output of node.outputs) names.set(output, leaf ?? `%${next++}`);
    if (leaf !== undefined) continue;
    const left = node.outputs.map((output) => `${name(output)}: ${showType(output)}`).join(", ");
    lines.push(`  ${left} = ${node.op}(${[...node.inputs.map(name), ...showAttributes(node)].join(", ")})`);
  }
  const leaves = [...graph.inputs, ...graph.weights]
    .flatMap((node) => node.outputs)
    .map((value) => `  ${value.node.op} ${name(value)}: ${showType(value)}`);
  const outputs = Object.entries(graph.outputs).map(([output, value]) => `${output} = ${name(value)}`);
  return [graph.name, ...leaves, ...lines, `  return ${outputs.join(", ")}`].join("\n");
}

function leafName(node: Node): string | undefined {
  if (isOp(node, "input") || isOp(node, "weight")) return node.attributes.name;
  if (isOp(node, "constant") && node.attributes.data.length === 1) return String(node.attributes.data[0]);
  return undefined;
}

function showType({ type, shape }: Value): string {
  return `${type === "float32" ? "" : type}[${shape.join(", ")}]`;
}

function showAttributes(node: Node): readonly string[] {
  return Object.entries(node.attributes as object).flatMap(([key, value]: [string, unknown]) => {
    if (value === false || (key === "alpha" && value === 1) || key === "type") return [];
    if (value === true) return [key];
    if (ArrayBuffer.isView(value)) return [`${key}=...`];
    return [`${key}=${Array.isArray(value) ? `[${value.join(", ")}]` : String(value)}`];
  });
}
