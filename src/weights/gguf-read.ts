// Reads a GGUF file: header and tensor table checked against the file's size, tensors on demand. Knows nothing of models.
import { setImmediate } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { quoted } from "../util/quoted.ts";
import { dequantiser, packingOf, readableTypes, unpacked } from "./dequantise.ts";
import { tensorType } from "./ggml-types.ts";
import { broken, createCursor, type Cursor, windowTooSmall } from "./gguf-cursor.ts";
import { ARRAY_TYPE, scalarType } from "./gguf-metadata.ts";
import type { Metadata, MetadataScalar, MetadataType, MetadataTypes, MetadataValue, ScalarType } from "./gguf-metadata.ts";
import { overlap } from "./overlap.ts";
import { blankPacked, type Packed, type Packing } from "./packed.ts";
import { withFile } from "./read-file.ts";

/** A tensor in a file. `shape` is row-major: [out, in] for a linear layer. `offset` counts from the start of the file. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufFile {
  readonly path: string;
  readonly metadata: Metadata;
  /** The type under which each value stood in the file, so that it can be written again unchanged. */
  readonly metadataTypes: MetadataTypes;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const FIRST_WINDOW = 2 ** 22;
const LARGEST_HEADER = 2 ** 28;
const MAX_DIMENSIONS = 4;
/** Two lengths, a type number, a dimension and an offset: no tensor takes less in the table. */
const LEAST_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;
/** A key's length, a type number and one byte. */
const LEAST_ENTRY_BYTES = 8 + 4 + 1;
const DEFAULT_ALIGNMENT = 32;
/** Numbers unpacked at once: whole blocks of every type. */
const PIECE = 2 ** 20;

/**
 * The header of a GGUF file (version 2 or 3, little-endian; the specification is docs/gguf.md of ggml). Reads no tensor data.
 * @throws {UserError} when the file is missing, cut short, or claims sizes, counts or offsets that it cannot hold.
 */
export async function readGguf(path: string): Promise<GgufFile> {
  return await withFile(path, async ({ size, read }) => {
    for (let window = Math.min(size, FIRST_WINDOW); ; window = Math.min(size, LARGEST_HEADER, window * 2)) {
      const bytes = await read(0, window);
      try {
        return parse(path, bytes, size);
      } catch (error) {
        if (error !== windowTooSmall) throw error;
        if (window >= LARGEST_HEADER) throw broken(path, `its header is longer than ${LARGEST_HEADER / 2 ** 20} MiB`);
      }
    }
  });
}

/**
 * A tensor as 32-bit floats, row-major.
 * @throws {UserError} when the file holds no such tensor, or holds it in a type that cannot be read.
 */
export async function readTensor(file: GgufFile, name: string): Promise<Float32Array> {
  const tensor = tensorNamed(file, name);
  const unpack = dequantiser(tensor.type);
  if (!unpack) {
    throw new UserError(
      `Tensor ${quoted(name)} of ${file.path} is stored as ${tensor.type}, which cannot be read as numbers. Use a file in one of ${readableTypes.join(", ")}.`,
    );
  }
  const total = elements(tensor.shape);
  if (total <= PIECE) return unpack(await readTensorBytes(file, name), total);
  const numbers = new Float32Array(total);
  for await (const { bytes, start, count } of pieces(file, tensor)) numbers.set(unpack(bytes, count), start);
  return numbers;
}

/** How a tensor is quantised; undefined where it is not, or is of a type that cannot be read. */
export function tensorPacking(file: GgufFile, name: string): Packing | undefined {
  return packingOf(tensorNamed(file, name).type);
}

/** A quantised tensor as codes, steps and minima: exactly the numbers of `readTensor`, in a quarter of the room. */
export async function readPackedTensor(file: GgufFile, name: string): Promise<Packed> {
  const tensor = tensorNamed(file, name);
  const packing = packingOf(tensor.type);
  if (packing === undefined) throw new Error(`Tensor ${quoted(name)} is stored as ${tensor.type}, not quantised.`);
  const packed = blankPacked(elements(tensor.shape), packing);
  for await (const { bytes, start, count } of pieces(file, tensor)) {
    const { codes, steps, minima } = unpacked(packing, bytes, count);
    packed.codes.set(codes, start);
    packed.steps.set(steps, start / packing.block);
    if (packing.minima) packed.minima.set(minima, start / packing.block);
  }
  return packed;
}

/** A tensor's bytes a million numbers at a time: a vocabulary's table takes a tenth of a second, and others get their turn in between. */
async function* pieces(file: GgufFile, { name, shape }: GgufTensor) {
  const bytes = await readTensorBytes(file, name);
  const total = elements(shape);
  // Blocks hold powers of two, so that this is exact.
  const bytesEach = bytes.length / total;
  for (let start = 0; start < total; start += PIECE) {
    const end = Math.min(start + PIECE, total);
    if (total > PIECE) await setImmediate();
    yield { bytes: bytes.subarray(start * bytesEach, end * bytesEach), start, count: end - start };
  }
}

/** A tensor's bytes as they stand in the file. */
export async function readTensorBytes(file: GgufFile, name: string): Promise<Uint8Array> {
  const tensor = tensorNamed(file, name);
  return await withFile(file.path, ({ read }) => read(tensor.offset, tensor.bytes));
}

/** How many numbers a shape holds. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function tensorNamed(file: GgufFile, name: string): GgufTensor {
  const tensor = file.tensors.get(name);
  if (!tensor)
    throw new UserError(
      `No tensor ${quoted(name)} in ${file.path} (it holds ${file.tensors.size}). Use a file of the architecture that was asked for.`,
    );
  return tensor;
}

function parse(path: string, bytes: Uint8Array, fileBytes: number): GgufFile {
  const cursor = createCursor(path, bytes, fileBytes);
  const { tensorCount, entryCount } = readPreamble(path, cursor);
  const metadata = new Map<string, MetadataValue>();
  const metadataTypes = new Map<string, MetadataType>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.text();
    if (key === "" || key.includes("\0")) throw broken(path, `the metadata value ${i + 1} has the name ${quoted(key)}`);
    if (metadata.has(key)) throw broken(path, `the metadata key ${quoted(key)} stands twice`);
    const [type, value] = readValue(path, cursor, key);
    metadata.set(key, value);
    metadataTypes.set(key, type);
  }
  const infos = Array.from({ length: tensorCount }, () => readTensorInfo(path, cursor));
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !Number.isInteger(alignment) || alignment < 1) {
    throw broken(path, `general.alignment is ${quoted(String(alignment))}`);
  }
  const start = Math.ceil(cursor.position() / alignment) * alignment;
  return {
    path,
    metadata: Object.fromEntries(metadata),
    metadataTypes: Object.fromEntries(metadataTypes),
    tensors: placeTensors({ path, infos, start, alignment, fileBytes }),
  };
}

function readPreamble(path: string, cursor: Cursor): { readonly tensorCount: number; readonly entryCount: number } {
  const magic = Number(cursor.scalar("uint32"));
  if (magic !== 0x46554747) throw broken(path, `it does not begin with "GGUF"`);
  const version = Number(cursor.scalar("uint32"));
  if (version !== 2 && version !== 3) throw broken(path, `its version is ${version}, and only little-endian versions 2 and 3 can be read`);
  const tensorCount = cursor.size();
  const entryCount = cursor.size();
  if (tensorCount * LEAST_TENSOR_BYTES + entryCount * LEAST_ENTRY_BYTES > cursor.left()) {
    throw broken(
      path,
      `it claims ${tensorCount} tensors and ${entryCount} metadata entries, more than its ${cursor.left()} bytes can hold`,
    );
  }
  return { tensorCount, entryCount };
}

function readValue(path: string, cursor: Cursor, key: string): readonly [MetadataType, MetadataValue] {
  const number = Number(cursor.scalar("uint32"));
  if (number !== ARRAY_TYPE) {
    const type = knownType(path, key, number);
    return [type, cursor.scalar(type)];
  }
  const itemNumber = Number(cursor.scalar("uint32"));
  if (itemNumber === ARRAY_TYPE) throw broken(path, `the metadata value ${quoted(key)} is an array of arrays, which no model has`);
  const type = knownType(path, key, itemNumber);
  const length = cursor.arrayLength(key, type);
  const items: MetadataScalar[] = [];
  for (let i = 0; i < length; i++) items.push(cursor.scalar(type));
  return [`${type}[]`, items];
}

function knownType(path: string, key: string, number: number): ScalarType {
  const type = scalarType(number);
  if (!type) throw broken(path, `the metadata value ${quoted(key)} has the unknown type ${number}`);
  return type;
}

interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly typeNumber: number;
  readonly offset: number;
}

function readTensorInfo(path: string, cursor: Cursor): TensorInfo {
  const name = cursor.text();
  const dimensions = Number(cursor.scalar("uint32"));
  if (dimensions > MAX_DIMENSIONS) throw broken(path, `tensor ${quoted(name)} claims ${dimensions} dimensions (at most ${MAX_DIMENSIONS})`);
  // The file lists the fastest-running dimension first.
  const shape = Array.from({ length: dimensions }, () => cursor.size()).reverse();
  if (shape.includes(0)) throw broken(path, `tensor ${quoted(name)} claims the shape [${shape.join(", ")}], which is empty`);
  return { name, shape, typeNumber: Number(cursor.scalar("uint32")), offset: cursor.size() };
}

interface Placement {
  readonly path: string;
  readonly infos: readonly TensorInfo[];
  readonly start: number;
  readonly alignment: number;
  readonly fileBytes: number;
}

function placeTensors({ path, infos, start, alignment, fileBytes }: Placement): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  const starts = infos.map((info) => info.offset).sort((a, b) => a - b);
  const nextStart = new Map(starts.map((offset, i) => [offset, starts[i + 1] ?? fileBytes - start]));
  for (const info of infos) {
    if (tensors.has(info.name)) throw broken(path, `tensor ${quoted(info.name)} stands twice`);
    const type = tensorType(info.typeNumber);
    // The size of a type that is unknown here can only be told by where the next tensor begins.
    const bytes = type ? sizeOf(path, info, type) : Math.max(0, (nextStart.get(info.offset) ?? info.offset) - info.offset);
    const offset = start + info.offset;
    if (info.offset % alignment !== 0 || offset + bytes > fileBytes) {
      throw broken(path, `tensor ${quoted(info.name)} claims bytes ${offset} to ${offset + bytes} of a file of ${fileBytes} bytes`);
    }
    tensors.set(info.name, { name: info.name, shape: info.shape, type: type?.name ?? `type ${info.typeNumber}`, offset, bytes });
  }
  const twice = overlap(tensors.values());
  if (twice) throw broken(path, `the tensors ${quoted(twice[0].name)} and ${quoted(twice[1].name)} stand in the same place`);
  return tensors;
}

function sizeOf(path: string, info: TensorInfo, type: { readonly elements: number; readonly bytes: number }): number {
  const count = elements(info.shape);
  const row = info.shape.at(-1) ?? 1;
  if (!Number.isSafeInteger(count) || row % type.elements !== 0) {
    throw broken(path, `tensor ${quoted(info.name)} claims the shape [${info.shape.join(", ")}], which its type cannot hold`);
  }
  return (count / type.elements) * type.bytes;
}
