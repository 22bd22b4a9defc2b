// Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685) of linear layers: y = W x + alpha / rank * B A x.

import type { Value } from "../graph/ir.ts";
import { constant, drop, gemm, mul } from "../graph/ops.ts";
import { elementCount, type Parameter } from "./parameters.ts";

/** The linear layers of a block that may have an adapter, and what their GGUF tensors are called. */
const tensorNames = { q: "attn_q", k: "attn_k", v: "attn_v", o: "attn_output", gate: "ffn_gate", up: "ffn_up", down: "ffn_down" } as const;
/** The tensors that hold a layer together with others, where it has none of its own: they are adapted whole. */
const fusedNames: { readonly [target: string]: string } = { q: "attn_qkv", k: "attn_qkv", v: "attn_qkv", gate: "ffn_up" };
export type LoraTarget = keyof typeof tensorNames;
export const loraTargets = Object.keys(tensorNames) as readonly LoraTarget[];

export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  /** Which layers are adapted; all without it. */
  readonly targets?: readonly LoraTarget[];
  /** Share of the numbers read by the adapters that are 0 in a training step, the others grown to make up for them. */
  readonly dropout?: number;
}

/** A part of a linear parameter that is adapted: `rows` rows of it from `row` on. */
interface LoraBlock {
  readonly tensor: string;
  readonly row: number;
  readonly rows: number;
}

/** The pair of a linear parameter. For one that is stacked, A is stacked too and B has a block of its own for each adapted part. */
export interface LoraPair {
  readonly base: Parameter;
  readonly blocks: readonly LoraBlock[];
  readonly a: Parameter;
  readonly b: Parameter;
  readonly rank: number;
}

/** The pair of a parameter; none where no part of it is a target. */
export function loraPair(base: Parameter, { rank, targets = loraTargets }: Pick<LoraOptions, "rank" | "targets">): LoraPair | undefined {
  const names = base.parts.map(({ tensor }) => tensor.split(".").at(-2));
  const wanted = new Set(targets.map((target) => (names.includes(tensorNames[target]) ? tensorNames[target] : fusedNames[target])));
  const [outputs = 0, inputs = 0] = base.shape;
  const blocks: LoraBlock[] = [];
  let row = 0;
  for (const { tensor, rows } of base.parts) {
    if (wanted.has(tensor.split(".").at(-2))) blocks.push({ tensor, row, rows });
    row += rows;
  }
  if (blocks.length === 0) return undefined;
  const inner = blocks.length * rank;
  const made = (suffix: string, shape: readonly number[]): Parameter => ({
    name: `${base.name}.${suffix}`,
    shape,
    parts: [],
    kind: "linear",
  });
  return { base, blocks, rank, a: made("lora_a", [inner, inputs]), b: made("lora_b", [outputs, inner]) };
}

/** Numbers that are learnt: A, and B inside its blocks. */
export function learntNumbers({ blocks, a, rank }: LoraPair): number {
  return elementCount(a) + blocks.reduce((sum, { rows }) => sum + rows * rank, 0);
}

/** What decides which numbers of x [rows, inputs] are dropped; see {@link drop}. */
export interface Dropout {
  readonly rate: number;
  /** int64 [rows] and [inputs]. */
  readonly rows: Value;
  readonly columns: Value;
}

export interface LoraLinearOptions extends LoraOptions {
  readonly pair: LoraPair;
  /** A and B as graph values. */
  readonly a: Value;
  readonly b: Value;
  /** 1 inside the blocks of B, 0 outside; see {@link blockMask}. */
  readonly mask: Value | undefined;
  readonly dropped?: Dropout | undefined;
}

/** What the adapter adds to `base` [rows, outputs] = W x, for x [rows, inputs]. */
export function addLora(base: Value, x: Value, { pair, a, b, mask, rank, alpha, dropped }: LoraLinearOptions): Value {
  if (pair.rank !== rank) throw new Error(`The pair of ${pair.base.name} has rank ${pair.rank}, not ${rank}.`);
  // Parts that are read together share what is dropped; in PEFT each draws its own.
  const kept = dropped === undefined ? x : drop(x, dropped);
  const low = gemm(kept, a, { transB: true, alpha: 1 / (1 - (dropped?.rate ?? 0)) }); // [rows, blocks * rank]
  // Outside the blocks B is zero and stays so: the mask keeps gradients out.
  return gemm(low, mask === undefined ? b : mul(b, mask), { transB: true, alpha: alpha / rank, added: base });
}

/** 1 where B of a stacked parameter may differ from 0, as numbers [outputs, blocks * rank]. */
export function blockMask({ blocks, b, rank }: LoraPair): Float32Array {
  const [outputs = 0, inner = 0] = b.shape;
  const mask = new Float32Array(outputs * inner);
  for (const [block, { row: first, rows }] of blocks.entries()) {
    for (let row = first; row < first + rows; row++) mask.fill(1, row * inner + block * rank, row * inner + (block + 1) * rank);
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

/** The stacked pair taken apart into the pairs of the tensors that are adapted. */
export function unstack({ blocks, rank, a: aParameter }: LoraPair, a: Float32Array, b: Float32Array): readonly LoraTensors[] {
  const inputs = aParameter.shape[1] ?? 0;
  const inner = blocks.length * rank;
  return blocks.map(({ tensor, row, rows }, index) => {
    const block = new Float32Array(rows * rank);
    for (let r = 0; r < rows; r++)
      block.set(b.subarray((row + r) * inner + index * rank, (row + r) * inner + (index + 1) * rank), r * rank);
    return { target: tensor, a: a.slice(index * rank * inputs, (index + 1) * rank * inputs), b: block, rank, inputs, outputs: rows };
  });
}

/** The other way: adapters of tensors as the stacked A and B; tensors without an adapter stay zero. */
export function stack(pair: LoraPair, tensors: ReadonlyMap<string, LoraTensors>): { readonly a: Float32Array; readonly b: Float32Array } {
  const { blocks, rank } = pair;
  const [inner = 0, inputs = 0] = pair.a.shape;
  const a = new Float32Array(inner * inputs);
  const b = new Float32Array((pair.b.shape[0] ?? 0) * inner);
  for (const [index, { tensor, row, rows }] of blocks.entries()) {
    const found = tensors.get(tensor);
    if (found === undefined) continue;
    a.set(found.a, index * rank * inputs);
    for (let r = 0; r < rows; r++) b.set(found.b.subarray(r * rank, (r + 1) * rank), (row + r) * inner + index * rank);
  }
  return { a, b };
}
