// A quantised weight in an ONNX file: stored as whole numbers of 8 bits, made whole again where it is read.

import type { Emitter } from "./lower.ts";
import type { Value, ValueType } from "./ir.ts";

/** Little endian, of the tensor's type, offset in bytes. */
export interface FileStretch {
  readonly file: string;
  readonly offset: number;
}

/** A float32 weight [rows, columns] as `code * step - minimum`, with one step and minimum for each block of a row. */
export interface PackedSource {
  readonly block: number;
  readonly codes: FileStretch;
  readonly steps: FileStretch;
  readonly minima?: FileStretch;
}

/** A tensor of the ONNX file whose numbers are elsewhere. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ValueType;
  readonly dims: readonly number[];
  readonly at: FileStretch;
}

export interface PackedWeightOptions extends PackedSource {
  readonly value: Value;
  readonly name: string;
  /** Puts a tensor into the file, once for each name, and returns that. */
  readonly store: (tensor: StoredTensor) => string;
}

/**
 * The name of the whole weight: computed anew for every reader, so that nobody holds it for another, and at the head of the file, or
 * every matrix of the model would be whole before the first product.
 */
export function wholeWeight({ emit, integers }: Emitter, { block, codes, steps, minima, value, name, store }: PackedWeightOptions): string {
  const first = true;
  const [rows = 1, columns = 1] = value.shape.map(Number);
  const blocks = (rows * columns) / block;
  const bytes = store({ name: `${name}.codes`, type: "int8", dims: [blocks, block], at: codes });
  const scales = store({ name: `${name}.steps`, type: "float32", dims: [blocks], at: steps });
  // A row of its own for each block: by DequantizeLinear's blocks the same takes four times as long, by Cast and Mul three times.
  const scaled = emit("DequantizeLinear", [bytes, scales], { attributes: { axis: 0 }, first });
  const lowered = (at: FileStretch) =>
    emit("Sub", [scaled, store({ name: `${name}.minima`, type: "float32", dims: [blocks, 1], at })], { first });
  return emit("Reshape", [minima === undefined ? scaled : lowered(minima), integers([rows, columns])], { first });
}
