// Writes GGUF files (version 3, little-endian): under a temporary name first, so that a cut run leaves no half file. Knows nothing of models.
import { UserError } from "../errors.ts";
import { tensorTypeNumber } from "./ggml-types.ts";
import { ARRAY_TYPE, guessType, scalarBytes, scalarTypeNumber } from "./gguf-metadata.ts";
import type { Metadata, MetadataScalar, MetadataType, MetadataTypes, MetadataValue, ScalarType } from "./gguf-metadata.ts";
import { elements } from "./gguf-read.ts";
import { quantise, type WritableType } from "./quantise.ts";
import { writeFileInPieces } from "./write-file.ts";

/** A tensor to write. `shape` is row-major; a function is called when its turn comes, so that one tensor at a time is in memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WritableType;
  readonly data: Float32Array | (() => Float32Array | Promise<Float32Array>);
}

/** A tensor that is already packed, of whatever type. */
export interface PackedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  readonly bytes: number;
  readonly packed: () => Promise<Uint8Array>;
}

export interface WriteGgufOptions {
  readonly path: string;
  readonly metadata: Metadata;
  /** Value types by key, where the guess of `guessType` would be wrong. */
  readonly metadataTypes?: MetadataTypes;
  readonly tensors: Iterable<TensorToWrite | PackedTensor>;
  readonly signal?: AbortSignal;
}

const ALIGNMENT = 32;
const VERSION = 3;

/**
 * Writes a GGUF file: metadata in the order given, tensors aligned to 32 bytes.
 * @throws {UserError} when a Q8_0 row is no multiple of 32 numbers.
 */
export async function writeGguf({ path, metadata, metadataTypes = {}, tensors, signal }: WriteGgufOptions): Promise<void> {
  const list = [...tensors];
  const sizes = list.map(packedBytes);
  // Another alignment in the metadata would move every tensor for its reader.
  const entries = Object.entries(metadata).filter(([key]) => key !== "general.alignment");
  const header = serialiseHeader({ entries, metadataTypes, tensors: list, sizes });
  await writeFileInPieces(path, async (append) => {
    await append(header);
    for (const [i, tensor] of list.entries()) {
      signal?.throwIfAborted();
      await append(padded(await packedData(tensor, sizes[i] ?? 0)));
    }
  });
}

function packedBytes(tensor: TensorToWrite | PackedTensor): number {
  if ("packed" in tensor) return tensor.bytes;
  const count = elements(tensor.shape);
  if (tensor.type === "F32") return count * 4;
  if (tensor.type === "F16") return count * 2;
  if ((tensor.shape.at(-1) ?? 1) % 32 !== 0) {
    throw new UserError(
      `Tensor ${tensor.name} has rows of ${tensor.shape.at(-1)} numbers, and Q8_0 takes multiples of 32. Write it as F16.`,
    );
  }
  return (count / 32) * 34;
}

async function packedData(tensor: TensorToWrite | PackedTensor, expected: number): Promise<Uint8Array> {
  const bytes = "packed" in tensor ? await tensor.packed() : quantise(await numbersOf(tensor), tensor.type);
  if (bytes.length !== expected)
    throw new Error(`tensor ${tensor.name} of shape [${tensor.shape.join(", ")}] takes ${expected} bytes, not ${bytes.length}`);
  return bytes;
}

async function numbersOf({ data }: TensorToWrite): Promise<Float32Array> {
  return typeof data === "function" ? await data() : data;
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % ALIGNMENT === 0) return bytes;
  const whole = new Uint8Array(aligned(bytes.length));
  whole.set(bytes);
  return whole;
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

interface Header {
  readonly entries: readonly (readonly [string, MetadataValue])[];
  readonly metadataTypes: MetadataTypes;
  readonly tensors: readonly (TensorToWrite | PackedTensor)[];
  readonly sizes: readonly number[];
}

function serialiseHeader({ entries, metadataTypes, tensors, sizes }: Header): Uint8Array {
  const out = createBytes();
  out.bytes(new TextEncoder().encode("GGUF"));
  out.scalar("uint32", VERSION);
  out.scalar("uint64", tensors.length);
  out.scalar("uint64", entries.length);
  for (const [key, value] of entries) {
    out.scalar("string", key);
    writeValue(out, (Object.hasOwn(metadataTypes, key) ? metadataTypes[key] : undefined) ?? guessType(key, value), value);
  }
  let offset = 0;
  for (const [i, tensor] of tensors.entries()) {
    const type = tensorTypeNumber(tensor.type);
    if (type === undefined)
      throw new UserError(`Tensor ${tensor.name} has the type ${tensor.type}, which cannot be written. Use F32, F16 or Q8_0.`);
    out.scalar("string", tensor.name);
    out.scalar("uint32", tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) out.scalar("uint64", size);
    out.scalar("uint32", type);
    out.scalar("uint64", offset);
    offset += aligned(sizes[i] ?? 0);
  }
  return padded(out.done());
}

function writeValue(out: ByteWriter, type: MetadataType, value: MetadataValue): void {
  if (typeof value !== "object") {
    out.scalar("uint32", scalarTypeNumber(type as ScalarType));
    out.scalar(type as ScalarType, value);
    return;
  }
  const item = type.slice(0, -2) as ScalarType;
  out.scalar("uint32", ARRAY_TYPE);
  out.scalar("uint32", scalarTypeNumber(item));
  out.scalar("uint64", value.length);
  for (const scalar of value) out.scalar(item, scalar);
}

/** How a value of each type is set in a view; text has a length of its own and is no part of it. */
const setters: { readonly [T in Exclude<ScalarType, "string">]: (view: DataView, at: number, value: MetadataScalar) => void } = {
  uint8: (view, at, value) => view.setUint8(at, Number(value)),
  int8: (view, at, value) => view.setInt8(at, Number(value)),
  uint16: (view, at, value) => view.setUint16(at, Number(value), true),
  int16: (view, at, value) => view.setInt16(at, Number(value), true),
  uint32: (view, at, value) => view.setUint32(at, Number(value), true),
  int32: (view, at, value) => view.setInt32(at, Number(value), true),
  float32: (view, at, value) => view.setFloat32(at, Number(value), true),
  bool: (view, at, value) => view.setUint8(at, value ? 1 : 0),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  float64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

interface ByteWriter {
  bytes(bytes: Uint8Array): void;
  scalar(type: ScalarType, value: MetadataScalar): void;
  done(): Uint8Array;
}

function createBytes(): ByteWriter {
  let buffer = new Uint8Array(2 ** 16);
  let at = 0;
  const encoder = new TextEncoder();
  const room = (count: number): number => {
    if (at + count > buffer.length) {
      const larger = new Uint8Array(Math.max(buffer.length * 2, at + count));
      larger.set(buffer);
      buffer = larger;
    }
    at += count;
    return at - count;
  };
  const bytes = (piece: Uint8Array): void => {
    const start = room(piece.length);
    buffer.set(piece, start);
  };
  const scalar = (type: ScalarType, value: MetadataScalar): void => {
    if (type !== "string") {
      const start = room(scalarBytes[type]);
      setters[type](new DataView(buffer.buffer), start, value);
      return;
    }
    const piece = encoder.encode(String(value));
    scalar("uint64", piece.length);
    bytes(piece);
  };
  return { bytes, scalar, done: () => buffer.subarray(0, at) };
}
