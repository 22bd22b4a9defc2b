// A frozen matrix as bytes for the fast products of `graph/quantise.ts`.

import { hadamard, type Int8Weight, rotationBlock } from "../graph/quantise.ts";

export interface Int8Matrix {
  /** [inner, columns], row-major: the rotated numbers divided by their column's scale and rounded. */
  readonly bytes: Int8Array;
  /** [columns]. */
  readonly scales: Float32Array;
}

/**
 * The matrix [outputs, inputs] with the axis that is contracted first, rotated along it in blocks, each column scaled so that its
 * largest number is 127.
 */
export function int8Matrix(matrix: Float32Array, shape: readonly number[], contracts: Int8Weight["contracts"]): Int8Matrix {
  const [outputs = 0, inputs = 0] = shape;
  const rotated = matrix.slice();
  if (contracts === "inputs") {
    rotate(rotated, { blocks: matrix.length / rotationBlock, stride: 1 });
    return transposed(rotated, outputs, inputs);
  }
  rotate(rotated, { blocks: outputs / rotationBlock, stride: inputs });
  return straight(rotated, outputs, inputs);
}

const factor = hadamard(rotationBlock)[0]!;

/** Each block of 64 runs of `stride` numbers times the Hadamard matrix, in place (the fast transform of Fino and Algazi 1976). */
function rotate(numbers: Float32Array, { blocks, stride }: { readonly blocks: number; readonly stride: number }): void {
  const size = rotationBlock * stride;
  for (let start = 0; start < blocks * size; start += size) {
    for (let half = stride; half < size; half *= 2) {
      for (let pair = start; pair < start + size; pair += 2 * half) {
        for (let index = pair; index < pair + half; index++) {
          const [a, b] = [numbers[index]!, numbers[index + half]!];
          numbers[index] = a + b;
          numbers[index + half] = a - b;
        }
      }
    }
  }
  for (let index = 0; index < numbers.length; index++) numbers[index]! *= factor;
}

function straight(numbers: Float32Array, inner: number, columns: number): Int8Matrix {
  const scales = new Float32Array(columns);
  for (let row = 0; row < inner; row++) {
    for (let column = 0; column < columns; column++) scales[column] = Math.max(scales[column]!, Math.abs(numbers[row * columns + column]!));
  }
  const steps = scales.map((highest) => (highest === 0 ? 0 : 127 / highest));
  const bytes = new Int8Array(numbers.length);
  for (let row = 0; row < inner; row++) {
    for (let at = row * columns, column = 0; column < columns; column++, at++) bytes[at] = Math.round(numbers[at]! * steps[column]!);
  }
  return { bytes, scales: scales.map((highest) => highest / 127) };
}

/** Rows read at once, so that writes to a column stay together. */
const TILE = 64;

function transposed(numbers: Float32Array, rows: number, inner: number): Int8Matrix {
  const scales = new Float32Array(rows);
  const bytes = new Int8Array(numbers.length);
  for (let first = 0; first < rows; first += TILE) {
    const last = Math.min(first + TILE, rows);
    for (let row = first; row < last; row++) {
      let highest = 0;
      for (let at = row * inner; at < (row + 1) * inner; at++) highest = Math.max(highest, Math.abs(numbers[at]!));
      scales[row] = highest / 127;
    }
    for (let column = 0; column < inner; column++) {
      for (let row = first; row < last; row++) {
        const scale = scales[row]!;
        bytes[column * rows + row] = scale === 0 ? 0 : Math.round(numbers[row * inner + column]! / scale);
      }
    }
  }
  return { bytes, scales };
}
