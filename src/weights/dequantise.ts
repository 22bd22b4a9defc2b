// Quantised tensors back to 32-bit floats. Knows bytes only: no file, no names. The K formats are in dequantise-k.ts, the IQ4 formats in
// dequantise-iq4.ts.
import { dequantiseIQ4NL, dequantiseIQ4XS } from "./dequantise-iq4.ts";
import { dequantiseQ2K, dequantiseQ3K, dequantiseQ4K, dequantiseQ5K, dequantiseQ6K } from "./dequantise-k.ts";
import { fromBfloats, fromHalves, halfValues } from "./half.ts";

/** Packed bytes to `count` numbers. `bytes` holds whole blocks. */
export type Dequantiser = (bytes: Uint8Array, count: number) => Float32Array;

/** Every tensor type that can be read as numbers. Formats: ggml-common.h of llama.cpp. */
const dequantisers = {
  F32: (bytes, count) => new Float32Array(aligned(bytes, 4), 0, count),
  F16: (bytes, count) => fromHalves(new Uint16Array(aligned(bytes, 2), 0, count)),
  BF16: (bytes, count) => fromBfloats(new Uint16Array(aligned(bytes, 2), 0, count)),
  Q8_0: dequantiseQ8,
  Q4_0: (bytes, count) => nibbles(bytes, count, { blockBytes: 18, minimum: false, fifthBit: false }),
  Q4_1: (bytes, count) => nibbles(bytes, count, { blockBytes: 20, minimum: true, fifthBit: false }),
  Q5_0: (bytes, count) => nibbles(bytes, count, { blockBytes: 22, minimum: false, fifthBit: true }),
  Q5_1: (bytes, count) => nibbles(bytes, count, { blockBytes: 24, minimum: true, fifthBit: true }),
  Q2_K: dequantiseQ2K,
  Q3_K: dequantiseQ3K,
  Q4_K: dequantiseQ4K,
  Q5_K: dequantiseQ5K,
  Q6_K: dequantiseQ6K,
  IQ4_NL: dequantiseIQ4NL,
  IQ4_XS: dequantiseIQ4XS,
} as const satisfies { readonly [type: string]: Dequantiser };

/** The tensor types that `dequantise` reads, for error messages. */
export const readableTypes: readonly string[] = Object.keys(dequantisers);

/** The function that unpacks a tensor type, or undefined for a type that this project does not read. */
export function dequantiser(type: string): Dequantiser | undefined {
  return Object.hasOwn(dequantisers, type) ? dequantisers[type as keyof typeof dequantisers] : undefined;
}

/** The bytes as a buffer of their own where a typed view would start off its alignment. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength % size === 0 && bytes.buffer.byteLength === bytes.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? bytes.buffer : Uint8Array.from(bytes).buffer;
}

/** 32 signed bytes under one half-precision scale. */
function dequantiseQ8(bytes: Uint8Array, count: number): Float32Array {
  const halves = halfValues();
  const out = new Float32Array(count);
  for (let block = 0, at = 0; block < count; block += 32, at += 34) {
    const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < 32; i++) out[block + i] = scale * ((bytes[at + 2 + i]! << 24) >> 24);
  }
  return out;
}

interface NibbleFormat {
  readonly blockBytes: number;
  /** scale * q + minimum (the _1 formats), else scale * (q - half the range). */
  readonly minimum: boolean;
  /** A 32-bit word before the nibbles holds the fifth bit of each number. */
  readonly fifthBit: boolean;
}

/** 32 numbers as nibbles: the low ones are numbers 0 to 15, the high ones 16 to 31. */
function nibbles(bytes: Uint8Array, count: number, { blockBytes, minimum, fifthBit }: NibbleFormat): Float32Array {
  const halves = halfValues();
  const out = new Float32Array(count);
  const zero = minimum ? 0 : fifthBit ? 16 : 8;
  const packed = blockBytes - 16;
  for (let block = 0, at = 0; block < count; block += 32, at += blockBytes) {
    const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const lowest = minimum ? halves[bytes[at + 2]! | (bytes[at + 3]! << 8)]! : -0;
    const fifth = fifthBit ? word(bytes, at + packed - 4) : 0;
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + packed + i]!;
      const low = (pair & 15) | (((fifth >>> i) & 1) << 4);
      const high = (pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4);
      out[block + i] = Math.fround(scale * (low - zero)) + lowest;
      out[block + i + 16] = Math.fround(scale * (high - zero)) + lowest;
    }
  }
  return out;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
