// Durations and sizes as people write them: 2s, 500ms, 4GB.

const seconds: { readonly [unit: string]: number } = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };
const bytes: { readonly [unit: string]: number } = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Seconds; a bare number is seconds. Undefined for what is no duration above 0. */
export function parseDuration(text: string | number): number | undefined {
  return parseQuantity(text, seconds, "s");
}

/** Bytes; a bare number is bytes. Undefined for what is no size above 0. */
export function parseSize(text: string | number): number | undefined {
  return parseQuantity(text, bytes, "B");
}

function parseQuantity(text: string | number, units: { readonly [unit: string]: number }, bare: string): number | undefined {
  const [, number = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(String(text)) ?? [];
  const factor = Object.hasOwn(units, unit || bare) ? units[unit || bare] : undefined;
  const value = factor === undefined ? 0 : Number(number) * factor;
  return value > 0 ? value : undefined;
}
