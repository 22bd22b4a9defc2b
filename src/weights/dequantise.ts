// Quantised tensors back to numbers. Knows bytes only: no file, no names. The K formats are in dequantise-k.ts, the IQ4 formats in
// dequantise-iq4.ts.
import { unpackIQ4NL, unpackIQ4XS } from "./dequantise-iq4.ts";
import { unpackQ2K, unpackQ3K, unpackQ4K, unpackQ5K, unpackQ6K } from "./dequantise-k.ts";
import { fromBfloats, fromHalves, halfValues } from "./half.ts";
import { blankPacked, type Packed, packedNumbers, type Packing } from "./packed.ts";

/** Bytes to `count` numbers. `bytes` holds whole blocks. */
export type Dequantiser = (bytes: Uint8Array, count: number) => Float32Array;

/** Bytes to as many codes as there is room for, with their steps and minima. `bytes` holds whole blocks. */
export type Unpacker = (bytes: Uint8Array, into: Packed) => void;

/** Formats: ggml-common.h of llama.cpp. */
const plain: { readonly [type: string]: Dequantiser } = {
  F32: (bytes, count) => new Float32Array(aligned(bytes, 4), 0, count),
  F16: (bytes, count) => fromHalves(new Uint16Array(aligned(bytes, 2), 0, count)),
  BF16: (bytes, count) => fromBfloats(new Uint16Array(aligned(bytes, 2), 0, count)),
};

interface QuantisedType extends Packing {
  readonly unpack: Unpacker;
}

const quantised: { readonly [type: string]: QuantisedType } = {
  Q8_0: { block: 32, minima: false, unpack: unpackQ8 },
  Q4_0: nibbles({ blockBytes: 18, minima: false, fifthBit: false }),
  Q4_1: nibbles({ blockBytes: 20, minima: true, fifthBit: false }),
  Q5_0: nibbles({ blockBytes: 22, minima: false, fifthBit: true }),
  Q5_1: nibbles({ blockBytes: 24, minima: true, fifthBit: true }),
  Q2_K: { block: 16, minima: true, unpack: unpackQ2K },
  Q3_K: { block: 16, minima: false, unpack: unpackQ3K },
  Q4_K: { block: 32, minima: true, unpack: unpackQ4K },
  Q5_K: { block: 32, minima: true, unpack: unpackQ5K },
  Q6_K: { block: 16, minima: false, unpack: unpackQ6K },
  IQ4_NL: { block: 32, minima: false, unpack: unpackIQ4NL },
  IQ4_XS: { block: 32, minima: false, unpack: unpackIQ4XS },
};

/** The tensor types that `dequantiser` reads, for error messages. */
export const readableTypes: readonly string[] = [...Object.keys(plain), ...Object.keys(quantised)];

/** What reads a tensor type as numbers, or undefined for a type that this project does not read. */
export function dequantiser(type: string): Dequantiser | undefined {
  const packing = packingOf(type);
  if (packing === undefined) return Object.hasOwn(plain, type) ? plain[type] : undefined;
  return (bytes, count) => packedNumbers(unpacked(packing, bytes, count));
}

/** How a quantised tensor type holds its numbers; undefined for every other type. */
export function packingOf(type: string): QuantisedType | undefined {
  return Object.hasOwn(quantised, type) ? quantised[type] : undefined;
}

/** `count` numbers of a quantised tensor type as codes, steps and minima. */
export function unpacked(packing: QuantisedType, bytes: Uint8Array, count: number): Packed {
  const packed = blankPacked(count, packing);
  packing.unpack(bytes, packed);
  return packed;
}

/** The bytes as a buffer of their own where a typed view would start off its alignment. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength % size === 0 && bytes.buffer.byteLength === bytes.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? bytes.buffer : Uint8Array.from(bytes).buffer;
}

/** 32 signed bytes under one half-precision scale. */
function unpackQ8(bytes: Uint8Array, { codes, steps }: Packed): void {
  const halves = halfValues();
  for (let block = 0, at = 0, to = 0; block < steps.length; block++, at += 34) {
    steps[block] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 2; i < 34; i++) codes[to++] = bytes[at + i]!;
  }
}

interface NibbleFormat {
  readonly blockBytes: number;
  /** scale * q + minimum (the _1 formats), else scale * (q - half the range). */
  readonly minima: boolean;
  /** A 32-bit word before the nibbles holds the fifth bit of each number. */
  readonly fifthBit: boolean;
}

/** 32 numbers as nibbles: the low ones are numbers 0 to 15, the high ones 16 to 31. */
function nibbles({ blockBytes, minima: hasMinima, fifthBit }: NibbleFormat): QuantisedType {
  const zero = hasMinima ? 0 : fifthBit ? 16 : 8;
  const packed = blockBytes - 16;
  const unpack: Unpacker = (bytes, { codes, steps, minima }) => {
    const halves = halfValues();
    for (let block = 0, at = 0; block < steps.length; block++, at += blockBytes) {
      steps[block] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
      if (hasMinima) minima[block] = -halves[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
      const fifth = fifthBit ? word(bytes, at + packed - 4) : 0;
      for (let i = 0, to = block * 32; i < 16; i++, to++) {
        const pair = bytes[at + packed + i]!;
        codes[to] = ((pair & 15) | (((fifth >>> i) & 1) << 4)) - zero;
        codes[to + 16] = ((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) - zero;
      }
    }
  };
  return { block: 32, minima: hasMinima, unpack };
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
