// Fast products: those with frozen matrices turned into 8-bit ones, which processors compute several times as quickly. Knows no model.

import { type Graph, rebuild } from "./graph.ts";
import { inputOf, isOp, type Node, type Value } from "./ir.ts";
import { node as makeNode } from "./node.ts";
import { add, constant, gemm, gemmInt8, reshape, weight } from "./ops.ts";
import { product } from "./shape.ts";

/** A frozen matrix [outputs, inputs] made of bytes for one of its two products. */
export interface Int8Weight {
  /** The weight it is made from. */
  readonly of: string;
  /** "inputs": for x W^T, as [inputs, outputs]; "outputs": for x W, as it is. That axis is rotated first, as x is. */
  readonly contracts: "inputs" | "outputs";
}

/** Whether a product with the weight of that name is to be of bytes. */
export type ChoosePrecision = (weight: string, contracts: Int8Weight["contracts"]) => "exact" | "int8";

/**
 * Rows are multiplied by an orthogonal matrix in blocks of this many numbers before they are rounded, and the weight with them, which
 * changes no product and spreads outliers (Ashkboos et al. 2024, https://arxiv.org/abs/2404.00456).
 */
export const rotationBlock = 64;

export interface Quantised {
  readonly graph: Graph;
  /** The weights that the graph reads in place of others, by their names in it; their scales are `<name>.scales`. */
  readonly weights: ReadonlyMap<string, Int8Weight>;
}

/** The graph with the chosen products computed from bytes. What such a product adds is added after it. */
export function quantise(graph: Graph, choose: ChoosePrecision): Quantised {
  const weights = new Map<string, Int8Weight>();
  const quantised = rebuild(graph, (original, inputs) => {
    const same = inputs.every((value, index) => value === original.inputs[index]);
    const node = same ? original : makeNode(original.op, inputs, original.attributes);
    const int8 = isOp(node, "gemm") ? int8Weight(node, choose) : undefined;
    if (int8 === undefined) return node.outputs;
    const name = `${int8.of}.int8.${int8.contracts}`;
    weights.set(name, int8);
    return [int8Product(node, name, int8)];
  });
  return { graph: quantised, weights };
}

function int8Weight(node: Node<"gemm">, choose: ChoosePrecision): Int8Weight | undefined {
  const { transA, transB, alpha } = node.attributes;
  const table = inputOf(node, 1);
  if (!isOp(table.node, "weight") || transA || alpha !== 1) return undefined;
  const weightOf: Int8Weight = { of: table.node.attributes.name, contracts: transB ? "inputs" : "outputs" };
  const whole = Number(inputOf(node, 0).shape[1]) % rotationBlock === 0;
  return whole && choose(weightOf.of, weightOf.contracts) === "int8" ? weightOf : undefined;
}

function int8Product(node: Node, name: string, { contracts }: Int8Weight): Value {
  const [x, { shape }, added] = [inputOf(node, 0), inputOf(node, 1), node.inputs[2]];
  const dims = contracts === "inputs" ? shape.toReversed() : shape;
  const product = gemmInt8(rotate(x), weight(name, dims, "int8"), weight(`${name}.scales`, dims.slice(1)));
  return added === undefined ? product : add(product, added);
}

/** x [rows, width] times a block-diagonal orthogonal matrix. */
function rotate(x: Value): Value {
  const blocks = reshape(x, [product([x.shape[0] ?? 1, Number(x.shape[1]) / rotationBlock]), rotationBlock]);
  return reshape(gemm(blocks, constant(hadamard(rotationBlock), [rotationBlock, rotationBlock])), x.shape);
}

/** The orthogonal matrix of entries +-1/sqrt(size) (Sylvester 1867), row-major; symmetric. `size` is a power of 2. */
export function hadamard(size: number): Float32Array {
  const sign = (bits: number): number => (bits === 0 ? 1 : (bits & 1 ? -1 : 1) * sign(bits >> 1));
  return Float32Array.from({ length: size * size }, (_, index) => sign(Math.floor(index / size) & (index % size)) / Math.sqrt(size));
}
