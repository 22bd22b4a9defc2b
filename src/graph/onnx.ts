// A graph as the bytes of an ONNX file. Knows the file format; what each operation becomes is said in `lower.ts`.

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "onnx-buf";
import type { Graph } from "./graph.ts";
import type { Node, Value, ValueType } from "./ir.ts";
import { type AttributeValue, type Emitter, lower } from "./lower.ts";
import { type FileStretch, type PackedSource, type StoredTensor, wholeWeight } from "./packed-weight.ts";
import { type Dim, factors, type Shape } from "./shape.ts";

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;
type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;
type ValueInfoInit = MessageInitShape<typeof ValueInfoProtoSchema>;

/** Where the numbers of a frozen weight are: here, or in a file beside the model (of the weight's type, little endian, offset in bytes). */
export type WeightSource = { readonly data: Float32Array | Int8Array } | FileStretch | PackedSource;

export interface SerialiseOptions {
  /** Says where each weight of the graph is. */
  readonly weights?: (name: string) => WeightSource;
  /** Whether quantised weights are made whole once for all of their readers, not anew for each. Default: anew. */
  readonly wholeOnce?: boolean;
}

/**
 * The bytes of an ONNX model (opset 21 and ONNX Runtime's own operations). Inputs and outputs have the graph's names; sizes with
 * names stay open.
 */
export function serialise(graph: Graph, { weights = noWeights, wholeOnce = false }: SerialiseOptions = {}): Uint8Array {
  const writer = new Writer(graph, weights, wholeOnce);
  for (const node of graph.nodes) lower(node, writer.emitter);
  const outputs = Object.entries(graph.outputs);
  for (const [name, value] of outputs) writer.finish(name, value);
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: "sartor",
    opsetImport: [
      { domain: "", version: 21n },
      { domain: "com.microsoft", version: 1n },
    ],
    graph: {
      name: graph.name,
      node: [...writer.first, ...writer.nodes],
      initializer: writer.tensors,
      input: graph.inputs.map(({ attributes: { name, type, shape } }) => valueInfo(name, type, shape)),
      output: outputs.map(([name, { type, shape }]) => valueInfo(name, type, shape)),
      valueInfo: writer.values,
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** Gathers nodes and tensors. */
class Writer {
  /** Nodes of no other node's values, and all others. */
  readonly first: NodeInit[] = [];
  readonly nodes: NodeInit[] = [];
  readonly tensors: TensorInit[] = [];
  readonly values: ValueInfoInit[] = [];
  readonly emitter: Emitter;
  readonly #names = new Map<Value, string>();
  readonly #packed = new Map<Value, () => string>();
  readonly #shared = new Map<string, string>();
  readonly #graph: Graph;
  readonly #weights: (name: string) => WeightSource;
  readonly #wholeOnce: boolean;
  #next = 1;

  constructor(graph: Graph, weights: (name: string) => WeightSource, wholeOnce: boolean) {
    this.#graph = graph;
    this.#weights = weights;
    this.#wholeOnce = wholeOnce;
    this.emitter = {
      emit: (opType, inputs, { attributes = {}, domain = "", yields, first = false } = {}) => {
        const output = yields?.map((value) => this.#define(value, this.#fresh())) ?? [this.#fresh()];
        for (const [index, { type, shape }] of (yields ?? []).entries()) this.values.push(valueInfo(output[index] ?? "", type, shape));
        (first ? this.first : this.nodes).push({
          opType,
          domain,
          name: `${opType}_${this.first.length + this.nodes.length}`,
          input: [...inputs],
          output,
          attribute: Object.entries(attributes).map(attribute),
        });
        return output[0] ?? "";
      },
      name: (value) => this.#name(value),
      integers: (values) =>
        this.#once(`integers ${values.join()}`, (name) => ({
          name,
          dataType: DataType.INT64,
          dims: [BigInt(values.length)],
          int64Data: values.map(BigInt),
        })),
      float: (value) => this.#once(`float ${value}`, (name) => ({ name, dataType: DataType.FLOAT, dims: [], floatData: [value] })),
      byte: (value) => this.#once(`byte ${value}`, (name) => ({ name, dataType: DataType.UINT8, dims: [], int32Data: [value] })),
      sizes: (shape, like = []) => this.#sizes(shape, like),
      leaf: (node) => this.#leaf(node),
    };
  }

  finish(name: string, value: Value): void {
    this.nodes.push({ opType: "Identity", name: `output_${name}`, input: [this.#name(value)], output: [name] });
  }

  #leaf(node: Node<"input" | "weight" | "constant">): void {
    const [value] = node.outputs as readonly [Value];
    const attributes: { readonly name?: string; readonly data?: Float32Array | BigInt64Array } = node.attributes;
    const name = this.#define(value, attributes.name ?? this.#fresh());
    if (node.op === "input") return;
    const tensor = { name, dataType: dataType(value.type), dims: value.shape.map((dim) => BigInt(dim)) };
    const source = attributes.data === undefined ? this.#weights(name) : { data: attributes.data };
    if ("codes" in source) {
      this.#packed.set(value, () => wholeWeight(this.emitter, { ...source, value, name, store: (tensor) => this.#store(tensor) }));
      return;
    }
    this.tensors.push({ ...tensor, ...("data" in source ? { rawData: bytesOf(source.data) } : external(source, value.type, value.shape)) });
  }

  #store({ name, type, dims, at }: StoredTensor): string {
    return this.#shareNode(`stored ${name}`, () => {
      this.tensors.push({ name, dataType: dataType(type), dims: dims.map(BigInt), ...external(at, type, dims) });
      return name;
    });
  }

  #sizes(shape: Shape, like: Shape): string {
    const open = shape.map((dim, axis) => (typeof dim === "number" ? dim : dim === like[axis] ? 0 : undefined));
    if (like.length > 0 && open.filter((dim) => dim === undefined).length <= 1) return this.emitter.integers(open.map((dim) => dim ?? -1));
    if (shape.every((dim) => typeof dim === "number")) return this.emitter.integers(shape);
    return this.#shareNode(`sizes ${shape.join()}`, () =>
      this.emitter.emit(
        "Concat",
        shape.map((dim) => this.#size(dim)),
        { attributes: { axis: 0 } },
      ),
    );
  }

  /** A size as a tensor of one number. */
  #size(dim: Dim): string {
    if (typeof dim === "number") return this.emitter.integers([dim]);
    return this.#shareNode(`size ${dim}`, () => {
      for (const { attributes } of this.#graph.inputs) {
        const axis = attributes.shape.indexOf(dim);
        if (axis >= 0) return this.emitter.emit("Shape", [attributes.name], { attributes: { start: axis, end: axis + 1 } });
      }
      const { factor, names } = factors(dim);
      if (names.length === 1 && factor === 1) throw new Error(`No input tells the size "${dim}".`);
      return [factor, ...names].map((part) => this.#size(part)).reduce((a, b) => this.emitter.emit("Mul", [a, b]));
    });
  }

  #once(key: string, tensor: (name: string) => TensorInit): string {
    return this.#shareNode(key, () => {
      const name = this.#fresh();
      this.tensors.push(tensor(name));
      return name;
    });
  }

  #shareNode(key: string, make: () => string): string {
    const found = this.#shared.get(key);
    if (found !== undefined) return found;
    const name = make();
    this.#shared.set(key, name);
    return name;
  }

  #name(value: Value): string {
    const whole = this.#packed.get(value);
    if (whole !== undefined) return this.#wholeOnce ? this.#shareNode(`whole ${this.#names.get(value)}`, whole) : whole();
    const name = this.#names.get(value);
    if (name === undefined) throw new Error(`${value.node.op} is read before it is computed.`);
    return name;
  }

  #define(value: Value, name: string): string {
    this.#names.set(value, name);
    return name;
  }

  #fresh(): string {
    return `v${this.#next++}`;
  }
}

const elementTypes: { readonly [T in ValueType]: DataType } = { float32: DataType.FLOAT, int64: DataType.INT64, int8: DataType.INT8 };

const elementBytes: { readonly [T in ValueType]: number } = { float32: 4, int64: 8, int8: 1 };

function dataType(type: ValueType): DataType {
  return elementTypes[type];
}

function bytesOf(data: Float32Array | BigInt64Array | Int8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

function external({ file, offset }: FileStretch, type: ValueType, shape: Shape): TensorInit {
  const length = elementBytes[type] * shape.reduce<number>((product, dim) => product * Number(dim), 1);
  const entries = Object.entries({ location: file, offset, length }).map(([key, value]) => ({ key, value: String(value) }));
  return { dataLocation: DataLocation.EXTERNAL, externalData: entries };
}

function attribute([name, value]: [string, AttributeValue]): AttributeInit {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}

function valueInfo(name: string, type: ValueType, shape: Shape): ValueInfoInit {
  const dim = shape.map((size) => ({
    value: typeof size === "number" ? { case: "dimValue" as const, value: BigInt(size) } : { case: "dimParam" as const, value: size },
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType: dataType(type), shape: { dim } } } } };
}

function noWeights(name: string): never {
  throw new Error(`The graph has a weight "${name}" and nothing says where its numbers are.`);
}
