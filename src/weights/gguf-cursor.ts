// Steps through the header of a GGUF file value by value, and refuses lengths that the file cannot hold. Knows no structure beyond values.
import { UserError } from "../errors.ts";
import { quoted } from "../util/quoted.ts";
import { scalarBytes, type MetadataScalar, type ScalarType } from "./gguf-metadata.ts";

export interface Cursor {
  position(): number;
  /** Bytes of the file that were not read yet, inside the window or not. */
  left(): number;
  scalar(type: ScalarType): MetadataScalar;
  /** An unsigned 64-bit length or count. */
  size(): number;
  /** How many items the array named `key` has: no more than the file, and all arrays together, can hold. */
  arrayLength(key: string, type: ScalarType): number;
  text(): string;
}

/** Thrown when the header goes on after the bytes read so far, within the file. */
export const windowTooSmall = new Error("window too small");

/** Items of all arrays together: several times what the largest vocabulary with its scores, types and merges takes. */
const MAX_ITEMS = 2 ** 24;

/**
 * A cursor over `bytes`, the start of a file of `fileBytes`.
 * @throws {UserError} when a value goes on beyond the file, and {@link windowTooSmall} when beyond `bytes` alone.
 */
export function createCursor(path: string, bytes: Uint8Array, fileBytes: number): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A token may begin with a byte-order mark, which the decoder would drop.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let at = 0;
  let items = 0;
  const take = (count: number): number => {
    if (at + count > fileBytes)
      throw broken(path, `it ends at byte ${fileBytes}, inside its header, which goes on to byte ${at + count} at least`);
    if (at + count > bytes.length) throw windowTooSmall;
    at += count;
    return at - count;
  };
  const size = (): number => Number(view.getBigUint64(take(8), true));
  const text = (): string => {
    const length = size();
    const start = take(length);
    return decoder.decode(bytes.subarray(start, start + length));
  };
  const arrayLength = (key: string, type: ScalarType): number => {
    const length = size();
    items += length;
    if (items <= MAX_ITEMS && length * scalarBytes[type] <= fileBytes - at) return length;
    const limits = `the rest of the file (${fileBytes - at} bytes) holds, or than ${MAX_ITEMS} in all arrays`;
    throw broken(path, `${quoted(key)} claims ${length} items, more than ${limits}`);
  };
  const scalar = (type: ScalarType): MetadataScalar => (type === "string" ? text() : getters[type](view, take(scalarBytes[type])));
  return { position: () => at, left: () => fileBytes - at, scalar, size, arrayLength, text };
}

/** How a value of each type is read from a view; text has a length of its own and is no part of it. */
const getters: { readonly [T in Exclude<ScalarType, "string">]: (view: DataView, at: number) => MetadataScalar } = {
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint16: (view, at) => view.getUint16(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int32: (view, at) => view.getInt32(at, true),
  float32: (view, at) => view.getFloat32(at, true),
  bool: (view, at) => view.getUint8(at) !== 0,
  uint64: (view, at) => narrowed(view.getBigUint64(at, true)),
  int64: (view, at) => narrowed(view.getBigInt64(at, true)),
  float64: (view, at) => view.getFloat64(at, true),
};

function narrowed(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** What a file that cannot be read is refused with. */
export function broken(path: string, what: string): UserError {
  return new UserError(`${path} is no usable GGUF file: ${what}. Fetch or export it again.`);
}
