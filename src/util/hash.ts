// SHA-256 of text, bytes, files and plain values: what everything that is cached or kept is named by.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** SHA-256 as 64 hexadecimal digits; text is hashed as UTF-8. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** SHA-256 of a file, read in pieces. Throws what the file system throws. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** SHA-256 of pieces one after another; others get their turn between every few megabytes. */
export async function sha256Pieces(pieces: Iterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
    if (bytes < 2 ** 22) continue;
    bytes = 0;
    await setImmediate();
  }
  return hash.digest("hex");
}

/** SHA-256 of a value's {@link canonicalJson}: equal for equal values, whatever the order of their keys. */
export function contentKey(value: unknown): string {
  return sha256(canonicalJson(value));
}

/**
 * JSON with sorted keys and undefined fields dropped. Throws TypeError for what JSON would silently lose or confuse: maps, sets,
 * class instances, functions, NaN and infinities.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value ?? null, (key, field: unknown) => {
    if (typeof field === "number" && !Number.isFinite(field)) throw new TypeError(`${field} in "${key}" has no JSON form`);
    if (typeof field === "function" || typeof field === "symbol") throw new TypeError(`A ${typeof field} in "${key}" has no JSON form`);
    if (typeof field !== "object" || field === null || Array.isArray(field)) return field;
    const prototype: unknown = Object.getPrototypeOf(field);
    if (prototype !== Object.prototype && prototype !== null) throw new TypeError(`"${key}" is no plain object and has no JSON form`);
    return Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
