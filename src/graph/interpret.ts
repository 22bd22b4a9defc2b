// Computes a graph in plain float64 loops. Slow and obvious: what ONNX Runtime and the derivatives are tested against.

import type { Graph } from "./graph.ts";
import { dropBound, type Node, type OpName, outputOf, type Value } from "./ir.ts";
import { axisOf, type Shape, sizeOf } from "./shape.ts";

/** Numbers in row-major order. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

type Evaluate<O extends OpName> = (node: Node<O>, inputs: readonly Numbers[], context: Context) => readonly Numbers[];

interface Context {
  readonly leaves: { readonly [name: string]: Numbers };
  readonly dims: (shape: Shape) => readonly number[];
}

/** The outputs of a graph, given its inputs and weights by name. */
export function interpret(graph: Graph, leaves: { readonly [name: string]: Numbers }): { readonly [name: string]: Numbers } {
  const sizes: Record<string, number> = {};
  for (const { attributes } of graph.inputs) {
    for (const [axis, dim] of attributes.shape.entries())
      if (typeof dim === "string") sizes[dim] = at(leaf(leaves, attributes.name).dims, axis);
  }
  const context: Context = {
    leaves,
    dims: (shape) => shape.map((dim) => (typeof dim === "string" && sizes[dim] !== undefined ? sizes[dim] : sizeOf(dim, sizes))),
  };
  const values = new Map<Value, Numbers>();
  const get = (value: Value): Numbers => values.get(value) ?? raise(`${value.node.op} was not computed`);
  for (const node of graph.nodes) {
    const results = evaluate(node, node.inputs.map(get), context);
    for (const [index, output] of node.outputs.entries())
      values.set(output, results[index] ?? raise(`${node.op} left out output ${index}`));
  }
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, get(value)]));
}

function evaluate<O extends OpName>(node: Node<O>, inputs: readonly Numbers[], context: Context): readonly Numbers[] {
  return rules[node.op](node, inputs, context);
}

/** As IEEE 754 rounds, and ONNX with it. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The chance that a standard normal number is below x, by the series of the error function; further out it is 0 or 1 to ten places. */
function normalBelow(x: number): number {
  if (Math.abs(x) > 6) return x > 0 ? 1 : 0;
  let [term, sum] = [x, x];
  for (let n = 1; n < 100; n++) {
    term *= -(x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

/** The tangent in geluTanh, and the slope of what it is taken of. */
function geluTangent(x: number) {
  const factor = Math.sqrt(2 / Math.PI);
  return { tangent: Math.tanh(factor * (x + 0.044715 * x ** 3)), slope: factor * (1 + 3 * 0.044715 * x ** 2) };
}

const rules: { readonly [O in OpName]: Evaluate<O> } = {
  input: ({ attributes }, _inputs, { leaves }) => [leaf(leaves, attributes.name)],
  weight: ({ attributes }, _inputs, { leaves }) => [leaf(leaves, attributes.name)],
  constant: ({ attributes }, _inputs, { dims }) => [
    { dims: dims(attributes.shape), data: Float64Array.from(attributes.data as ArrayLike<number | bigint>, Number) },
  ],
  fill: ({ attributes }, _inputs, { dims }) => [tabulate(dims(attributes.shape), () => attributes.value)],
  add: elementwise((a, b) => a + b),
  sub: elementwise((a, b) => a - b),
  mul: elementwise((a, b) => a * b),
  div: elementwise((a, b) => a / b),
  neg: unary((x) => -x),
  sqrt: unary(Math.sqrt),
  sigmoid: unary(sigmoid),
  silu: unary((x) => x * sigmoid(x)),
  siluGradient: elementwise((g, x) => g * sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
  gelu: unary((x) => x * normalBelow(x)),
  geluGradient: elementwise((g, x) => g * (normalBelow(x) + (x * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI))),
  geluTanh: unary((x) => (x / 2) * (1 + geluTangent(x).tangent)),
  geluTanhGradient: elementwise((g, x) => {
    const { tangent, slope } = geluTangent(x);
    return (g / 2) * (1 + tangent + x * (1 - tangent * tangent) * slope);
  }),
  gemm: ({ attributes }, inputs) => [product(inputs, attributes)],
  gemmInt8(_node, [x, table, scales]) {
    const rounded = byRow(given(x), (row) => {
      const scale = row.reduce((highest, value) => Math.max(highest, Math.abs(value)), 0) / 127;
      return row.map((value) => (scale === 0 ? 0 : scale * roundHalfEven(value / scale)));
    });
    const columns = at(given(scales).dims, 0);
    const scaled = { ...given(table), data: given(table).data.map((value, index) => value * at(given(scales).data, index % columns)) };
    return [product([rounded, scaled], { transA: false, transB: false, alpha: 1 })];
  },
  matmul: ({ attributes }, inputs) => [product(inputs, attributes)],
  softmax: (_node, [x]) => [
    byRow(given(x), (row) => {
      const highest = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - highest), 0);
      return row.map((value) => Math.exp(value - highest) / total);
    }),
  ],
  drop({ attributes: { rate } }, [x, rows, columns]) {
    const dropped = ([row = 0, column = 0]: readonly number[]) =>
      Math.imul(at(given(rows).data, row), at(given(columns).data, column)) < dropBound(rate);
    return [tabulate(given(x).dims, (place) => (dropped(place) ? 0 : read(given(x), place)))];
  },
  rmsNorm({ attributes: { epsilon } }, [x, weight]) {
    const inverse = (row: Float64Array) => 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + epsilon);
    const y = byRow(given(x), (row) => row.map((value, column) => value * inverse(row) * at(given(weight).data, column)));
    return [y, byRow(given(x), (row) => Float64Array.of(inverse(row)))];
  },
  rope({ attributes: { interleaved } }, [x, cos, sin]) {
    const half = at(given(cos).dims, 1);
    return [
      tabulate(given(x).dims, (place) => {
        const [time, dim] = [at(place, 2), at(place, 3)];
        const pair = interleaved ? dim >> 1 : dim % half;
        const second = interleaved ? dim % 2 === 1 : dim >= half;
        const other = read(given(x), place.with(3, interleaved ? dim ^ 1 : (dim + half) % (2 * half)));
        return read(given(x), place) * read(given(cos), [time, pair]) + (second ? 1 : -1) * other * read(given(sin), [time, pair]);
      }),
    ];
  },
  reshape: ({ attributes }, [x], { dims }) => [{ dims: dims(attributes.shape), data: given(x).data }],
  transpose({ attributes: { order } }, [x]) {
    const dims = order.map((axis) => at(given(x).dims, axis));
    return [
      tabulate(dims, (place) =>
        read(
          given(x),
          order.map((_, axis) => at(place, order.indexOf(axis))),
        ),
      ),
    ];
  },
  split(node, [x]) {
    const axis = axisOf(given(x).dims, node.attributes.axis);
    let start = 0;
    return node.attributes.sizes.map((size) => {
      const from = start;
      start += size;
      return tabulate(given(x).dims.with(axis, size), (place) => read(given(x), place.with(axis, at(place, axis) + from)));
    });
  },
  concat(node, inputs) {
    const axis = axisOf(given(inputs[0]).dims, node.attributes.axis);
    const sizes = inputs.map(({ dims }) => at(dims, axis));
    const dims = given(inputs[0]).dims.with(
      axis,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    return [
      tabulate(dims, (place) => {
        let index = at(place, axis);
        const part = sizes.findIndex((size) => index < size || ((index -= size), false));
        return read(given(inputs[part]), place.with(axis, index));
      }),
    ];
  },
  expand: ({ attributes }, [x], { dims }) => [tabulate(dims(attributes.shape), (place) => read(given(x), place))],
  sum({ attributes: { axes, keepDims } }, [x]) {
    const { dims, data } = given(x);
    const summed = new Set(axes.map((axis) => axisOf(dims, axis)));
    const kept = zeros(dims.map((dim, axis) => (summed.has(axis) ? 1 : dim)));
    data.forEach((value, index) => (kept.data[offsetOf(kept.dims, placeOf(dims, index))]! += value));
    return [keepDims ? kept : { dims: dims.filter((_, axis) => !summed.has(axis)), data: kept.data }];
  },
  gather: (_node, [table, indices]) => [
    tabulate([...given(indices).dims, ...given(table).dims.slice(1)], (place) =>
      read(given(table), place.with(0, at(given(indices).data, at(place, 0)))),
    ),
  ],
  scatterAdd(_node, [base, indices, rows]) {
    const data = given(base).data.slice();
    given(rows).data.forEach((value, index) => {
      const place = placeOf(given(rows).dims, index);
      data[offsetOf(given(base).dims, place.with(0, at(given(indices).data, at(place, 0))))]! += value;
    });
    return [{ dims: given(base).dims, data }];
  },
  linearCrossEntropy(node, [hidden, table, labels, added]) {
    const logits = product([given(hidden), given(table), ...(added ? [added] : [])], headProduct);
    const [probabilities] = rules.softmax(node as never, [logits], undefined as never);
    const losses = tabulate(given(labels).dims, ([row = 0]) => -Math.log(read(given(probabilities), [row, at(given(labels).data, row)])));
    return [losses, given(probabilities)];
  },
  linearKl(node, [hidden, table, baseHidden, baseTable]) {
    const logits = [product([given(hidden), given(table)], headProduct), product([given(baseHidden), given(baseTable)], headProduct)];
    const [p, q] = logits.map((one) => given(rules.softmax(node as never, [one], undefined as never)[0])) as [Numbers, Numbers];
    const width = at(q.dims, 1);
    const losses = new Float64Array(at(q.dims, 0));
    q.data.forEach((share, index) => (losses[Math.floor(index / width)]! += share * Math.log(share / at(p.data, index))));
    return [
      { dims: [losses.length], data: losses },
      { dims: p.dims, data: p.data.map((share, index) => share - at(q.data, index)) },
    ];
  },
};

const headProduct = { transA: false, transB: true, alpha: 1 };

function elementwise(f: (a: number, b: number) => number) {
  return (node: Node, [a, b]: readonly Numbers[], { dims }: Context): readonly Numbers[] => {
    const shape = dims(outputOf(node).shape);
    return [tabulate(shape, (place) => f(read(given(a), place), read(given(b), place)))];
  };
}

function unary(f: (x: number) => number) {
  return (_node: Node, [x]: readonly Numbers[]): readonly Numbers[] => [{ dims: given(x).dims, data: given(x).data.map(f) }];
}

function product(
  [a, b, added]: readonly Numbers[],
  { transA, transB, alpha }: { transA: boolean; transB: boolean; alpha: number },
): Numbers {
  const [left, right] = [given(a), given(b)];
  const inner = at(left.dims, left.dims.length - (transA ? 2 : 1));
  const dims = [
    ...left.dims.slice(0, -2),
    at(left.dims, left.dims.length - (transA ? 1 : 2)),
    at(right.dims, right.dims.length - (transB ? 2 : 1)),
  ];
  return tabulate(dims, (place) => {
    const batch = place.slice(0, -2);
    const [row, column] = [at(place, place.length - 2), at(place, place.length - 1)];
    let total = 0;
    for (let k = 0; k < inner; k++) {
      total += read(left, [...batch, ...(transA ? [k, row] : [row, k])]) * read(right, [...batch, ...(transB ? [column, k] : [k, column])]);
    }
    return alpha * total + (added === undefined ? 0 : read(added, place));
  });
}

function tabulate(dims: readonly number[], f: (place: number[]) => number): Numbers {
  const result = zeros(dims);
  for (let index = 0; index < result.data.length; index++) result.data[index] = f(placeOf(dims, index));
  return result;
}

function byRow({ dims, data }: Numbers, f: (row: Float64Array) => Float64Array): Numbers {
  const width = at(dims, dims.length - 1);
  const rows = Array.from({ length: data.length / width }, (_, row) => f(data.subarray(row * width, (row + 1) * width)));
  return { dims: dims.with(-1, rows[0]?.length ?? width), data: Float64Array.from(rows.flatMap((row) => [...row])) };
}

/** The number at a place, where axes of size 1 are read for any index and missing leading axes are left out. */
function read({ dims, data }: Numbers, place: readonly number[]): number {
  return data[offsetOf(dims, place.slice(place.length - dims.length))] ?? raise(`no number at ${place.join()} of [${dims.join()}]`);
}

function offsetOf(dims: readonly number[], place: readonly number[]): number {
  return dims.reduce((offset, dim, axis) => offset * dim + (dim === 1 ? 0 : at(place, axis)), 0);
}

function placeOf(dims: readonly number[], index: number): number[] {
  const place: number[] = [];
  let rest = index;
  for (const dim of dims.toReversed()) {
    place.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return place;
}

function zeros(dims: readonly number[]): Numbers {
  return { dims, data: new Float64Array(dims.reduce((size, dim) => size * dim, 1)) };
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? raise(`no place ${index} among ${values.length}`);
}

function given(value: Numbers | undefined): Numbers {
  return value ?? raise("an input is missing");
}

function leaf(leaves: { readonly [name: string]: Numbers }, name: string): Numbers {
  return leaves[name] ?? raise(`no leaf "${name}"`);
}

function raise(message: string): never {
  throw new Error(`Interpreter: ${message}.`);
}
