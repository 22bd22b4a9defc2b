// Fast products against exact ones: ONNX Runtime, plain loops and the exact graph.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Graph, trace } from "../graph/graph.ts";
import { interpret } from "../graph/interpret.ts";
import { gemm, input, weight } from "../graph/ops.ts";
import { serialise } from "../graph/onnx.ts";
import { hadamard, quantise, rotationBlock } from "../graph/quantise.ts";
import { verify } from "../graph/verify.ts";
import { float32, float32Data } from "../runtime/tensor.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { type Int8Matrix, int8Matrix } from "./int8-weight.ts";

const [rows, outputs, inputs] = [9, 192, 128];

let runtime: Runtime;
beforeAll(() => {
  runtime = startRuntime({ threads: 1 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

const normals = (seed: string, length: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
};
const matrix = normals("matrix", outputs * inputs);

/** x W^T, or x W, added to something. */
function productGraph(contracts: "inputs" | "outputs"): Graph {
  const [inner, columns] = contracts === "inputs" ? [inputs, outputs] : [outputs, inputs];
  const [x, added] = [input("x", "float32", ["rows", inner]), input("added", "float32", ["rows", columns])];
  const table = weight("w", [outputs, inputs]);
  return verify(trace("product", { y: gemm(x, table, { transB: contracts === "inputs", added }) }));
}

const float64 = (data: ArrayLike<number>, dims: readonly number[]) => ({ dims, data: Float64Array.from(data) });

for (const contracts of ["inputs", "outputs"] as const) {
  const [inner, columns] = contracts === "inputs" ? [inputs, outputs] : [outputs, inputs];
  const x = normals("x", rows * inner);
  // A channel that is much larger than the others, as in real models, and a row of nothing.
  for (let row = 0; row < rows; row++) x[row * inner + 5]! *= 30;
  x.fill(0, inner, 2 * inner);
  const added = normals("added", rows * columns);

  test(`products over ${contracts} from bytes are those of plain loops, and within a hundredth of the exact ones`, async () => {
    const exact = productGraph(contracts);
    const { graph, weights } = quantise(exact, () => "int8");
    const [[name]] = [...weights] as [[string, unknown]];
    const { bytes, scales } = int8Matrix(matrix, [outputs, inputs], contracts);
    const sources = new Map<string, Float32Array | Int8Array>([
      [name, bytes],
      [`${name}.scales`, scales],
    ]);
    await using session = await runtime.load({
      source: { bytes: serialise(verify(graph), { weights: (key) => ({ data: sources.get(key)! }) }) },
    });
    const feeds = { x: float32(x, [rows, inner]), added: float32(added, [rows, columns]) };
    const computed = float32Data(await session.run(feeds), "y");
    const leaves = { x: float64(x, [rows, inner]), added: float64(added, [rows, columns]) };
    const byLoops = interpret(graph, {
      ...leaves,
      [name]: float64(bytes, [inner, columns]),
      [`${name}.scales`]: float64(scales, [columns]),
    })["y"]!.data;
    const precise = interpret(exact, { ...leaves, w: float64(matrix, [outputs, inputs]) })["y"]!.data;
    expect(distance(computed, byLoops)).toBeLessThan(2e-3);
    expect(distance(computed, precise)).toBeLessThan(0.01);
    expect(distance(computed, precise)).toBeGreaterThan(1e-4);
  });

  test(`bytes over ${contracts} times their scales are the rotated matrix, each within half a step`, () => {
    const { bytes, scales }: Int8Matrix = int8Matrix(matrix, [outputs, inputs], contracts);
    const wanted = rotated(contracts);
    for (let index = 0; index < bytes.length; index++) {
      const scale = scales[index % columns]!;
      expect(Math.abs(bytes[index]! * scale - wanted[index]!)).toBeLessThan(0.5001 * scale);
    }
    expect(Math.max(...bytes.map(Math.abs))).toBe(127);
  });
}

test("a matrix of nothing has no scale, and gives nothing", () => {
  const { bytes, scales } = int8Matrix(new Float32Array(outputs * inputs), [outputs, inputs], "inputs");
  expect(new Set(bytes)).toEqual(new Set([0]));
  expect(new Set(scales)).toEqual(new Set([0]));
});

test("products whose width is no multiple of a block stay exact", () => {
  const narrow = trace("narrow", { y: gemm(input("x", "float32", ["rows", 48]), weight("w", [64, 48]), { transB: true }) });
  expect(quantise(narrow, () => "int8").weights.size).toBe(0);
});

test("the rotation is its own inverse", () => {
  const h = hadamard(rotationBlock);
  for (let row = 0; row < rotationBlock; row++) {
    for (let column = 0; column < rotationBlock; column++) {
      let sum = 0;
      for (let k = 0; k < rotationBlock; k++) sum += h[row * rotationBlock + k]! * h[k * rotationBlock + column]!;
      expect(sum).toBeCloseTo(row === column ? 1 : 0, 5);
    }
  }
});

/** The contracted axis first, rotated by the matrix itself. */
function rotated(contracts: "inputs" | "outputs"): Float64Array {
  const [inner, columns] = contracts === "inputs" ? [inputs, outputs] : [outputs, inputs];
  const h = hadamard(rotationBlock);
  const at = (row: number, column: number): number =>
    contracts === "inputs" ? matrix[column * inputs + row]! : matrix[row * inputs + column]!;
  return Float64Array.from({ length: inner * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const start = row - (row % rotationBlock);
    let sum = 0;
    for (let k = 0; k < rotationBlock; k++) sum += h[(row - start) * rotationBlock + k]! * at(start + k, column);
    return sum;
  });
}

/** Norm of the difference over the norm of what is wanted. */
function distance(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let index = 0; index < wanted.length; index++) {
    difference += (actual[index]! - wanted[index]!) ** 2;
    size += wanted[index]! ** 2;
  }
  return Math.sqrt(difference / size);
}
