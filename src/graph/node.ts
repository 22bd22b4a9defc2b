// Makes nodes: the one place where inference is asked.

import { infer } from "./infer.ts";
import type { Node, Operations, OpName, Value } from "./ir.ts";

/** A new node, its outputs typed by the operation's inference rule. @throws if inputs and attributes do not fit. */
export function node<O extends OpName>(op: O, inputs: readonly Value[], attributes: Operations[O]): Node<O> {
  const outputs: Value[] = [];
  const made: Node<O> = { op, inputs, attributes, outputs };
  for (const [index, { type, shape }] of infer(made).entries()) outputs.push({ node: made, index, type, shape });
  return made;
}
