// LoRA weights as this project holds them, and what they add to a matrix. Knows no file format.
import { UserError } from "../errors.ts";
import { quoted } from "../util/quoted.ts";

/** One adapted linear layer: `b · a` is added to `target`, scaled by alpha / rank (Hu et al. 2021, equation 3). */
export interface LoraTensor {
  /** Name of the matrix in a GGUF file: `blk.0.attn_q.weight`. */
  readonly target: string;
  /** [rank, inputs] */
  readonly a: Float32Array;
  /** [outputs, rank] */
  readonly b: Float32Array;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
}

export interface LoraWeights {
  readonly architecture: string;
  readonly alpha: number;
  readonly tensors: readonly LoraTensor[];
}

/** `matrix + scale * alpha / rank * b · a`, in a new array of shape [outputs, inputs]. */
export function addLora(
  matrix: Float32Array,
  { a, b, rank, inputs, outputs }: LoraTensor,
  { alpha, scale = 1 }: { readonly alpha: number; readonly scale?: number },
): Float32Array {
  const merged = Float32Array.from(matrix);
  const factor = (scale * alpha) / rank;
  for (let row = 0; row < outputs; row++) {
    for (let k = 0; k < rank; k++) {
      const weight = factor * b[row * rank + k]!;
      for (let column = 0; column < inputs; column++) merged[row * inputs + column]! += weight * a[k * inputs + column]!;
    }
  }
  return merged;
}

/** @throws {Error} when the sizes of a pair contradict one another: that is our bug. */
export function checkLora({ target, a, b, rank, inputs, outputs }: LoraTensor): void {
  if (a.length === rank * inputs && b.length === outputs * rank) return;
  throw new Error(`LoRA for ${target}: a has ${a.length} numbers for [${rank}, ${inputs}], b has ${b.length} for [${outputs}, ${rank}]`);
}

interface ClaimedPair {
  readonly path: string;
  readonly target: string;
  /** Shapes as the file states them. */
  readonly a: readonly number[] | undefined;
  readonly b: readonly number[] | undefined;
}

/** The sizes of a pair in a file. @throws {UserError} when one of the two is missing, or they do not fit together. */
export function pairSizes({ path, target, a, b }: ClaimedPair): Pick<LoraTensor, "rank" | "inputs" | "outputs"> {
  const [rank = 0, inputs = 0] = a ?? [];
  const [outputs = 0, otherRank] = b ?? [];
  const fits = a?.length === 2 && b?.length === 2 && rank === otherRank && rank * inputs * outputs > 0;
  if (!fits) throw noAdapter(path, `the pair of ${quoted(target)} is not whole or does not fit together`);
  return { rank, inputs, outputs };
}

/** What a file that should hold LoRA weights is refused with. */
export function noAdapter(path: string, what: string): UserError {
  return new UserError(`${path} is no usable LoRA adapter: ${what}. Export it again.`);
}
