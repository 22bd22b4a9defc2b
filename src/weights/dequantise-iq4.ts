// The IQ4 formats of ggml (nibbles that name one of 16 unevenly spaced levels) to codes and steps. Layouts: ggml-common.h of llama.cpp.
import { halfValues } from "./half.ts";
import type { Packed } from "./packed.ts";

/** What a nibble stands for, before its scale (`kvalues_iq4nl`): levels dense near zero, where weights are. */
const levels = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** IQ4_NL: blocks of 32 under one half; the low nibbles are numbers 0 to 15, the high ones 16 to 31. */
export function unpackIQ4NL(bytes: Uint8Array, { codes, steps }: Packed): void {
  const halves = halfValues();
  for (let block = 0, at = 0; block < codes.length; block += 32, at += 18) {
    steps[block / 32] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i]!;
      codes[block + i] = levels[pair & 15]!;
      codes[block + i + 16] = levels[pair >> 4]!;
    }
  }
}

/** IQ4_XS: super-blocks of 256 under one half; 8 groups with 6-bit scales (high pairs of bits, then low nibbles), then their nibbles. */
export function unpackIQ4XS(bytes: Uint8Array, { codes, steps }: Packed): void {
  const halves = halfValues();
  for (let block = 0, at = 0; block < codes.length; block += 256, at += 136) {
    const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const highBits = bytes[at + 2]! | (bytes[at + 3]! << 8);
    for (let group = 0; group < 8; group++) {
      const low = (bytes[at + 4 + (group >> 1)]! >> ((group & 1) * 4)) & 15;
      const high = (highBits >> (group * 2)) & 3;
      const source = at + 8 + group * 16;
      const target = block + group * 32;
      steps[target / 32] = scale * ((low | (high << 4)) - 32);
      for (let i = 0; i < 16; i++) {
        const pair = bytes[source + i]!;
        codes[target + i] = levels[pair & 15]!;
        codes[target + i + 16] = levels[pair >> 4]!;
      }
    }
  }
}
