// 16-bit floats: IEEE half and bfloat16 to 32 bits and back. Knows no file format.

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

let halfTable: Float32Array | undefined;

/** All 65,536 half-precision values by their bits; built on first use. Every dequantiser looks its scales up here. */
export function halfValues(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65_536 }, (_, half) => decodeHalf(half));
  return halfTable;
}

function decodeHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the half-precision number nearest to `number`, ties to even (IEEE 754); too large becomes infinity. */
export function toHalf(number: number): number {
  value[0] = number;
  const word = bits[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(value[0]) * 2 ** 24);
  const kept = magnitude - 0x38000000;
  return sign | ((kept + 0xfff + ((kept >>> 13) & 1)) >>> 13);
}

function roundToEven(number: number): number {
  const floor = Math.floor(number);
  const rest = number - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Half-precision bits to numbers. */
export function fromHalves(halves: Uint16Array): Float32Array {
  const table = halfValues();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]!]!;
  return out;
}

/** Numbers to half-precision bits. */
export function toHalves(numbers: Float32Array): Uint16Array {
  const out = new Uint16Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) out[i] = toHalf(numbers[i]!);
  return out;
}

/** bfloat16 bits (the upper half of a 32-bit float) to numbers. */
export function fromBfloats(bfloats: Uint16Array): Float32Array {
  const words = new Uint32Array(bfloats.length);
  for (let i = 0; i < bfloats.length; i++) words[i] = bfloats[i]! << 16;
  return new Float32Array(words.buffer);
}
