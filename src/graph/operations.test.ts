// Every operation three ways: ONNX Runtime against plain float64 loops, and the derivative against finite differences.
import { afterAll, beforeAll, expect, test } from "vitest";
import { float32, int64, type Tensors } from "../runtime/tensor.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { gradients } from "./differentiate.ts";
import { trace } from "./graph.ts";
import { interpret, type Numbers } from "./interpret.ts";
import type { OpName, Value } from "./ir.ts";
import * as op from "./ops.ts";
import { serialise } from "./onnx.ts";
import { simplify } from "./simplify.ts";
import { verify } from "./verify.ts";

interface Case {
  /** The values whose derivative is tested. */
  readonly variables: readonly Value[];
  readonly output: Value;
  readonly indices?: { readonly [name: string]: readonly number[] };
  /** Reads a fixed tensor, as rope's tables. */
  readonly fixed?: readonly Value[];
}

const x = (name: string, ...shape: number[]) => op.input(name, "float32", shape);
const binary = (f: (a: Value, b: Value) => Value): readonly Case[] => {
  const [a, b, row, one] = [x("a", 2, 3, 4), x("b", 2, 3, 4), x("row", 3, 1), x("one")];
  return [
    { variables: [a, b], output: f(a, b) },
    { variables: [a, row], output: f(a, row) },
    { variables: [a, one], output: f(a, one) },
    { variables: [row, a], output: f(row, a) },
    { variables: [a], output: f(a, a) },
  ];
};
const unary = (f: (a: Value) => Value): readonly Case[] => {
  const a = x("a", 3, 5);
  return [{ variables: [a], output: f(a) }];
};
const flags = [false, true];
const products = flags.flatMap((transA) => flags.map((transB) => ({ transA, transB, alpha: transA ? 0.5 : 1 })));

const cases: { readonly [O in OpName]: readonly Case[] } = {
  input: unary((a) => a),
  weight: unary((a) => op.mul(a, op.constant(Float32Array.of(1, 2, 3, 4, 5), [5]))),
  constant: unary((a) => op.mul(a, op.scalar(3))),
  fill: unary((a) => op.mul(a, op.fill(2, [3, 5]))),
  add: binary(op.add),
  sub: binary(op.sub),
  mul: binary(op.mul),
  div: binary(op.div),
  neg: unary(op.neg),
  sqrt: unary(op.sqrt),
  sigmoid: unary(op.sigmoid),
  silu: unary((a) => op.silu(op.sub(a, op.scalar(1)))),
  siluGradient: [],
  gelu: unary((a) => op.gelu(op.mul(op.sub(a, op.scalar(1)), op.scalar(4)))),
  geluGradient: [],
  geluTanh: unary((a) => op.geluTanh(op.mul(op.sub(a, op.scalar(1)), op.scalar(4)))),
  geluTanhGradient: [],
  gemm: products.map((options) => {
    const [a, b] = [options.transA ? x("a", 4, 3) : x("a", 3, 4), options.transB ? x("b", 5, 4) : x("b", 4, 5)];
    const c = options.transB ? x("c", 3, 5) : x("c", 5);
    return { variables: [a, b, c], output: op.gemm(a, b, { ...options, added: c }) };
  }),
  matmul: products.map((options) => {
    const [a, b] = [options.transA ? x("a", 2, 2, 4, 3) : x("a", 2, 2, 3, 4), options.transB ? x("b", 2, 2, 5, 4) : x("b", 2, 2, 4, 5)];
    return { variables: [a, b], output: op.matmul(a, b, options) };
  }),
  gemmInt8: [],
  softmax: unary(op.softmax),
  drop: [dropped()],
  rmsNorm: [rmsNorm()],
  rope: flags.map((interleaved) => {
    const [a, cos, sin] = [x("a", 2, 3, 4, 6), x("cos", 5, 3), x("sin", 5, 3)];
    return { variables: [a], fixed: [cos, sin], output: op.rope(a, cos, sin, interleaved) };
  }),
  reshape: unary((a) => op.reshape(op.mul(a, a), [5, 3])),
  transpose: [transposed()],
  split: [split()],
  concat: [concat()],
  expand: [expanded()],
  sum: unary((a) => op.mul(op.sum(a, [0], true), op.sum(a, [1], true))),
  gather: [gather()],
  scatterAdd: [scatterAdd()],
  linearCrossEntropy: [crossEntropy(), maskedCrossEntropy()],
  linearKl: [divergence()],
};

let runtime: Runtime;
beforeAll(() => {
  runtime = startRuntime({ threads: 2 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

for (const [name, of] of Object.entries(cases)) {
  for (const [index, { variables, output, indices = {}, fixed = [] }] of of.entries()) {
    test(`${name} ${index}: computed and differentiated`, async () => {
      const upstream = op.input("upstream", "float32", output.shape);
      const loss = op.sum(
        op.mul(output, upstream),
        output.shape.map((_, axis) => axis),
      );
      const derivatives = gradients(loss, variables);
      const plain = verify(trace("test", { loss, ...Object.fromEntries(derivatives.map((value, i) => [`d${i}`, value])) }));
      const graph = verify(simplify(plain));
      const leaves = randomLeaves([...variables, ...fixed, upstream], indices);
      const exact = interpret(graph, leaves);
      expect(rounded(exact)).toEqual(rounded(interpret(plain, leaves)));

      const given = new Set(graph.inputs.map((node) => node.attributes.name));
      const feeds = Object.entries(leaves).filter(([leaf]) => given.has(leaf));
      await using session = await runtime.load({ source: { bytes: serialise(graph) } });
      const computed = await session.run(Object.fromEntries(feeds.map(([leaf, numbers]) => [leaf, tensor(numbers, leaf in indices)])));
      expectClose(computed, exact, 1e-5);

      for (const [i, variable] of variables.entries()) {
        const { name: leaf } = variable.node.attributes as { name: string };
        expectNear(exact[`d${i}`]?.data ?? new Float64Array(), numericGradient(plain, leaves, leaf), 1e-6);
      }
    });
  }
}

function rmsNorm(): Case {
  const [a, w] = [x("a", 3, 5), x("w", 5)];
  return { variables: [a, w], output: op.rmsNorm(a, w, 1e-5).y };
}

function dropped(): Case {
  const [a, rows, columns] = [x("a", 3, 4), op.input("rows", "int64", [3]), op.input("columns", "int64", [4])];
  const indices = { rows: [-1_640_531_535, 1_013_904_223, 2_147_483_647], columns: [1_664_525, -1_028_477_387, 69_069, 5] };
  return { variables: [a], output: op.drop(op.mul(a, a), { rate: 0.4, rows, columns }), indices };
}

function transposed(): Case {
  const a = x("a", 2, 3, 4);
  return { variables: [a], output: op.transpose(a, [2, 0, 1]) };
}

function split(): Case {
  const a = x("a", 2, 6);
  const [first, , last] = op.split(a, 1, [1, 2, 3]) as [Value, Value, Value];
  return { variables: [a], output: op.mul(first, last) };
}

function concat(): Case {
  const [a, b] = [x("a", 2, 3), x("b", 2, 1)];
  return { variables: [a, b], output: op.concat([a, b, a], 1) };
}

function expanded(): Case {
  const a = x("a", 3, 1);
  return { variables: [a], output: op.expand(a, [2, 3, 4]) };
}

function gather(): Case {
  const [table, places] = [x("table", 4, 3), op.input("places", "int64", [5])];
  return { variables: [table], output: op.gather(table, places), indices: { places: [3, 0, 0, 1, 3] } };
}

function scatterAdd(): Case {
  const [base, rows, places] = [x("base", 4, 3), x("rows", 5, 3), op.input("places", "int64", [5])];
  return { variables: [base, rows], output: op.scatterAdd(base, places, rows), indices: { places: [3, 0, 0, 1, 3] } };
}

function crossEntropy(): Case {
  const [hidden, table, labels] = [x("hidden", 3, 4), x("table", 6, 4), op.input("labels", "int64", [3])];
  return { variables: [hidden, table], output: op.linearCrossEntropy(hidden, table, labels).losses, indices: { labels: [5, 0, 5] } };
}

/** Two places are all but closed, neither a label's. */
function maskedCrossEntropy(): Case {
  const [hidden, table, labels] = [x("hidden", 3, 4), x("table", 6, 4), op.input("labels", "int64", [3])];
  const added = op.constant(
    Float32Array.from({ length: 18 }, (_, index) => (index === 1 || index === 9 ? -30 : 0)),
    [3, 6],
  );
  return { variables: [hidden, table], output: op.linearCrossEntropy(hidden, table, labels, added).losses, indices: { labels: [5, 0, 5] } };
}

function divergence(): Case {
  const [hidden, table] = [x("hidden", 3, 4), x("table", 6, 4)];
  const base = { hidden: x("baseHidden", 3, 4), table: x("baseTable", 6, 4) };
  return { variables: [hidden, table], fixed: [base.hidden, base.table], output: op.linearKl(hidden, table, base).losses };
}

function randomLeaves(values: readonly Value[], indices: { readonly [name: string]: readonly number[] }): Record<string, Numbers> {
  const random = seededRandom(7);
  const leaves: Record<string, Numbers> = {};
  for (const { node, shape } of values) {
    const dims = shape.map(Number);
    // Away from 0, so that quotients and roots are smooth.
    const data = Float64Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => Math.fround(0.5 + random.next()));
    leaves[(node.attributes as { name: string }).name] = { dims, data };
  }
  for (const [name, list] of Object.entries(indices)) leaves[name] = { dims: [list.length], data: Float64Array.from(list) };
  return leaves;
}

function numericGradient(graph: Parameters<typeof interpret>[0], leaves: Record<string, Numbers>, name: string): Float64Array {
  const { dims, data } = leaves[name] as Numbers;
  const step = 1e-5;
  const lossAt = (index: number, change: number) => {
    const moved = data.slice();
    moved[index] = (moved[index] ?? 0) + change;
    return interpret(graph, { ...leaves, [name]: { dims, data: moved } })["loss"]?.data[0] ?? Number.NaN;
  };
  return data.map((_, index) => (lossAt(index, step) - lossAt(index, -step)) / (2 * step));
}

function tensor({ dims, data }: Numbers, whole: boolean) {
  return whole ? int64(data, dims) : float32(Float32Array.from(data), dims);
}

function expectClose(computed: Tensors, exact: { readonly [name: string]: Numbers }, tolerance: number): void {
  expect(Object.keys(computed).sort()).toEqual(Object.keys(exact).sort());
  for (const [name, { dims, data }] of Object.entries(exact)) {
    expect(computed[name]?.dims).toEqual(dims);
    expectNear(Float64Array.from(computed[name]?.data as Float32Array), data, tolerance);
  }
}

function expectNear(actual: Float64Array, expected: Float64Array, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((actual[index] ?? Number.NaN) - value), `number ${index}: ${actual[index]} for ${value}`).toBeLessThan(
      tolerance * (1 + Math.abs(value)),
    );
  }
}

function rounded(results: { readonly [name: string]: Numbers }) {
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => [name, { dims, data: [...data].map((value) => value.toFixed(9)) }]),
  );
}
