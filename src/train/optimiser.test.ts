// The optimiser against torch.optim.AdamW (fixtures/adamw.py made the numbers).
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { startOptimiser } from "./optimiser.ts";

interface Step {
  /** Of the gradient before clipping. */
  readonly norm: number;
  readonly parameters: readonly number[];
}

const fixture = JSON.parse(readFileSync(new URL("./fixtures/adamw.json", import.meta.url), "utf8")) as readonly Step[];
const [matrix, norm] = [11, 5];

let runtime: Runtime;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  for (const buffer of ["parameter", "mean", "variance", "gradient"]) await runtime.allocate(buffer, matrix + norm);
});
afterAll(() => runtime[Symbol.asyncDispose]());

/** The formula of the fixture's script. */
function formula(seed: number, count: number, size: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => size * Math.sin(index * 12.9898 + seed * 78.233));
}

test("ten updates with decay of the matrix alone, clipping and a changing rate are torch's", async () => {
  await using optimiser = await startOptimiser(runtime, matrix + norm, matrix);
  await runtime.write("parameter", Float32Array.of(...formula(1, matrix, 0.4), ...formula(2, norm, 0.4).map((value) => value + 1)));
  for (const [index, expected] of fixture.entries()) {
    const step = index + 1;
    const gradient = formula(10 + step, matrix + norm, step % 3 === 0 ? 2 : step === 5 ? 1e-6 : 0.1);
    await runtime.write("gradient", gradient);
    const length = await optimiser.norm("gradient");
    expect(Math.abs(length - expected.norm)).toBeLessThan(1e-6 * expected.norm + 1e-12);
    await optimiser.update("gradient", length, { step, learningRate: (0.02 * step) / 10, weightDecay: 0.1, maxNorm: 1 });
    const parameters = await runtime.read("parameter", 0, matrix + norm);
    for (const [place, value] of expected.parameters.entries())
      expect(Math.abs(parameters[place]! - value), `number ${place} after step ${step}`).toBeLessThan(2e-6);
  }
});

test("gradients of several batches are added up", async () => {
  await using optimiser = await startOptimiser(runtime, matrix + norm, matrix);
  for (const [index, seed] of [3, 4, 5].entries()) {
    await runtime.write("gradient", formula(seed, matrix + norm, 0.1));
    await optimiser.accumulate(index === 0);
  }
  const [a, b, c] = [3, 4, 5].map((seed) => formula(seed, matrix + norm, 0.1)) as [Float32Array, Float32Array, Float32Array];
  const total = await runtime.read("total", 0, matrix + norm);
  for (const [place, value] of total.entries()) expect(value).toBeCloseTo(a[place]! + b[place]! + c[place]!, 6);
  // A second update starts from nothing.
  await optimiser.accumulate(true);
  expect(await runtime.read("total", 0, matrix + norm)).toEqual(formula(5, matrix + norm, 0.1));
});
