// What each operation is in ONNX: a total table. Knows names and attributes, not bytes.

import { dropBound, inputOf, type Node, type OpName, type Value } from "./ir.ts";
import type { Shape } from "./shape.ts";

export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface EmitOptions {
  readonly attributes?: { readonly [name: string]: AttributeValue };
  /** Domain of operations beyond the ONNX standard. */
  readonly domain?: "com.microsoft";
  /** The values that the results are. Without them the results are values of the emitter's own. */
  readonly yields?: readonly Value[];
  /** At the head of the file: of what a node reads, ONNX Runtime computes last what stands first there. */
  readonly first?: boolean;
}

/** Where lowered nodes go. Values are tensor names from here on. */
export interface Emitter {
  readonly emit: (opType: string, inputs: readonly string[], options?: EmitOptions) => string;
  readonly name: (value: Value) => string;
  /** A small tensor of whole numbers in the file. */
  readonly integers: (values: readonly number[]) => string;
  readonly float: (value: number) => string;
  /** A byte, as a tensor without dimensions. */
  readonly byte: (value: number) => string;
  /** The name of a tensor with the sizes of `shape`; sizes that stand at the same place in `like` may be copied from there. */
  readonly sizes: (shape: Shape, like?: Shape) => string;
  readonly leaf: (node: Node<"input" | "weight" | "constant">) => void;
}

/** TensorProto.DataType. */
const INT32 = 6;

type Rule<O extends OpName> = (node: Node<O>, emitter: Emitter) => void;

export function lower<O extends OpName>(node: Node<O>, emitter: Emitter): void {
  rules[node.op](node, emitter);
}

const plain =
  (opType: string): Rule<OpName> =>
  (node, emitter) => {
    emitter.emit(opType, node.inputs.map(emitter.name), { yields: node.outputs });
  };

const rules: { readonly [O in OpName]: Rule<O> } = {
  input: (node, emitter) => emitter.leaf(node),
  weight: (node, emitter) => emitter.leaf(node),
  constant: (node, emitter) => emitter.leaf(node),
  fill(node, emitter) {
    const { shape, value } = node.attributes;
    emitter.emit("Expand", [emitter.float(value), emitter.sizes(shape)], { yields: node.outputs });
  },
  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  neg: plain("Neg"),
  sqrt: plain("Sqrt"),
  sigmoid: plain("Sigmoid"),
  silu(node, emitter) {
    emitter.emit("QuickGelu", [emitter.name(inputOf(node, 0))], {
      domain: "com.microsoft",
      attributes: { alpha: { float: 1 } },
      yields: node.outputs,
    });
  },
  // g * (s + y - y s) with s = sigmoid(x), y = x s.
  siluGradient(node, { emit, name }) {
    const [g, x] = [name(inputOf(node, 0)), name(inputOf(node, 1))];
    const s = emit("Sigmoid", [x]);
    const y = emit("Mul", [x, s]);
    const slope = emit("Add", [s, emit("Sub", [y, emit("Mul", [y, s])])]);
    emit("Mul", [g, slope], { yields: node.outputs });
  },
  gelu: plain("Gelu"),
  // g * (p + x * density) with p = (1 + erf(x / sqrt 2)) / 2 and density = exp(-x^2 / 2) / sqrt(2 pi).
  geluGradient(node, { emit, name, float }) {
    const [g, x] = [name(inputOf(node, 0)), name(inputOf(node, 1))];
    const below = emit("Mul", [emit("Add", [emit("Erf", [emit("Mul", [x, float(Math.SQRT1_2)])]), float(1)]), float(0.5)]);
    const density = emit("Mul", [emit("Exp", [emit("Mul", [emit("Mul", [x, x]), float(-0.5)])]), float(1 / Math.sqrt(2 * Math.PI))]);
    emit("Mul", [g, emit("Add", [below, emit("Mul", [x, density])])], { yields: node.outputs });
  },
  geluTanh(node, { emit, name }) {
    emit("Gelu", [name(inputOf(node, 0))], { attributes: { approximate: "tanh" }, yields: node.outputs });
  },
  // g / 2 * (1 + t + x (1 - t^2) u') with t = tanh(u), u = x (c + a x^2), u' = c + 3 a x^2.
  geluTanhGradient(node, { emit, name, float }) {
    const [g, x] = [name(inputOf(node, 0)), name(inputOf(node, 1))];
    const c = Math.sqrt(2 / Math.PI);
    const square = emit("Mul", [x, x]);
    const inner = (factor: number) => emit("Add", [emit("Mul", [square, float(factor * 0.044715 * c)]), float(c)]);
    const tangent = emit("Tanh", [emit("Mul", [x, inner(1)])]);
    const falling = emit("Sub", [float(1), emit("Mul", [tangent, tangent])]);
    const bent = emit("Mul", [emit("Mul", [x, falling]), inner(3)]);
    const slope = emit("Add", [emit("Add", [tangent, float(1)]), bent]);
    emit("Mul", [emit("Mul", [g, float(0.5)]), slope], { yields: node.outputs });
  },
  gemm(node, emitter) {
    const { transA, transB, alpha } = node.attributes;
    const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
    emitter.emit("Gemm", node.inputs.map(emitter.name), { attributes, yields: node.outputs });
  },
  // Bytes stand for value / scale + 128: processors without instructions for signed times signed bytes have those for unsigned times signed.
  gemmInt8(node, { emit, name, integers, float, byte, sizes }) {
    const x = inputOf(node, 0);
    const [rows = 1] = x.shape;
    const reduce = (opType: string) => emit(opType, [name(x), integers([-1])], { attributes: { keepdims: 0 } });
    const highest = emit("Max", [reduce("ReduceMax"), emit("Neg", [reduce("ReduceMin")]), float(1e-30)]);
    const rowScales = emit("Mul", [highest, float(1 / 127)]);
    const zeros = emit("Expand", [byte(128), sizes([rows])]);
    const bytes = emit("QuantizeLinear", [name(x), rowScales, zeros], { attributes: { axis: 0 } });
    const given = [bytes, name(inputOf(node, 1)), float(1), name(inputOf(node, 2)), byte(128)];
    const product = emit("MatMulIntegerToFloat", given, { domain: "com.microsoft" });
    emit("Mul", [product, emit("Unsqueeze", [rowScales, integers([1])])], { yields: node.outputs });
  },
  matmul(node, emitter) {
    const { transA, transB, alpha } = node.attributes;
    const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
    emitter.emit("FusedMatMul", node.inputs.map(emitter.name), { domain: "com.microsoft", attributes, yields: node.outputs });
  },
  softmax(node, emitter) {
    emitter.emit("Softmax", node.inputs.map(emitter.name), { attributes: { axis: -1 }, yields: node.outputs });
  },
  drop(node, { emit, name, integers, float }) {
    const [x, rows, columns] = node.inputs.map(name) as [string, string, string];
    const to32 = (whole: string) => emit("Cast", [whole], { attributes: { to: INT32 } });
    const products = emit("Mul", [to32(emit("Unsqueeze", [rows, integers([1])])), to32(columns)]);
    const dropped = emit("Less", [products, to32(integers([dropBound(node.attributes.rate)]))]);
    emit("Where", [dropped, float(0), x], { yields: node.outputs });
  },
  rmsNorm(node, emitter) {
    const attributes = { axis: -1, epsilon: { float: node.attributes.epsilon } };
    emitter.emit("SimplifiedLayerNormalization", node.inputs.map(emitter.name), { attributes, yields: node.outputs });
  },
  rope(node, { emit, name, integers }) {
    const [x, cos, sin] = [name(inputOf(node, 0)), name(inputOf(node, 1)), name(inputOf(node, 2))];
    const attributes = { interleaved: Number(node.attributes.interleaved) };
    emit("RotaryEmbedding", [x, integers([0]), cos, sin], { domain: "com.microsoft", attributes, yields: node.outputs });
  },
  reshape(node, { emit, name, sizes }) {
    const x = inputOf(node, 0);
    emit("Reshape", [name(x), sizes(node.attributes.shape, x.shape)], { yields: node.outputs });
  },
  transpose(node, { emit, name }) {
    emit("Transpose", [name(inputOf(node, 0))], { attributes: { perm: node.attributes.order }, yields: node.outputs });
  },
  split(node, { emit, name, integers }) {
    const { axis, sizes } = node.attributes;
    emit("Split", [name(inputOf(node, 0)), integers(sizes)], { attributes: { axis }, yields: node.outputs });
  },
  concat(node, { emit, name }) {
    emit("Concat", node.inputs.map(name), { attributes: { axis: node.attributes.axis }, yields: node.outputs });
  },
  expand(node, { emit, name, sizes }) {
    emit("Expand", [name(inputOf(node, 0)), sizes(node.attributes.shape)], { yields: node.outputs });
  },
  sum(node, { emit, name, integers }) {
    const { axes, keepDims } = node.attributes;
    emit("ReduceSum", [name(inputOf(node, 0)), integers(axes)], { attributes: { keepdims: Number(keepDims) }, yields: node.outputs });
  },
  gather(node, { emit, name }) {
    emit("Gather", node.inputs.map(name), { attributes: { axis: 0 }, yields: node.outputs });
  },
  scatterAdd(node, { emit, name, integers }) {
    const [base, indices, rows] = node.inputs.map(name);
    const column = emit("Unsqueeze", [indices ?? "", integers([1])]);
    emit("ScatterND", [base ?? "", column, rows ?? ""], { attributes: { reduction: "add" }, yields: node.outputs });
  },
  linearCrossEntropy(node, emitter) {
    const { emit, name } = emitter;
    const [hidden, table, labels] = [name(inputOf(node, 0)), name(inputOf(node, 1)), name(inputOf(node, 2))];
    const [losses, probabilities] = node.outputs as readonly [Value, Value];
    const added = node.inputs[3];
    const { normaliser } = head(emitter, [hidden, table, ...(added ? [name(added)] : [])], [probabilities]);
    const chosen = emit("Mul", [hidden, emit("Gather", [table, labels], { attributes: { axis: 0 } })]);
    emit("Sub", [normaliser, overRows(emitter, "ReduceSum", chosen)], { yields: [losses] });
  },
  // sum(q * (log q - log p)) = sum(q * (z of q - z of p)) - normaliser of q + normaliser of p.
  linearKl(node, emitter) {
    const { emit, name } = emitter;
    const [hidden, table, baseHidden, baseTable] = node.inputs.map(name) as [string, string, string, string];
    const [losses, difference] = node.outputs as readonly [Value, Value];
    const [p, q] = [head(emitter, [hidden, table]), head(emitter, [baseHidden, baseTable])];
    const apart = overRows(emitter, "ReduceSum", emit("Mul", [q.softmax, emit("Sub", [q.logits, p.logits])]));
    emit("Add", [apart, emit("Sub", [p.normaliser, q.normaliser])], { yields: [losses] });
    emit("Sub", [p.softmax, q.softmax], { yields: [difference] });
  },
};

/** Logits of hidden states, a table and what may be added, their softmax and log(sum(exp(logits))), which is max(z) - log(max(softmax(z))): two maxima in place of another pass of exponentials. */
function head(emitter: Emitter, inputs: readonly string[], yields?: readonly Value[]) {
  const logits = emitter.emit("Gemm", inputs, { attributes: { transB: 1 } });
  const softmax = emitter.emit("Softmax", [logits], { attributes: { axis: -1 }, ...(yields && { yields }) });
  const highest = (x: string) => overRows(emitter, "ReduceMax", x);
  return { logits, softmax, normaliser: emitter.emit("Sub", [highest(logits), emitter.emit("Log", [highest(softmax)])]) };
}

function overRows({ emit, integers }: Emitter, opType: "ReduceMax" | "ReduceSum", x: string): string {
  return emit(opType, [x, integers([-1])], { attributes: { keepdims: 0 } });
}
