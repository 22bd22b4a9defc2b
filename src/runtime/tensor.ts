// What goes into a session and what comes out: typed arrays with a shape. Knows nothing of ONNX Runtime or workers.

/** The typed array of each tensor type; booleans are bytes of 0 or 1. */
export interface TensorData {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly bool: Uint8Array;
}

export type TensorType = keyof TensorData;

/** Row-major numbers; `data.length` is the product of `dims`. */
export type Tensor = {
  [T in TensorType]: { readonly type: T; readonly data: TensorData[T]; readonly dims: readonly number[] };
}[TensorType];

export type Tensors = { readonly [name: string]: Tensor };

/** A float32 tensor. */
export function float32(data: Float32Array, dims: readonly number[]): Tensor {
  return { type: "float32", data, dims };
}

/** An int64 tensor of numbers that are whole. */
export function int64(values: ArrayLike<number>, dims: readonly number[]): Tensor {
  return { type: "int64", data: BigInt64Array.from(values, BigInt), dims };
}

/** A float32 tensor without dimensions: one number. */
export function scalar(value: number): Tensor {
  return { type: "float32", data: Float32Array.of(value), dims: [] };
}

/** The data of a float32 tensor called `name`. @throws if it is missing or of another type: a bug of the caller. */
export function float32Data(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor?.type !== "float32") throw new Error(`Expected a float32 tensor "${name}", found ${tensor?.type ?? "none"}.`);
  return tensor.data;
}
