// 32-bit floats to the tensor types that this project writes. Knows bytes only: no file, no names.
import { toHalf, toHalves } from "./half.ts";

export type WritableType = "F32" | "F16" | "Q8_0";

/** Numbers to packed bytes, little-endian. Rows must be a multiple of 32 long for Q8_0. */
export function quantise(numbers: Float32Array, type: WritableType): Uint8Array {
  return quantisers[type](numbers);
}

const quantisers: { readonly [T in WritableType]: (numbers: Float32Array) => Uint8Array } = {
  F32: (numbers) => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  F16: (numbers) => new Uint8Array(toHalves(numbers).buffer),
  Q8_0: quantiseQ8,
};

/** Blocks of 32: a half-precision scale of largest / 127, then signed bytes, halves rounded away from zero (as ggml's reference). */
function quantiseQ8(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array((numbers.length / 32) * 34);
  for (let block = 0, at = 0; block < numbers.length; block += 32, at += 34) {
    let largest = 0;
    for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(numbers[block + i]!));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = toHalf(scale);
    bytes[at] = half & 255;
    bytes[at + 1] = half >> 8;
    for (let i = 0; i < 32; i++) {
      const scaled = Math.fround(numbers[block + i]! * inverse);
      bytes[at + 2 + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
    }
  }
  return bytes;
}
