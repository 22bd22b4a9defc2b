// The K formats of ggml (super-blocks of 256 numbers with quantised scales) to codes, steps and minima. Layouts: ggml-common.h of llama.cpp.
import { halfValues } from "./half.ts";
import type { Packed } from "./packed.ts";

const SUPER_BLOCK = 256;

function half(bytes: Uint8Array, at: number): number {
  return halfValues()[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

/** Q2_K: 16 bytes of 4-bit scale and minimum, 64 of 2-bit numbers, then the halves that scale both. */
export function unpackQ2K(bytes: Uint8Array, { codes, steps, minima }: Packed): void {
  for (let block = 0, at = 0; block < codes.length; block += SUPER_BLOCK, at += 84) {
    const scale = half(bytes, at + 80);
    const lowest = half(bytes, at + 82);
    for (let group = 0; group < 16; group++) {
      const packed = bytes[at + group]!;
      steps[block / 16 + group] = scale * (packed & 15);
      minima[block / 16 + group] = lowest * (packed >> 4);
      // A run of 32 bytes holds 128 numbers: bits 0-1 the first 32, bits 2-3 the next, ...
      const source = at + 16 + (group >> 3) * 32 + (group & 1) * 16;
      const shift = ((group >> 1) & 3) * 2;
      for (let i = 0; i < 16; i++) codes[block + group * 16 + i] = (bytes[source + i]! >> shift) & 3;
    }
  }
}

/** The 6-bit scale of one of the 16 groups of a Q3_K block: low nibbles in 8 bytes, high pairs of bits in 4. */
function scaleQ3K(bytes: Uint8Array, at: number, group: number): number {
  const low = (bytes[at + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
  const high = (bytes[at + 8 + (group & 3)]! >> ((group >> 2) * 2)) & 3;
  return (low | (high << 4)) - 32;
}

/** Q3_K: 32 bytes of third bits, 64 of 2-bit numbers, 12 of 6-bit scales, one half. A third bit of 0 takes 4 away. */
export function unpackQ3K(bytes: Uint8Array, { codes, steps }: Packed): void {
  for (let block = 0, at = 0; block < codes.length; block += SUPER_BLOCK, at += 110) {
    const scale = half(bytes, at + 108);
    for (let group = 0; group < 16; group++) {
      steps[block / 16 + group] = scale * scaleQ3K(bytes, at + 96, group);
      const column = (group & 1) * 16;
      const source = at + 32 + (group >> 3) * 32 + column;
      const shift = ((group >> 1) & 3) * 2;
      for (let i = 0; i < 16; i++) {
        // No branch: the third bits are as good as random, and a wrong guess of the processor takes longer than all the rest.
        const third = (bytes[at + column + i]! >> (group >> 1)) & 1;
        codes[block + group * 16 + i] = ((bytes[source + i]! >> shift) & 3) + (third << 2) - 4;
      }
    }
  }
}

/** The 6-bit scale and minimum of one of the 8 groups of a Q4_K or Q5_K block, packed in 12 bytes. */
function scaleAndMinimum(bytes: Uint8Array, at: number, group: number): readonly [scale: number, minimum: number] {
  const scale = bytes[at + (group & 3)]!;
  const minimum = bytes[at + 4 + (group & 3)]!;
  if (group < 4) return [scale & 63, minimum & 63];
  const low = bytes[at + 4 + group]!;
  return [(low & 15) | ((scale >> 2) & 48), (low >> 4) | ((minimum >> 2) & 48)];
}

/** Q4_K: two halves, 12 bytes of scales and minima, 128 of nibbles. */
export function unpackQ4K(bytes: Uint8Array, into: Packed): void {
  groupsOf32(bytes, into, { blockBytes: 144, fifthBits: false });
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles. */
export function unpackQ5K(bytes: Uint8Array, into: Packed): void {
  groupsOf32(bytes, into, { blockBytes: 176, fifthBits: true });
}

function groupsOf32(
  bytes: Uint8Array,
  { codes, steps, minima }: Packed,
  { blockBytes, fifthBits }: { readonly blockBytes: number; readonly fifthBits: boolean },
): void {
  for (let block = 0, at = 0; block < codes.length; block += SUPER_BLOCK, at += blockBytes) {
    const scale = half(bytes, at);
    const lowest = half(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      const [groupScale, groupMinimum] = scaleAndMinimum(bytes, at + 4, group);
      steps[block / 32 + group] = scale * groupScale;
      minima[block / 32 + group] = lowest * groupMinimum;
      const source = at + blockBytes - 128 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const fifth = fifthBits ? (bytes[at + 16 + i]! >> group) & 1 : 0;
        codes[block + group * 32 + i] = ((bytes[source + i]! >> shift) & 15) | (fifth << 4);
      }
    }
  }
}

/** Q6_K: 128 bytes of low nibbles, 64 of high pairs of bits, 16 signed scales, one half. */
export function unpackQ6K(bytes: Uint8Array, { codes, steps }: Packed): void {
  for (let block = 0, at = 0; block < codes.length; block += SUPER_BLOCK, at += 210) {
    const scale = half(bytes, at + 208);
    for (let run = 0; run < 8; run++) {
      // 4 runs of 32 share 64 bytes of nibbles (low ones first) and 32 bytes of high bits.
      const within = run & 3;
      const low = at + (run >> 2) * 64 + (within & 1) * 32;
      const high = at + 128 + (run >> 2) * 32;
      for (let half = 0; half < 2; half++) steps[block / 16 + run * 2 + half] = scale * ((bytes[at + 192 + run * 2 + half]! << 24) >> 24);
      for (let i = 0; i < 32; i++) {
        const number = ((bytes[low + i]! >> (within < 2 ? 0 : 4)) & 15) | (((bytes[high + i]! >> (within * 2)) & 3) << 4);
        codes[block + run * 32 + i] = number - 32;
      }
    }
  }
}
