// Steps of the training engine beside PyTorch and PEFT on a two-layer model (fixtures/tiny_steps.py made the numbers). The same with the
// real model: npm run bench -- exactness.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begin, stateOf } from "../../bench/exactness/adapters.ts";
import { largestDifference, relativeError } from "../../bench/exactness/finding.ts";
import { type Runtime, startRuntime } from "../../src/runtime/runtime.ts";
import { openBase } from "../../src/train/base.ts";
import { makeUpdate } from "../../src/train/batches.ts";
import { type Engine, startEngine } from "../../src/train/engine.ts";
import { logits } from "../../src/train/logits.ts";
import { writeGguf } from "../../src/weights/gguf-write.ts";
import type { LoraTensor } from "../../src/weights/lora.ts";
import { readPeftAdapter, writePeftAdapter } from "../../src/weights/peft-adapter.ts";
import fixture from "./fixtures/tiny-steps.json" with { type: "json" };

const [layers, width, kvWidth, hidden, vocabulary, rank, alpha] = [2, 16, 8, 24, 20, 2, 4];
const learningRate = 0.01;

let folder: string;
let runtime: Runtime;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-steps-"));
  runtime = startRuntime({ threads: 1 });
  const path = join(folder, "model.gguf");
  await writeModel(path);
  const { config, read } = await openBase(path);
  engine = await startEngine({ runtime, config, method: { kind: "lora", rank, alpha }, read, folder });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

// A whole batch, and one so split that its gradients are added up.
test.each([512, 10])("a step's loss and every gradient tensor are PEFT's to 1e-4, %d tokens at once", async (batchTokens) => {
  await begin(engine, adapter({ b: 0.1 }));
  const update = makeUpdate(sequences(0), batchTokens);
  expect(update.batches.length).toBe(batchTokens === 512 ? 1 : 3);
  const { loss } = await engine.step(update, { step: 1, learningRate: 0, weightDecay: 0, maxNorm: Infinity });
  expect(Math.abs(loss - fixture.loss)).toBeLessThan(1e-5);
  // AdamW's first moment after one step from zero is (1 - .9) times the gradient.
  const found = (await stateOf(engine, "mean")).flatMap(({ target, a, b }) => [
    [`${target}.lora_a`, a] as const,
    [`${target}.lora_b`, b] as const,
  ]);
  const errors = found.map(([name, tenth]) => {
    const expected = floats(fixture.gradients[name as keyof typeof fixture.gradients]);
    return {
      name,
      error: relativeError(
        tenth.map((value) => value / Math.fround(0.1)),
        expected,
      ),
    };
  });
  expect(errors.map(({ name }) => name).sort()).toEqual(Object.keys(fixture.gradients).sort());
  expect(errors.filter(({ error }) => !(error < 1e-4))).toEqual([]);
});

test("fifty AdamW steps from the same adapter over the same batches lose what PEFT's lose, to 1e-3 at each", async () => {
  await begin(engine, adapter({ b: 0 }));
  const losses: number[] = [];
  for (let step = 1; step <= fixture.losses.length; step++) {
    const update = makeUpdate(sequences(step - 1), 512);
    losses.push((await engine.step(update, { step, learningRate, weightDecay: 0, maxNorm: 1 })).loss);
  }
  expect(losses.length).toBe(50);
  const apart = losses.map((loss, index) => Math.abs(loss - (fixture.losses[index] ?? Number.NaN)));
  expect(Math.max(...apart)).toBeLessThan(1e-3);
});

test("a folder that PEFT saved has PEFT's logits in the graph, and so has the same folder written again", async () => {
  const saved = join(folder, "saved");
  await mkdir(saved);
  for (const [name, bytes] of Object.entries(fixture.saved)) await writeFile(join(saved, name), Buffer.from(bytes, "base64"));
  const attention = { architecture: "llama", heads: 4, kvHeads: 2 };
  const read = await readPeftAdapter(saved, attention);
  await writePeftAdapter({ folder: join(folder, "again"), baseModel: "none", ...read, ...attention });
  expect(await readPeftAdapter(join(folder, "again"), attention)).toEqual(read);
  const { data } = await logits({
    runtime,
    basePath: join(folder, "model.gguf"),
    tokens: sequences(0)[1]?.tokens ?? [],
    adapter: { ...read, rank },
  });
  expect(largestDifference(data, floats(fixture.logits))).toBeLessThan(1e-5);
});

/** The formula of the fixture's script. */
function numbers(name: string, count: number, scale: number, offset = 0): Float32Array {
  const seed = Array.from(name, (letter, place) => letter.charCodeAt(0) * (place + 1)).reduce((sum, value) => sum + value, 0) % 1009;
  const sine = (index: number): number => Math.fround(Math.sin(index * 12.9898 + seed * 78.233));
  return Float32Array.from({ length: count }, (_, index) => offset + Math.fround(Math.fround(scale) * sine(index)));
}

const linears: { readonly [part: string]: readonly [outputs: number, inputs: number] } = {
  attn_q: [width, width],
  attn_k: [kvWidth, width],
  attn_v: [kvWidth, width],
  attn_output: [width, width],
  ffn_gate: [hidden, width],
  ffn_up: [hidden, width],
  ffn_down: [width, hidden],
};

function ofLayers<T>(make: (name: string, part: string) => T, parts: readonly string[]): readonly T[] {
  return Array.from({ length: layers }, (_, layer) => parts.map((part) => make(`blk.${layer}.${part}.weight`, part))).flat();
}

function adapter({ b: scale }: { readonly b: number }): readonly LoraTensor[] {
  return ofLayers((target, part) => {
    const [outputs, inputs] = linears[part]!;
    const a = numbers(`${target}.lora_a`, rank * inputs, 0.25);
    return { target, a, b: numbers(`${target}.lora_b`, outputs * rank, scale), rank, inputs, outputs };
  }, Object.keys(linears));
}

async function writeModel(path: string): Promise<void> {
  const norm = (name: string) => ({ name, shape: [width], type: "F32" as const, data: numbers(name, width, 0.4, 1) });
  const matrix = (name: string, shape: readonly [number, number]) => ({
    name,
    shape,
    type: "F32" as const,
    data: numbers(name, shape[0] * shape[1], 0.4),
  });
  await writeGguf({
    path,
    metadata: {
      "general.architecture": "llama",
      "llama.block_count": layers,
      "llama.embedding_length": width,
      "llama.attention.head_count": 4,
      "llama.attention.head_count_kv": 2,
      "llama.feed_forward_length": hidden,
      "llama.context_length": 32,
      "llama.rope.freq_base": 1000,
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
    },
    tensors: [
      matrix("token_embd.weight", [vocabulary, width]),
      ...ofLayers(norm, ["attn_norm", "ffn_norm"]),
      ...ofLayers((name, part) => matrix(name, linears[part] as [number, number]), Object.keys(linears)),
      norm("output_norm.weight"),
    ],
  });
}

/** Four sequences of 4 to 9 tokens, the completion from the third token on. */
function sequences(step: number) {
  return Array.from({ length: 4 }, (_, row) => ({
    tokens: Array.from({ length: 4 + ((step + row * 3) % 6) }, (_token, at) => (step * 5 + row * 7 + at * (at + row + 1) * 3) % vocabulary),
    promptLength: 2,
  }));
}

function floats(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}
