// Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685) of linear layers: y = W x + alpha / rank * B A x.

import type { Value } from "../graph/ir.ts";
import { constant, gemm, mul } from "../graph/ops.ts";
import type { Parameter } from "./parameters.ts";

export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
}

/** The pair of a linear parameter. For one that is stacked, A is stacked too and B has one block for each part on its diagonal. */
export interface LoraPair {
  readonly base: Parameter;
  readonly a: Parameter;
  readonly b: Parameter;
  readonly rank: number;
}

export function loraPair(base: Parameter, rank: number): LoraPair {
  const [outputs = 0, inputs = 0] = base.shape;
  const inner = base.parts.length * rank;
  const made = (suffix: string, shape: readonly number[]): Parameter => ({
    name: `${base.name}.${suffix}`,
    shape,
    parts: [],
    kind: "linear",
  });
  return { base, rank, a: made("lora_a", [inner, inputs]), b: made("lora_b", [outputs, inner]) };
}

export interface LoraLinearOptions extends LoraOptions {
  readonly pair: LoraPair;
  /** A and B as graph values. */
  readonly a: Value;
  readonly b: Value;
  /** 1 inside the blocks of B, 0 outside; see {@link blockMask}. */
  readonly mask: Value | undefined;
}

/** What the adapter adds to `base` [rows, outputs] = W x, for x [rows, inputs]. */
export function addLora(base: Value, x: Value, { pair, a, b, mask, rank, alpha }: LoraLinearOptions): Value {
  if (pair.rank !== rank) throw new Error(`The pair of ${pair.base.name} has rank ${pair.rank}, not ${rank}.`);
  const low = gemm(x, a, { transB: true }); // [rows, parts * rank]
  // Off the diagonal B is zero and stays so: the mask keeps gradients out.
  return gemm(low, mask === undefined ? b : mul(b, mask), { transB: true, alpha: alpha / rank, added: base });
}

/** 1 where B of a stacked parameter may differ from 0, as numbers [outputs, parts * rank]. */
export function blockMask({ base, b, rank }: LoraPair): Float32Array {
  const [outputs = 0, inner = 0] = b.shape;
  const mask = new Float32Array(outputs * inner);
  let row = 0;
  for (const [part, { rows }] of base.parts.entries()) {
    for (const end = row + rows; row < end; row++) mask.fill(1, row * inner + part * rank, row * inner + (part + 1) * rank);
  }
  return mask;
}

/** The mask as a constant of the graph, or none where B is one block. */
export function maskOf(pair: LoraPair): Value | undefined {
  return pair.base.parts.length === 1 ? undefined : constant(blockMask(pair), pair.b.shape);
}

/** The adapter of one GGUF tensor: A [rank, inputs] and B [outputs, rank], row-major. */
export interface LoraTensors {
  readonly target: string;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** The stacked pair taken apart into the pairs of the tensors it is made of. */
export function unstack({ base, rank, a: aParameter }: LoraPair, a: Float32Array, b: Float32Array): readonly LoraTensors[] {
  const inputs = aParameter.shape[1] ?? 0;
  const inner = base.parts.length * rank;
  let row = 0;
  return base.parts.map(({ tensor, rows }, part) => {
    const block = new Float32Array(rows * rank);
    for (let r = 0; r < rows; r++) block.set(b.subarray((row + r) * inner + part * rank, (row + r) * inner + (part + 1) * rank), r * rank);
    row += rows;
    return { target: tensor, a: a.slice(part * rank * inputs, (part + 1) * rank * inputs), b: block, rank, inputs, outputs: rows };
  });
}

/** The other way: adapters of tensors as the stacked A and B; tensors without an adapter stay zero. */
export function stack(pair: LoraPair, tensors: ReadonlyMap<string, LoraTensors>): { readonly a: Float32Array; readonly b: Float32Array } {
  const { base, rank } = pair;
  const [inner = 0, inputs = 0] = pair.a.shape;
  const a = new Float32Array(inner * inputs);
  const b = new Float32Array((pair.b.shape[0] ?? 0) * inner);
  let row = 0;
  for (const [part, { tensor, rows }] of base.parts.entries()) {
    const found = tensors.get(tensor);
    if (found !== undefined) {
      a.set(found.a, part * rank * inputs);
      for (let r = 0; r < rows; r++) b.set(found.b.subarray(r * rank, (r + 1) * rank), (row + r) * inner + part * rank);
    }
    row += rows;
  }
  return { a, b };
}
