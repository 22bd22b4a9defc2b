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

/** How a weight's numbers come to those who read them. */
export interface PackedWeight {
  /** The name of all of it. Computed anew for every reader, so that nobody holds it for another. */
  readonly whole: () => string;
  /** Some of its rows: `indices` names them. */
  readonly rows: (indices: string, yields: readonly Value[]) => void;
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

/** TensorProto.DataType. */
const FLOAT = 1;

/** The parts are stored as they are read: in two shapes where rows are picked too, over the same bytes. */
export function packedWeight({ emit, integers, sizes }: Emitter, options: PackedWeightOptions): PackedWeight {
  const { block, codes, steps, minima, value, name, store } = options;
  const [rows = 1, columns = 1] = value.shape.map(Number);
  const blocks = (rows * columns) / block;
  return {
    whole() {
      // Otherwise every matrix of the model would be whole before the first product.
      const first = true;
      const bytes = store({ name: `${name}.codes`, type: "int8", dims: [blocks, block], at: codes });
      const scales = store({ name: `${name}.steps`, type: "float32", dims: [blocks], at: steps });
      // A row of its own for each block: by DequantizeLinear's blocks the same takes four times as long, by Cast and Mul three times.
      const scaled = emit("DequantizeLinear", [bytes, scales], { attributes: { axis: 0 }, first });
      const numbers =
        minima === undefined
          ? scaled
          : emit("Sub", [scaled, store({ name: `${name}.minima`, type: "float32", dims: [blocks, 1], at: minima })], { first });
      return emit("Reshape", [numbers, integers([rows, columns])], { first });
    },
    rows(indices, yields) {
      const [output] = yields as readonly [Value];
      const picked = (
        part: string,
        { at, type, width }: { readonly at: FileStretch; readonly type: ValueType; readonly width: number },
      ) => {
        const stored = store({ name: `${name}.rows.${part}`, type, dims: [rows, columns / block, width], at });
        return emit("Gather", [stored, indices], { attributes: { axis: 0 } });
      };
      const numbers = emit("Cast", [picked("codes", { at: codes, type: "int8", width: block })], { attributes: { to: FLOAT } });
      const scaled = emit("Mul", [numbers, picked("steps", { at: steps, type: "float32", width: 1 })]);
      const moved = minima === undefined ? scaled : emit("Sub", [scaled, picked("minima", { at: minima, type: "float32", width: 1 })]);
      emit("Reshape", [moved, sizes(output.shape)], { yields });
    },
  };
}
