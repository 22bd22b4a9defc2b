// Reads and writes safetensors files: 8 bytes of length, a JSON header, then the numbers. Knows nothing of models.
import { z } from "zod";
import { UserError } from "../errors.ts";
import { quoted } from "../util/quoted.ts";
import { dequantiser } from "./dequantise.ts";
import { elements } from "./gguf-read.ts";
import { overlap } from "./overlap.ts";
import { quantise } from "./quantise.ts";
import { withFile } from "./read-file.ts";
import { writeFileInPieces } from "./write-file.ts";

export interface SafetensorsTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  /** From the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: { readonly [key: string]: string };
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

export interface WriteSafetensorsOptions {
  readonly path: string;
  readonly metadata?: { readonly [key: string]: string };
  readonly tensors: Iterable<{
    readonly name: string;
    readonly shape: readonly number[];
    readonly type: "F32" | "F16";
    readonly data: Float32Array;
  }>;
}

/** The format's own limit. */
const LARGEST_HEADER = 100_000_000;
const elementBytes: { readonly [type: string]: number } = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

const count = z.number().int().nonnegative();
const entrySchema = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

/** Writes the tensors in the order given, the numbers aligned to 8 bytes (github.com/huggingface/safetensors, "Format"). */
export async function writeSafetensors({ path, metadata, tensors }: WriteSafetensorsOptions): Promise<void> {
  const list = [...tensors];
  const header: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  let offset = 0;
  for (const { name, shape, type, data } of list) {
    if (data.length !== elements(shape)) throw new Error(`tensor ${name} of shape [${shape.join(", ")}] has ${data.length} numbers`);
    const end = offset + data.length * (elementBytes[type] ?? 0);
    header.push([name, { dtype: type, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - 8), true);
  start.set(json, 8);
  await writeFileInPieces(path, async (append) => {
    await append(start);
    for (const { data, type } of list) await append(quantise(data, type));
  });
}

/**
 * The header of a safetensors file, checked against its size.
 * @throws {UserError} when the file is missing, cut short or lies about its tensors.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return await withFile(path, async ({ size, read }) => {
    if (size < 8) throw broken(path, `it has ${size} bytes`);
    const length = Number(new DataView((await read(0, 8)).buffer).getBigUint64(0, true));
    if (length > size - 8 || length > LARGEST_HEADER) throw broken(path, `it claims a header of ${length} bytes and has ${size} in all`);
    const { __metadata__: metadata, ...entries } = parseHeader(path, await read(8, length));
    const tensors = Object.entries(entries).map(([name, entry]) => placed({ path, name, entry, start: 8 + length, fileBytes: size }));
    const twice = overlap(tensors);
    if (twice) throw broken(path, `the tensors ${quoted(twice[0].name)} and ${quoted(twice[1].name)} stand in the same place`);
    return {
      path,
      metadata: metadataSchema.safeParse(metadata).data ?? {},
      tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    };
  });
}

/**
 * A tensor as 32-bit floats, row-major.
 * @throws {UserError} when there is none of that name, or its type is none of F32, F16 and BF16.
 */
export async function readSafetensor({ path, tensors }: SafetensorsFile, name: string): Promise<Float32Array> {
  const tensor = tensors.get(name);
  if (!tensor) throw new UserError(`No tensor ${quoted(name)} in ${path} (it holds ${tensors.size}). Check that it belongs to this model.`);
  const unpack = ["F32", "F16", "BF16"].includes(tensor.type) ? dequantiser(tensor.type) : undefined;
  if (!unpack)
    throw new UserError(
      `Tensor ${quoted(name)} of ${path} is stored as ${quoted(tensor.type)}, which cannot be read as numbers. Save it as F32, F16 or BF16.`,
    );
  return unpack(await withFile(path, ({ read }) => read(tensor.offset, tensor.bytes)), elements(tensor.shape));
}

function parseHeader(path: string, bytes: Uint8Array): { readonly [name: string]: unknown } {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw broken(path, "its header is no JSON object", cause);
  }
}

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly entry: unknown;
  readonly start: number;
  readonly fileBytes: number;
}

function placed({ path, name, entry, start, fileBytes }: Entry): SafetensorsTensor {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) throw broken(path, `the entry of tensor ${quoted(name)} is malformed`);
  const {
    dtype: type,
    shape,
    data_offsets: [from, to],
  } = parsed.data;
  const size = elementBytes[type];
  const fits = to >= from && start + to <= fileBytes && (size === undefined || to - from === elements(shape) * size);
  if (!fits) {
    const claim = `${quoted(type)} [${shape.slice(0, 4).join(", ")}${shape.length > 4 ? ", ..." : ""}]`;
    throw broken(path, `tensor ${quoted(name)} (${claim}) claims bytes ${from} to ${to}`);
  }
  return { name, shape, type, offset: start + from, bytes: to - from };
}

function broken(path: string, what: string, cause?: unknown): UserError {
  return new UserError(`${path} is no usable safetensors file: ${what}. Fetch or export it again.`, { cause });
}
