// Type and shape of what each operation yields: a total table. The first to notice a graph that does not fit together.

import { inputOf, type Node, type OpName, type Value, type ValueType } from "./ir.ts";
import { axisOf, broadcastShape, type Dim, dimAt, product, sameShape, type Shape, showShape } from "./shape.ts";

export interface TypeAndShape {
  readonly type: ValueType;
  readonly shape: Shape;
}

type Rule<O extends OpName> = (node: Node<O>) => readonly TypeAndShape[];

const float = (shape: Shape): TypeAndShape => ({ type: "float32", shape });

/** What the outputs of a node are. @throws if its inputs do not fit, naming operation and shapes. */
export function infer<O extends OpName>(node: Node<O>): readonly TypeAndShape[] {
  try {
    return rules[node.op](node);
  } catch (error) {
    const shapes = node.inputs.map(({ type, shape }) => `${type}${showShape(shape)}`).join(", ");
    throw new Error(`${node.op}(${shapes}): ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const elementwise = (node: Node) => [float(broadcastShape(floatOf(node, 0).shape, floatOf(node, 1).shape))];
const unary = (node: Node) => [float(floatOf(node, 0).shape)];

const rules: { readonly [O in OpName]: Rule<O> } = {
  input: ({ attributes: { type, shape } }) => [{ type, shape }],
  weight: ({ attributes: { type, shape } }) => [{ type, shape }],
  constant({ attributes: { type, shape, data } }) {
    expect(product(shape) === data.length, `${data.length} numbers for ${showShape(shape)}`);
    return [{ type, shape }];
  },
  fill: ({ attributes: { shape } }) => [float(shape)],
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  neg: unary,
  sqrt: unary,
  sigmoid: unary,
  silu: unary,
  siluGradient: elementwise,
  gelu: unary,
  geluGradient: elementwise,
  geluTanh: unary,
  geluTanhGradient: elementwise,
  gemm(node) {
    const [rows, inner] = flipped(matrix(node, 0), node.attributes.transA);
    const [innerB, columns] = flipped(matrix(node, 1), node.attributes.transB);
    expect(inner === innerB, `inner sizes ${inner} and ${innerB}`);
    const added = node.inputs[2];
    if (added !== undefined) {
      const { shape } = added;
      expect(sameShape(shape, [rows, columns]) || sameShape(shape, [columns]), `addend ${showShape(shape)}`);
    }
    return [float([rows, columns])];
  },
  gemmInt8(node) {
    const [rows, inner] = matrix(node, 0);
    const { type, shape } = inputOf(node, 1);
    const [innerB, columns] = [dimAt(shape, 0), dimAt(shape, 1)];
    expect(type === "int8" && inner === innerB, `a table int8 [${inner}, columns] is needed`);
    expect(sameShape(floatOf(node, 2).shape, [columns]), "one scale a column is needed");
    return [float([rows, columns])];
  },
  matmul(node) {
    const [a, b] = [floatOf(node, 0).shape, floatOf(node, 1).shape];
    const [rows, inner] = flipped([dimAt(a, -2), dimAt(a, -1)], node.attributes.transA);
    const [innerB, columns] = flipped([dimAt(b, -2), dimAt(b, -1)], node.attributes.transB);
    expect(inner === innerB && sameShape(a.slice(0, -2), b.slice(0, -2)), "batches or inner sizes differ");
    return [float([...a.slice(0, -2), rows, columns])];
  },
  softmax: unary,
  drop(node) {
    const shape = matrix(node, 0);
    expect(sameShape([...indices(node, 1), ...indices(node, 2)], shape), "a code for each row and each column is needed");
    const { rate } = node.attributes;
    expect(rate > 0 && rate < 1, `the rate is ${rate}`);
    return [float(shape)];
  },
  rmsNorm(node) {
    const { shape } = floatOf(node, 0);
    expect(sameShape(floatOf(node, 1).shape, shape.slice(-1)), "the weight is not as wide as the rows");
    return [float(shape), float([...shape.slice(0, -1), 1])];
  },
  rope(node) {
    const { shape } = floatOf(node, 0);
    const [cos, sin] = [floatOf(node, 1).shape, floatOf(node, 2).shape];
    expect(shape.length === 4 && sameShape(cos, sin), "[batch, heads, time, headDim] and two tables of one shape are needed");
    expect(product([dimAt(cos, 1), 2]) === dimAt(shape, 3), "the tables are not half as wide as a head");
    return [float(shape)];
  },
  reshape(node) {
    const { type, shape } = inputOf(node, 0);
    expect(product(shape) === product(node.attributes.shape), `it does not hold as many numbers as ${showShape(node.attributes.shape)}`);
    return [{ type, shape: node.attributes.shape }];
  },
  transpose(node) {
    const { type, shape } = inputOf(node, 0);
    const { order } = node.attributes;
    expect([...order].sort((a, b) => a - b).join() === shape.map((_, axis) => axis).join(), `order ${order.join()}`);
    return [{ type, shape: order.map((axis) => dimAt(shape, axis)) }];
  },
  split(node) {
    const { type, shape } = inputOf(node, 0);
    const { axis, sizes } = node.attributes;
    expect(dimAt(shape, axis) === sizes.reduce((sum, size) => sum + size, 0), `parts of ${sizes.join("+")} on axis ${axis}`);
    return sizes.map((size) => ({ type, shape: shape.with(axisOf(shape, axis), size) }));
  },
  concat(node) {
    const { type, shape } = inputOf(node, 0);
    const axis = axisOf(shape, node.attributes.axis);
    const sizes = node.inputs.map((input) => dimAt(input.shape, axis));
    for (const input of node.inputs) {
      expect(input.type === type && sameShape(input.shape.with(axis, 0), shape.with(axis, 0)), "the other axes differ");
    }
    if (node.inputs.length === 1) return [{ type, shape }];
    return [{ type, shape: shape.with(axis, total(sizes)) }];
  },
  expand(node) {
    const { shape } = floatOf(node, 0);
    expect(
      sameShape(broadcastShape(shape, node.attributes.shape), node.attributes.shape),
      `it does not spread to ${showShape(node.attributes.shape)}`,
    );
    return [float(node.attributes.shape)];
  },
  sum(node) {
    const { shape } = floatOf(node, 0);
    const axes = new Set(node.attributes.axes.map((axis) => axisOf(shape, axis)));
    if (node.attributes.keepDims) return [float(shape.map((dim, axis) => (axes.has(axis) ? 1 : dim)))];
    return [float(shape.filter((_, axis) => !axes.has(axis)))];
  },
  gather(node) {
    return [float([...indices(node, 1), ...floatOf(node, 0).shape.slice(1)])];
  },
  scatterAdd(node) {
    const { shape } = floatOf(node, 0);
    expect(sameShape(floatOf(node, 2).shape, [...indices(node, 1), ...shape.slice(1)]), "the rows added do not fit the indices");
    return [float(shape)];
  },
  linearCrossEntropy(node) {
    const [[rows, width], [vocabulary, columns]] = [matrix(node, 0), matrix(node, 1)];
    expect(width === columns && sameShape(indices(node, 2), [rows]), "one label a row, and a table as wide as the rows, are needed");
    const added = node.inputs[3];
    expect(added === undefined || sameShape(added.shape, [rows, vocabulary]), "what is added is not [rows, vocabulary]");
    return [float([rows]), float([rows, vocabulary])];
  },
  linearKl(node) {
    const [[rows, width], [vocabulary, columns]] = [matrix(node, 0), matrix(node, 1)];
    expect(width === columns && sameShape(matrix(node, 2), [rows, width]), "hidden states as wide as the table are needed, twice");
    expect(sameShape(matrix(node, 3), [vocabulary, width]), "the base's table has another shape");
    return [float([rows]), float([rows, vocabulary])];
  },
};

function total(sizes: readonly Dim[]): Dim {
  const numbers = sizes.filter((size) => typeof size === "number");
  if (numbers.length === sizes.length) return numbers.reduce((sum, size) => sum + size, 0);
  throw new Error(`sizes ${sizes.join(", ")} cannot be added`);
}

function floatOf(node: Node, index: number): Value {
  const value = inputOf(node, index);
  expect(value.type === "float32", `input ${index} is ${value.type}`);
  return value;
}

function indices(node: Node, index: number): Shape {
  const value = inputOf(node, index);
  expect(value.type === "int64" && value.shape.length === 1, `input ${index} is no list of indices`);
  return value.shape;
}

function matrix(node: Node, index: number): readonly [Dim, Dim] {
  const { shape } = floatOf(node, index);
  expect(shape.length === 2, `input ${index} is no matrix`);
  return [dimAt(shape, 0), dimAt(shape, 1)];
}

function flipped([rows, columns]: readonly [Dim, Dim], flip: boolean): readonly [Dim, Dim] {
  return flip ? [columns, rows] : [rows, columns];
}

function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
