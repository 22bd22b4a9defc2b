import { expect, test } from "vitest";
import { gradients } from "./differentiate.ts";
import { type Graph, trace } from "./graph.ts";
import { interpret, type Numbers } from "./interpret.ts";
import type { Value } from "./ir.ts";
import * as op from "./ops.ts";
import { print } from "./print.ts";
import { recompute } from "./recompute.ts";
import { simplify } from "./simplify.ts";
import { verify } from "./verify.ts";

/** Rows that look at one another, behind a layer with an activation: everything that is held and everything that is not. */
function step(): Graph {
  const [x, w] = [op.input("x", "float32", ["batch", "time", 3]), op.input("w", "float32", [3, 3])];
  const y = op.silu(op.gemm(op.reshape(x, ["batch*time", 3]), w, { transB: true }));
  const rows = op.reshape(y, ["batch", "time", 3]);
  const seen = op.matmul(op.softmax(op.matmul(rows, rows, { transB: true })), rows);
  const loss = op.sum(op.mul(seen, seen), [0, 1, 2]);
  const [dw] = gradients(loss, [w]) as [Value];
  return simplify(trace("step", { loss, dw }));
}

test("products are held, activations and what is quadratic in a size are computed again", () => {
  expect(print(recompute(step(), ["loss"]))).toMatchInlineSnapshot(`
    "step
      input x: [batch, time, 3]
      input w: [3, 3]
      %1: [batch*time, 3] = reshape(x, shape=[batch*time, 3])
      %2: [batch*time, 3] = gemm(%1, w, transB)
      %3: [batch*time, 3] = silu(%2)
      %4: [batch, time, 3] = reshape(%3, shape=[batch, time, 3])
      %5: [batch, time, time] = matmul(%4, %4, transB)
      %6: [batch, time, time] = softmax(%5)
      %7: [batch, time, 3] = matmul(%6, %4)
      %8: [batch, time, 3] = mul(%7, %7)
      %9: [] = sum(%8, axes=[0, 1, 2])
      %10: [batch*time, 3] = silu(%2)
      %11: [batch, time, 3] = reshape(%10, shape=[batch, time, 3])
      %12: [batch, time, time] = matmul(%11, %11, transB)
      %13: [batch, time, time] = softmax(%12)
      %14: [batch, time, 3] = add(%7, %7)
      %15: [batch, time, 3] = matmul(%13, %14, transA)
      %16: [batch, time, time] = matmul(%14, %11, transB)
      %17: [batch, time, 3] = mul(%14, %7)
      %18: [batch, time, 1] = sum(%17, axes=[-1], keepDims)
      %19: [batch, time, time] = sub(%16, %18)
      %20: [batch, time, time] = mul(%13, %19)
      %21: [batch, time, 3] = matmul(%20, %11)
      %22: [batch, time, 3] = add(%15, %21)
      %23: [batch, time, 3] = matmul(%20, %11, transA)
      %24: [batch, time, 3] = add(%22, %23)
      %25: [batch*time, 3] = reshape(%24, shape=[batch*time, 3])
      %26: [batch*time, 3] = siluGradient(%25, %2)
      %27: [batch*time, 3] = reshape(x, shape=[batch*time, 3])
      %28: [3, 3] = gemm(%26, %27, transA)
      return loss = %9, dw = %28"
  `);
});

test("the outputs are the same numbers", () => {
  const numbers = (dims: readonly number[]): Numbers => ({
    dims,
    data: Float64Array.from({ length: dims.reduce((a, b) => a * b) }, (_, index) => Math.sin(3 * index + 1)),
  });
  const leaves = { x: numbers([2, 4, 3]), w: numbers([3, 3]) };
  const graph = step();
  expect(interpret(verify(recompute(graph, ["loss"])), leaves)).toEqual(interpret(graph, leaves));
});
