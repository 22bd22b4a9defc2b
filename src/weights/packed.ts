// Quantised tensors as they are computed with: whole numbers of 8 bits under a step, and in some formats a minimum, a block.

/** How a tensor type's numbers are held: as many of them under one step, with a minimum or without. */
export interface Packing {
  /** Numbers of a row under one step. */
  readonly block: number;
  readonly minima: boolean;
}

/** Numbers as `code * step - minimum`, rounded to 32 bits after each of the two; row-major, so that blocks follow one another. */
export interface Packed {
  readonly codes: Int8Array;
  readonly steps: Float32Array;
  /** Empty where the packing has none. */
  readonly minima: Float32Array;
}

/** Room for `count` numbers. */
export function blankPacked(count: number, { block, minima }: Packing): Packed {
  const blocks = count / block;
  return { codes: new Int8Array(count), steps: new Float32Array(blocks), minima: new Float32Array(minima ? blocks : 0) };
}

/** The numbers that are meant. */
export function packedNumbers({ codes, steps, minima }: Packed): Float32Array {
  const numbers = new Float32Array(codes.length);
  const block = codes.length / steps.length;
  const hasMinima = minima.length > 0;
  for (let index = 0, at = 0; index < steps.length; index++) {
    const step = steps[index]!;
    const end = at + block;
    if (!hasMinima) for (; at < end; at++) numbers[at] = step * codes[at]!;
    else for (const minimum = minima[index]!; at < end; at++) numbers[at] = Math.fround(step * codes[at]!) - minimum;
  }
  return numbers;
}

/** The packing that can hold all of these: the shortest blocks, and minima where any has them. */
export function commonPacking(packings: readonly Packing[]): Packing {
  return { block: Math.min(...packings.map(({ block }) => block)), minima: packings.some(({ minima }) => minima) };
}

/** The same numbers under another packing, whose blocks divide theirs. */
export function repack(packed: Packed, { block, minima: wanted }: Packing): Packed {
  const { codes, steps, minima } = packed;
  if (codes.length === steps.length * block && minima.length === (wanted ? steps.length : 0)) return packed;
  const times = codes.length / steps.length / block;
  const blocks = codes.length / block;
  const spread = (values: Float32Array) => Float32Array.from({ length: blocks }, (_, index) => values[Math.floor(index / times)] ?? 0);
  return { codes, steps: spread(steps), minima: wanted ? spread(minima) : minima };
}
