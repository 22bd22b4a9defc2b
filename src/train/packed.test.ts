// Frozen weights that stay quantised are the same numbers as those made whole beforehand: the same losses, the same gradients.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decoderParameters } from "../nn/architectures.ts";
import { allParameters, isMatrix } from "../nn/parameters.ts";
import { startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { commonPacking, type Packed, packedNumbers, type Packing, repack } from "../weights/packed.ts";
import { makeUpdate } from "./batches.ts";
import { fillParameter, startEngine } from "./engine.ts";
import { tinyConfig } from "./fixtures/tiny-llama.ts";
import type { PackedWeights } from "./weights-file.ts";

const config = { ...tinyConfig, hidden: 64 };
const forms: readonly Packing[] = [
  { block: 32, minima: false },
  { block: 16, minima: true },
  { block: 32, minima: true },
  { block: 16, minima: false },
];

/** Every matrix quantised, neighbours in a stack each in its own way. */
function quantisedModel(heldWhole = false) {
  const random = seededRandom("packed");
  const packings = new Map<string, Packing>();
  const packed = new Map<string, Packed>();
  const plain = new Map<string, Float32Array>();
  for (const parameter of allParameters(decoderParameters(config))) {
    for (const { tensor, rows } of parameter.parts) {
      const packing = forms[packings.size % forms.length]!;
      if (!isMatrix(parameter)) {
        plain.set(tensor, new Float32Array(rows).fill(1));
        continue;
      }
      packings.set(tensor, packing);
      packed.set(tensor, randomPacked(rows * parameter.shape[1]!, packing, random));
    }
  }
  const read = (tensor: string) => Promise.resolve(plain.get(tensor) ?? packedNumbers(packed.get(tensor)!));
  const reader: PackedWeights = {
    packing: (tensor) => packings.get(tensor),
    read: (tensor) => Promise.resolve(packed.get(tensor)!),
    heldWhole,
  };
  return { read, packed: reader };
}

function randomPacked(count: number, { block, minima }: Packing, random: ReturnType<typeof seededRandom>): Packed {
  const blocks = count / block;
  return {
    codes: Int8Array.from({ length: count }, () => random.integer(31) - 15),
    steps: Float32Array.from({ length: blocks }, () => 0.02 * random.next()),
    minima: Float32Array.from({ length: minima ? blocks : 0 }, () => 0.05 * random.normal()),
  };
}

let folder = "";
const runtime = startRuntime({ threads: 1 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-packed-"));
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const update = makeUpdate(
  [
    { tokens: [1, 5, 9, 33, 2, 60, 7], promptLength: 2 },
    { tokens: [4, 4, 18, 21, 63], promptLength: 1 },
  ],
  64,
);

async function firstSteps(precision: "exact" | "fast", packed?: PackedWeights) {
  const { read } = quantisedModel();
  const method = { kind: "lora", rank: 2, alpha: 4 } as const;
  await using engine = await startEngine({ runtime, config, method, read, packed, folder, precision, anchored: false });
  const random = seededRandom("adapter");
  for (const parameter of engine.model.trained) await fillParameter(engine, parameter, () => 0.1 * random.normal());
  const step = { learningRate: 1e-2, weightDecay: 0, maxNorm: 1 };
  const results = [await engine.step(update, { ...step, step: 1 }), await engine.step(update, { ...step, step: 2 })];
  const learnt = await engine.read("parameter", 0, engine.size);
  return { results, learnt, losses: await engine.evaluate(update.batches[0]!, "losses") };
}

test.each([
  ["exact", false],
  ["exact", true],
  ["fast", false],
  ["fast", true],
] as const)("%s steps are the same from packed weights as from whole ones (held whole: %s)", async (precision, heldWhole) => {
  const [packed, whole] = [await firstSteps(precision, quantisedModel(heldWhole).packed), await firstSteps(precision)];
  for (const [index, { loss, norm }] of whole.results.entries()) {
    expect(packed.results[index]!.loss).toBeCloseTo(loss, 5);
    expect(packed.results[index]!.norm / norm).toBeCloseTo(1, 5);
  }
  for (const [index, loss] of whole.losses.entries()) expect(packed.losses[index]).toBeCloseTo(loss, 4);
  expect(Math.max(...whole.learnt.map((value, index) => Math.abs(value - packed.learnt[index]!)))).toBeLessThan(1e-4);
});

test("under the packing of a stack, each of its tensors is the numbers that it was", () => {
  const packing = fc.constantFrom(...forms);
  fc.assert(
    fc.property(packing, packing, fc.integer(), (own, other, seed) => {
      const packed = randomPacked(96, own, seededRandom(String(seed)));
      const common = commonPacking([own, other]);
      const repacked = repack(packed, common);
      expect(repacked.steps.length).toBe(96 / common.block);
      expect(repacked.minima.length).toBe(common.minima ? 96 / common.block : 0);
      expect(packedNumbers(repacked)).toEqual(packedNumbers(packed));
    }),
  );
});
