// A random adapter on a random two-layer model, in the graph and in llama.cpp: logits, continuations, the merge. The same comparisons with
// the real model and a tuned adapter: npm run bench -- exactness.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Finding, holds } from "../../bench/exactness/finding.ts";
import { compareContinuations, compareLogits, compareMerged } from "../../bench/exactness/served.ts";
import type { Setting } from "../../bench/exactness/setting.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { loraDefaults } from "../../src/train/defaults.ts";
import { seededRandom } from "../../src/util/random.ts";
import type { LoraTensor } from "../../src/weights/lora.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

const random = seededRandom("served");
let setting: Setting;
let adapter: readonly LoraTensor[];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-served-"));
  const files = { f32: join(folder, "f32.gguf"), q8_0: join(folder, "q8_0.gguf") };
  const { tensors } = await writeTinyLlama({ path: files.f32, seed: 5 });
  await writeTinyLlama({ path: files.q8_0, seed: 5, type: "Q8_0" });
  const tokens = (count: number) => Array.from({ length: count }, () => 3 + random.integer(380));
  const texts = {
    train: [],
    heldOut: Array.from({ length: 40 }, () => ({ tokens: tokens(20), promptLength: 12 })),
    plain: [tokens(100), tokens(100)],
  };
  setting = { folder, runtime: startRuntime({ threads: 1 }), files, texts };
  adapter = tensors.filter(({ name }) => /^blk.*(attn|ffn)_(q|k|v|output|gate|up|down)\.weight$/.test(name)).map(pairFor);
});
afterAll(async () => {
  await setting.runtime[Symbol.asyncDispose]();
  await rm(setting.folder, { recursive: true, force: true });
});

function pairFor({ name, shape: [outputs = 0, inputs = 0] }: { readonly name: string; readonly shape: readonly number[] }): LoraTensor {
  const { rank } = loraDefaults;
  const numbers = (count: number, deviation: number) => Float32Array.from({ length: count }, () => deviation * random.normal());
  return { target: name, a: numbers(rank * inputs, 1 / Math.sqrt(inputs)), b: numbers(outputs * rank, 0.05), rank, inputs, outputs };
}

const broken = (findings: readonly Finding[]): readonly Finding[] => findings.filter((finding) => !holds(finding));
const valueOf = (findings: readonly Finding[], name: string): number =>
  findings.find((finding) => finding.name === name)?.value ?? Number.NaN;

test("the graph and llama.cpp write the same with an adapter, and where they part it is by rounding", async () => {
  const { findings, deviations } = await compareLogits(setting);
  expect(valueOf(findings, "divergence f32, attention too")).toBeLessThan(1e-11);
  expect(valueOf(findings, "divergence f32")).toBeLessThan(1e-6);
  expect(valueOf(findings, "divergence q8_0")).toBeLessThan(1e-3);
  // A random model has many near ties, so that halves would part it from the graph more often than a model with sense.
  const continued = await compareContinuations(setting, { tensors: adapter, deviations, attention: "single" });
  expect(valueOf(continued, "continuation f32")).toBe(1);
  expect(valueOf(continued, "top token q8_0")).toBeGreaterThan(0.93);
  expect(broken(continued.filter(({ name }) => name === "gap q8_0"))).toEqual([]);
}, 60_000);

test("the merged model is the base with the adapter, in the graph and in llama.cpp", async () => {
  expect(broken(await compareMerged(setting, adapter))).toEqual([]);
}, 60_000);
