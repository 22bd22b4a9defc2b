// The value types of GGUF metadata: how each is named, sized and guessed. Knows nothing of tensors or files.

export type MetadataScalar = string | number | bigint | boolean;
/** 64-bit integers beyond 2^53 are bigints; all other numbers are numbers. */
export type MetadataValue = MetadataScalar | readonly MetadataScalar[];
export type Metadata = { readonly [key: string]: MetadataValue };

export type ScalarType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "bool"
  | "string"
  | "uint64"
  | "int64"
  | "float64";
/** `float32[]` is an array of float32. */
export type MetadataType = ScalarType | `${ScalarType}[]`;
export type MetadataTypes = { readonly [key: string]: MetadataType };

export const ARRAY_TYPE = 9;

/** Scalar types by their number in the file (`gguf_metadata_value_type` of the GGUF specification). */
const scalarTypes: { readonly [number: number]: ScalarType } = {
  0: "uint8",
  1: "int8",
  2: "uint16",
  3: "int16",
  4: "uint32",
  5: "int32",
  6: "float32",
  7: "bool",
  8: "string",
  10: "uint64",
  11: "int64",
  12: "float64",
};

/** The least bytes that a value of each type takes in a file; a string has at least its length. */
export const scalarBytes: { readonly [T in ScalarType]: number } = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  uint64: 8,
  int64: 8,
  float64: 8,
};

const scalarNumbers = new Map(Object.entries(scalarTypes).map(([number, type]) => [type, Number(number)]));

export function scalarType(number: number): ScalarType | undefined {
  return scalarTypes[number];
}

export function scalarTypeNumber(type: ScalarType): number {
  return scalarNumbers.get(type) ?? 0;
}

/** Keys that llama.cpp reads as float32 and refuses under any other type, though their value may be whole. */
const floatKeys =
  /(\.rope\.freq_base(_swa)?|\.rope\.scaling\.(factor|attn_factor)|layer_norm(_rms)?_epsilon|\.(logit|residual|embedding|attention)_?scale|^adapter\.lora\.alpha|^tokenizer\.ggml\.scores)$/;

/**
 * The type under which a value is written where none is given: text as string, whole numbers as uint32 (int32 below zero,
 * 64 bits where they need them), others as float32; arrays of whole numbers as int32, as llama.cpp reads token types.
 */
export function guessType(key: string, value: MetadataValue): MetadataType {
  if (typeof value === "object") return `${guessItem(key, value)}[]`;
  return floatKeys.test(key) && typeof value === "number" ? "float32" : guessScalar(value);
}

function guessItem(key: string, items: readonly MetadataScalar[]): ScalarType {
  const [first] = items;
  if (typeof first !== "number") return first === undefined ? "string" : guessScalar(first);
  if (floatKeys.test(key) || items.some((item) => !Number.isInteger(item))) return "float32";
  return items.some((item) => Math.abs(Number(item)) > 0x7fffffff) ? "int64" : "int32";
}

function guessScalar(value: MetadataScalar): ScalarType {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return value < 0n ? "int64" : "uint64";
  if (!Number.isInteger(value)) return "float32";
  if (value < 0) return value >= -0x80000000 ? "int32" : "int64";
  return value <= 0xffffffff ? "uint32" : "uint64";
}
