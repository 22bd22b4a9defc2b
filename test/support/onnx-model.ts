// ONNX models that tests write by hand: nodes, tensors, inputs and outputs in few words.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "onnx-buf";

export interface OnnxModel {
  readonly nodes: readonly MessageInitShape<typeof NodeProtoSchema>[];
  readonly tensors: readonly MessageInitShape<typeof TensorProtoSchema>[];
  /** Sizes by name; a word stands for any size. */
  readonly inputs: { readonly [name: string]: { readonly type: "int64" | "float32"; readonly dims: readonly (number | string)[] } };
  readonly outputs: { readonly [name: string]: readonly (number | string)[] };
}

export function onnxModel({ nodes, tensors, inputs, outputs }: OnnxModel): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: {
        name: "tiny",
        node: [...nodes],
        initializer: [...tensors],
        input: Object.entries(inputs).map(([name, { type, dims }]) => value(name, type, dims)),
        output: Object.entries(outputs).map(([name, dims]) => value(name, "float32", dims)),
      },
    }),
  );
}

/** A node of one output; attributes are whole numbers, lists of them, or other numbers. */
export function node(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: { readonly [name: string]: bigint | readonly bigint[] | number } = {},
): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType,
    input: [...input],
    output: [output],
    attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
  };
}

function attribute(name: string, given: bigint | readonly bigint[] | number): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof given === "bigint") return { name, type: AttributeType.INT, i: given };
  if (typeof given === "number") return { name, type: AttributeType.FLOAT, f: given };
  return { name, type: AttributeType.INTS, ints: [...given] };
}

export function floats(name: string, dims: readonly number[], data: readonly number[]): MessageInitShape<typeof TensorProtoSchema> {
  return { name, dims: dims.map(BigInt), dataType: DataType.FLOAT, floatData: [...data] };
}

export function integers(name: string, data: readonly number[], dims = [data.length]): MessageInitShape<typeof TensorProtoSchema> {
  return { name, dims: dims.map(BigInt), dataType: DataType.INT64, int64Data: data.map(BigInt) };
}

function value(name: string, type: "int64" | "float32", dims: readonly (number | string)[]): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((size) => ({
    value: typeof size === "string" ? ({ case: "dimParam", value: size } as const) : ({ case: "dimValue", value: BigInt(size) } as const),
  }));
  const elemType = type === "int64" ? DataType.INT64 : DataType.FLOAT;
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } };
}
