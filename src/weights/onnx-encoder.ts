// The weights of a BERT encoder in an ONNX file, as numbers under the names that PyTorch's checkpoints have, and the file with other
// weights in their place. Knows nothing of how an encoder computes.
import { readFile, writeFile } from "node:fs/promises";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type GraphProto, TensorProto_DataType as DataType, type ModelProto, ModelProtoSchema, type TensorProto } from "onnx-buf";
import { UserError, writeError } from "../errors.ts";

export interface EncoderTensor {
  readonly name: string;
  /** [outputs, inputs] of a linear layer, [tokens, width] of a table. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A weight in the file: what it is stored as, and whether rows and columns are exchanged there. */
interface Stored {
  readonly tensor: TensorProto;
  readonly scale?: TensorProto | undefined;
  readonly zeroPoint?: TensorProto | undefined;
  readonly transposed: boolean;
}

/**
 * Every weight by its name, such as `encoder.layer.0.attention.self.query.weight`; what is stored in 8 bits is dequantised.
 * @throws {UserError} where the file is no ONNX model or has no weights of an encoder.
 */
export async function readOnnxEncoder(path: string): Promise<ReadonlyMap<string, EncoderTensor>> {
  const { graph } = await readModel(path);
  const found = new Map<string, EncoderTensor>();
  for (const [name, stored] of storedWeights(graph)) found.set(name, { name, ...numbersOf(stored) });
  if (!found.has("encoder.layer.0.attention.self.query.weight"))
    throw new UserError(`${path} holds no encoder of the BERT family: there is no first layer's query. Name the file of such a model.`);
  return found;
}

/** Writes the file again with `changed` weights in place of its own, quantised as it stores them. */
export async function writeOnnxEncoder(from: string, to: string, changed: ReadonlyMap<string, Float32Array>): Promise<void> {
  const model = await readModel(from);
  const stored = storedWeights(model.graph);
  for (const [name, data] of changed) {
    const place = stored.get(name);
    if (place === undefined) throw new Error(`${from} has no weight "${name}".`);
    store(place, data);
  }
  await writeFile(to, toBinary(ModelProtoSchema, model)).catch((error: unknown) => {
    throw writeError(error, to);
  });
}

async function readModel(path: string): Promise<ModelProto & { readonly graph: GraphProto }> {
  const bytes = await readFile(path);
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    if (model.graph !== undefined) return model as ModelProto & { readonly graph: GraphProto };
  } catch (cause) {
    throw new UserError(`${path} is no ONNX model. Fetch or export it again.`, { cause });
  }
  throw new UserError(`${path} is an ONNX model without a graph. Fetch or export it again.`);
}

const QUANTISED = "_quantized";

/** Weights by name. Those of products have names of the exporter's own: what layer they are of, the product's node tells. */
function storedWeights({ initializer, node }: GraphProto): ReadonlyMap<string, Stored> {
  const tensors = new Map(initializer.map((tensor) => [tensor.name, tensor]));
  const beside = (tensor: TensorProto, transposed: boolean): Stored => {
    const base = tensor.name.endsWith(QUANTISED) ? tensor.name.slice(0, -QUANTISED.length) : undefined;
    if (base === undefined) return { tensor, transposed };
    return { tensor, scale: tensors.get(`${base}_scale`), zeroPoint: tensors.get(`${base}_zero_point`), transposed };
  };
  const found = new Map<string, Stored>();
  for (const tensor of initializer)
    if (/^(embeddings|encoder)\..*\.(weight|bias)(_quantized)?$/u.test(tensor.name))
      found.set(tensor.name.replace(QUANTISED, ""), beside(tensor, false));
  for (const { opType, name, input } of node) {
    const layer = /^\/(.*)\/MatMul(_quant)?$/u.exec(name)?.[1];
    const tensor = tensors.get(input[1] ?? "");
    if ((opType === "MatMul" || opType === "MatMulInteger") && layer !== undefined && tensor !== undefined)
      found.set(`${layer.replaceAll("/", ".")}.weight`, beside(tensor, true));
  }
  return found;
}

function numbersOf(stored: Stored): Omit<EncoderTensor, "name"> {
  const { tensor, scale, zeroPoint, transposed } = stored;
  const dims = tensor.dims.map(Number);
  const raw = rawNumbers(tensor);
  const [scales, zeros] = [scale && rawNumbers(scale), zeroPoint && rawNumbers(zeroPoint)];
  const data = new Float32Array(raw.length);
  const columns = scales?.length ?? 1;
  // One scale for all, or one a column.
  for (let at = 0; at < data.length; at++) {
    const column = columns === 1 ? 0 : at % columns;
    data[at] = (scales?.[column] ?? 1) * (raw[at]! - (zeros?.[column] ?? 0));
  }
  if (!transposed) return { shape: dims, data };
  const [inputs = 0, outputs = 0] = dims;
  return { shape: [outputs, inputs], data: transpose(data, inputs, outputs) };
}

function rawNumbers({ name, dataType, rawData, floatData, int32Data }: TensorProto): ArrayLike<number> {
  // A copy of its own, at the start of its buffer.
  const bytes = new Uint8Array(rawData);
  if (dataType === DataType.FLOAT) return bytes.length > 0 ? new Float32Array(bytes.buffer) : floatData;
  if (dataType === DataType.INT8) return bytes.length > 0 ? new Int8Array(bytes.buffer) : int32Data;
  if (dataType === DataType.UINT8) return bytes.length > 0 ? bytes : int32Data;
  throw new UserError(`The weight "${name}" is stored as type ${dataType} of ONNX, and only floats and bytes are read.`);
}

/** [rows, columns] to [columns, rows]. */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]!;
  return turned;
}

/** In 8 bits as ONNX Runtime's dynamic quantisation stores weights: a scale and zero point for all or for each column, 0 kept exactly. */
function store({ tensor, scale, zeroPoint, transposed }: Stored, data: Float32Array): void {
  const [inputs = 0, outputs = 0] = tensor.dims.map(Number);
  const own = transposed ? transpose(data, outputs, inputs) : Float32Array.from(data);
  if (scale === undefined || zeroPoint === undefined) return setRaw(tensor, own);
  const signed = tensor.dataType === DataType.INT8;
  const [least, most] = signed ? [-128, 127] : [0, 255];
  const columns = rawNumbers(scale).length;
  const [steps, zeros] = [new Float32Array(columns), new Float32Array(columns)];
  const [lows, highs] = [new Float32Array(columns), new Float32Array(columns)];
  own.forEach((value, at) => {
    const column = at % columns;
    if (value < lows[column]!) lows[column] = value;
    if (value > highs[column]!) highs[column] = value;
  });
  for (let column = 0; column < columns; column++) {
    // A column of zeros has any step.
    const step = (highs[column]! - lows[column]!) / (most - least) || 1;
    [steps[column], zeros[column]] = [step, Math.round(least - lows[column]! / step)];
  }
  const codes = own.map((value, at) => {
    const column = at % columns;
    return Math.min(most, Math.max(least, Math.round(value / steps[column]!) + zeros[column]!));
  });
  const bytes = (values: ArrayLike<number>) => (signed ? Int8Array.from(values) : Uint8Array.from(values));
  setRaw(tensor, bytes(codes));
  setRaw(scale, steps);
  setRaw(zeroPoint, bytes(zeros));
}

function setRaw(tensor: TensorProto, data: Float32Array | Int8Array | Uint8Array): void {
  tensor.rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  tensor.floatData = [];
  tensor.int32Data = [];
}
