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
      %10: [batch, time, time] = matmul(%4, %4, transB)
      %11: [batch, time, time] = softmax(%10)
      %12: [batch, time, 3] = add(%7, %7)
      %13: [batch, time, 3] = matmul(%11, %12, transA)
      %14: [batch, time, time] = matmul(%12, %4, transB)
      %15: [batch, time, 3] = mul(%12, %7)
      %16: [batch, time, 1] = sum(%15, axes=[-1], keepDims)
      %17: [batch, time, time] = sub(%14, %16)
      %18: [batch, time, time] = mul(%11, %17)
      %19: [batch, time, 3] = matmul(%18, %4)
      %20: [batch, time, 3] = add(%13, %19)
      %21: [batch, time, 3] = matmul(%18, %4, transA)
      %22: [batch, time, 3] = add(%20, %21)
      %23: [batch*time, 3] = reshape(%22, shape=[batch*time, 3])
      %24: [batch*time, 3] = siluGradient(%23, %2)
      %25: [3, 3] = gemm(%24, %1, transA)
      return loss = %9, dw = %25"
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
