// Frozen weights as one flat file that ONNX Runtime maps into memory: quantised ones as codes, others as float32. Knows where each stands.

import { open } from "node:fs/promises";
import { writeError } from "../errors.ts";
import type { WeightSource } from "../graph/onnx.ts";
import type { Int8Weight } from "../graph/quantise.ts";
import { elementCount, type Parameter } from "../nn/parameters.ts";
import { commonPacking, type Packed, packedNumbers, type Packing, repack } from "../weights/packed.ts";
import { int8Matrix } from "./int8-weight.ts";

/** Reads a GGUF tensor as float32. */
export type ReadWeights = (tensor: string) => Promise<Float32Array>;

/** Reads GGUF tensors that are quantised as they are. */
export interface PackedWeights {
  /** Undefined for a tensor that is not quantised. */
  packing(tensor: string): Packing | undefined;
  read(tensor: string): Promise<Packed>;
  /** Whether training holds what it makes of them as float32, in the layouts that products read fastest, or makes it anew each time. */
  readonly heldWhole: boolean;
}

// Starts of what stands in the file fall on cache lines.
const ALIGNMENT = 64;

type Int8Weights = ReadonlyMap<string, Int8Weight>;
/** How parameters that stay quantised are held, by their names. */
export type Packings = ReadonlyMap<string, Packing>;

export interface LayoutOptions {
  readonly parameters: readonly Parameter[];
  readonly packings?: Packings | undefined;
  /** Matrices that are also wanted as bytes, by the names of these. */
  readonly int8?: Int8Weights;
}

/**
 * Parameters of layers all of whose tensors are quantised: these stay so. Tables do not, for they are read whole by every step, forward
 * and back, and again where losses are measured: mapped once they take less than what would be made of them.
 */
export function packingsOf(parameters: readonly Parameter[], packed: PackedWeights | undefined): Packings {
  const packings = new Map<string, Packing>();
  for (const { name, parts, layer } of parameters) {
    if (layer === undefined) continue;
    const found = parts.flatMap(({ tensor }) => packed?.packing(tensor) ?? []);
    if (found.length === parts.length) packings.set(name, commonPacking(found));
  }
  return packings;
}

/**
 * Where everything stands in the file, in bytes by name: the parameters one after another (packed ones as `<name>.codes`, `.steps` and
 * `.minima`), each followed by its forms as bytes with their scales (`<name>.scales`).
 */
export function weightsLayout({ parameters, packings, int8 = new Map() }: LayoutOptions): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let end = 0;
  const place = (name: string, bytes: number): void => {
    const start = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    offsets.set(name, start);
    end = start + bytes;
  };
  for (const parameter of parameters) {
    const count = elementCount(parameter);
    const packing = packings?.get(parameter.name);
    if (packing === undefined) place(parameter.name, 4 * count);
    else {
      place(`${parameter.name}.codes`, count);
      place(`${parameter.name}.steps`, (4 * count) / packing.block);
      if (packing.minima) place(`${parameter.name}.minima`, (4 * count) / packing.block);
    }
    const [outputs = 0, inputs = 0] = parameter.shape;
    for (const [name, { of, contracts }] of int8) {
      if (of !== parameter.name) continue;
      place(name, count);
      place(`${name}.scales`, 4 * (contracts === "inputs" ? outputs : inputs));
    }
  }
  return offsets;
}

/** Where a graph finds the weight of a name in the file. */
export function weightSource(file: string, options: LayoutOptions): (name: string) => WeightSource {
  const offsets = weightsLayout(options);
  const at = (name: string) => {
    const offset = offsets.get(name);
    if (offset === undefined) throw new Error(`"${name}" is no weight of this run.`);
    return { file, offset };
  };
  return (name) => {
    const packing = options.packings?.get(name);
    if (packing === undefined) return at(name);
    const { block, minima } = packing;
    return { block, codes: at(`${name}.codes`), steps: at(`${name}.steps`), ...(minima && { minima: at(`${name}.minima`) }) };
  };
}

export interface WeightsFileOptions extends LayoutOptions {
  readonly path: string;
  readonly read: ReadWeights;
  readonly packed?: PackedWeights | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes the parameters, each stacked from its parts, and their forms as bytes. */
export async function writeWeightsFile(options: WeightsFileOptions): Promise<void> {
  const { path, signal } = options;
  const offsets = weightsLayout(options);
  const file = await open(path, "w");
  // One stretch is written while the next is made: each takes about as long.
  let writing = Promise.resolve();
  try {
    const write = async (name: string, pieces: readonly (Float32Array | Int8Array)[]): Promise<void> => {
      let position = offsets.get(name)!;
      for (const { buffer, byteOffset, byteLength } of pieces) {
        signal?.throwIfAborted();
        await file.write(new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength, position);
        position += byteLength;
      }
    };
    for (const parameter of options.parameters) {
      for await (const [name, pieces] of contents(parameter, options)) {
        await writing;
        writing = write(name, pieces);
        // Told by whoever waits for it.
        writing.catch(() => {});
      }
    }
    await writing;
  } catch (error) {
    throw writeError(error, path, "Make room there for 4 bytes a weight of the model, or choose another folder for temporary files.");
  } finally {
    await writing.catch(() => {});
    await file.close();
  }
}

/** What stands in the file for a parameter: names, and the pieces that follow one another there. */
async function* contents(parameter: Parameter, { read, packed, packings, int8 = new Map<string, Int8Weight>() }: WeightsFileOptions) {
  const { name: of, parts, shape } = parameter;
  const packing = packings?.get(of);
  let numbers: readonly Float32Array[];
  if (packing === undefined || packed === undefined) {
    numbers = await readParts(parameter, read);
    yield [of, numbers] as const;
  } else {
    const held: Packed[] = [];
    for (const { tensor } of parts) held.push(repack(await packed.read(tensor), packing));
    checkCount(
      parameter,
      held.map(({ codes }) => codes),
    );
    for (const part of ["codes", "steps", "minima"] as const)
      if (part !== "minima" || packing.minima) yield [`${of}.${part}`, held.map((one) => one[part])] as const;
    numbers = [...int8.values()].some((form) => form.of === of) ? held.map(packedNumbers) : [];
  }
  for (const [name, form] of int8) {
    if (form.of !== of) continue;
    const { bytes, scales } = int8Matrix(joined(numbers), shape, form.contracts);
    yield [name, [bytes]] as const;
    yield [`${name}.scales`, [scales]] as const;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The numbers of a parameter's parts. @throws if they are not as many as its shape says. */
export async function readParts(parameter: Parameter, read: ReadWeights): Promise<readonly Float32Array[]> {
  const parts: Float32Array[] = [];
  for (const { tensor } of parameter.parts) parts.push(await read(tensor));
  checkCount(parameter, parts);
  return parts;
}

function checkCount(parameter: Parameter, parts: readonly (Float32Array | Int8Array)[]): void {
  const count = parts.reduce((sum, { length }) => sum + length, 0);
  if (count !== elementCount(parameter))
    throw new Error(`${parameter.name} has ${count} numbers, its shape [${parameter.shape.join(", ")}] wants ${elementCount(parameter)}.`);
}
