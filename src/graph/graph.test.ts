import fc from "fast-check";
import { expect, test } from "vitest";
import { gradients } from "./differentiate.ts";
import { trace } from "./graph.ts";
import type { Value } from "./ir.ts";
import * as op from "./ops.ts";
import { print } from "./print.ts";
import { serialise } from "./onnx.ts";
import { broadcastShape, product, quotient } from "./shape.ts";
import { simplify } from "./simplify.ts";
import { verify } from "./verify.ts";

test("a linear layer, its loss and its gradients, printed", () => {
  const x = op.input("x", "float32", ["rows", 4]);
  const w = op.input("w", "float32", [3, 4]);
  const loss = op.sum(op.silu(op.gemm(x, w, { transB: true })), [0, 1]);
  const [dw] = gradients(loss, [w]) as [Value];
  const graph = trace("linear", { loss, dw });
  expect(print(graph)).toMatchInlineSnapshot(`
    "linear
      input x: [rows, 4]
      input w: [3, 4]
      %1: [rows, 3] = gemm(x, w, transB)
      %2: [rows, 3] = silu(%1)
      %3: [] = sum(%2, axes=[0, 1])
      %4: [] = fill(shape=[], value=1)
      %5: [1, 1] = reshape(%4, shape=[1, 1])
      %6: [rows, 3] = expand(%5, shape=[rows, 3])
      %7: [rows, 3] = siluGradient(%6, %1)
      %8: [3, 4] = gemm(%7, x, transA)
      return loss = %3, dw = %8"
  `);
  expect(print(simplify(graph))).toMatchInlineSnapshot(`
    "linear
      input x: [rows, 4]
      input w: [3, 4]
      %1: [rows, 3] = gemm(x, w, transB)
      %2: [rows, 3] = silu(%1)
      %3: [] = sum(%2, axes=[0, 1])
      %4: [rows, 3] = fill(shape=[rows, 3], value=1)
      %5: [rows, 3] = siluGradient(%4, %1)
      %6: [3, 4] = gemm(%5, x, transA)
      return loss = %3, dw = %6"
  `);
});

test("only what lies between loss and variable is differentiated", () => {
  const [x, w, v] = ["x", "w", "v"].map((name) => op.input(name, "float32", [2, 2])) as [Value, Value, Value];
  const loss = op.sum(op.gemm(op.gemm(x, w), v), [0, 1]);
  const [dv] = gradients(loss, [v]) as [Value];
  expect(simplify(trace("last", { dv })).nodes.filter(({ op: name }) => name === "gemm").length).toBe(2);
  const [none] = gradients(loss, [op.input("other", "float32", [3])]) as [Value];
  expect(none.node).toMatchObject({ op: "fill", attributes: { value: 0, shape: [3] } });
});

test("a sum of products becomes one product that adds, and equal parts are computed once", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => op.input(name, "float32", [2, 2])) as [Value, Value, Value];
  const twice = op.add(op.gemm(a, b), op.gemm(a, c));
  const same = op.mul(op.sigmoid(a), op.sigmoid(a));
  expect(print(simplify(trace("fused", { twice, same })))).toMatchInlineSnapshot(`
    "fused
      input a: [2, 2]
      input c: [2, 2]
      input b: [2, 2]
      %1: [2, 2] = gemm(a, b)
      %2: [2, 2] = gemm(a, c, %1)
      %3: [2, 2] = sigmoid(a)
      %4: [2, 2] = mul(%3, %3)
      return twice = %2, same = %4"
  `);
});

test("a product that is read twice is not fused into one of its readers", () => {
  const [a, b] = ["a", "b"].map((name) => op.input(name, "float32", [2, 2])) as [Value, Value];
  const shared = op.gemm(a, b);
  const graph = simplify(trace("shared", { sum: op.add(shared, a), root: op.sqrt(shared) }));
  expect(graph.nodes.filter(({ op: name }) => name === "gemm").length).toBe(1);
});

test("two transpositions that undo each other, and chains of reshapes, disappear", () => {
  const x = op.input("x", "float32", ["batch", 6]);
  const there = op.transpose(op.reshape(x, ["batch", 2, 3]), [0, 2, 1]);
  const back = op.reshape(op.transpose(there, [0, 2, 1]), ["batch", 6]);
  expect(simplify(trace("back", { y: op.neg(op.neg(back)) })).nodes.map(({ op: name }) => name)).toEqual(["input"]);
});

test("an operation that does not fit its inputs says which, and why", () => {
  const a = op.input("a", "float32", ["rows", 4]);
  expect(() => op.gemm(a, a)).toThrow("gemm(float32[rows, 4], float32[rows, 4]): inner sizes 4 and rows");
  expect(() => op.add(a, op.input("b", "float32", [3]))).toThrow("do not broadcast");
  expect(() => op.reshape(a, [5])).toThrow("it does not hold as many numbers as [5]");
  expect(() => op.gather(a, a)).toThrow("input 1 is no list of indices");
});

test("verification finds two leaves of one name, and a size that no input tells", () => {
  const twins = op.add(op.input("x", "float32", [2]), op.input("x", "float32", [2]));
  expect(() => verify(trace("twins", { y: twins }))).toThrow('two leaves are called "x"');
  expect(() => verify(trace("open", { y: op.fill(1, ["rows"]) }))).toThrow('has the size "rows", which no input tells');
});

test("verification finds a node whose output is not what its inputs make", () => {
  const x = op.input("x", "float32", [2, 3]);
  const { node } = op.neg(x);
  const forged = { ...node, outputs: [{ node, index: 0, type: "float32" as const, shape: [3, 2] }] };
  const graph = trace("forged", { y: op.neg(x) });
  const nodes = graph.nodes.map((each) => (each.op === "neg" ? forged : each));
  expect(() => verify({ ...graph, nodes })).toThrow("neg has output 0 of shape [3, 2] in place of [2, 3]");
});

test("a weight without numbers is an error before anything runs", () => {
  const y = op.neg(op.weight("w", [2]));
  expect(() => serialise(trace("weights", { y }))).toThrow('The graph has a weight "w" and nothing says where its numbers are.');
});

const dims = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom("batch", "time", "batch*time", "3*time")), { maxLength: 4 });

test("products of sizes do not depend on order or grouping, and division undoes them", () => {
  fc.assert(
    fc.property(dims, dims, (a, b) => {
      expect(product([...a, ...b])).toBe(product([product(b), product(a)]));
      expect(quotient(product([...a, ...b]), product(b))).toBe(product(a));
    }),
  );
  expect(product(["time", 3, "batch", 2])).toBe("6*batch*time");
  expect(() => quotient("3*time", 2)).toThrow("2 does not divide 3*time");
});

test("shapes broadcast as NumPy's do", () => {
  expect(broadcastShape(["batch", 1, 4], [3, 1])).toEqual(["batch", 3, 4]);
  expect(broadcastShape([], [2])).toEqual([2]);
});
