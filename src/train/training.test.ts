// Whole runs on a random two-layer llama: they learn, keep the best, stop and go on with the same bits.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { TokenSequence } from "../model.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { estimateTraining } from "./estimate.ts";
import type { DoneEvent, TrainingEvent } from "./events.ts";
import { randomTensors, tinyConfig, writeTinyLlama } from "./fixtures/tiny-llama.ts";
import { logits } from "./logits.ts";
import { measureStep } from "./measure.ts";
import { pretrain } from "./pretrain.ts";
import { tuneFull } from "./tune-full.ts";
import { type LoraResult, tuneLora, type TuneLoraOptions } from "./tune-lora.ts";
import { textData } from "./windows.ts";

let runtime: Runtime;
let folder: string;
let basePath: string;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "sartor-train-"));
  basePath = await writeTinyLlama(folder);
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A rule that can be learnt: the completion repeats the prompt's second token, then its square. */
const sequence = (index: number): TokenSequence => ({
  tokens: [1, index, 2, index, (index * index) % 64, ...(index % 2 ? [3] : [])],
  promptLength: 3,
});
const train = Array.from({ length: 12 }, (_, index) => sequence(index + 4));
const validation = [sequence(5), sequence(9)];
const quick = { train, validation, learningRate: 1e-2, epochs: 3, batchSize: 4 } as const;
const tune = (options: Partial<TuneLoraOptions> = {}) => tuneLora({ runtime, basePath, ...quick, ...options });

test("LoRA learns a small set by heart", async () => {
  const { done, events } = await finish(tune({ epochs: 30, validation: train }));
  const first = events.find((event) => event.kind === "step");
  expect(first).toMatchObject({ step: 1, of: 90 });
  expect(done.losses[0]?.validation).toBeGreaterThan(1);
  expect(done.losses.at(-1)?.validation).toBeLessThan(0.01);
  expect(done).toMatchObject({ rank: 8, alpha: 16, steps: 90, stoppedEarly: false, trainedParameters: 7424 });
  expect(done.adapter.map(({ target, rank, inputs, outputs }) => `${target} ${rank} ${inputs} ${outputs}`).slice(0, 7)).toEqual([
    "blk.0.attn_q.weight 8 32 32",
    "blk.0.attn_k.weight 8 32 16",
    "blk.0.attn_v.weight 8 32 16",
    "blk.0.attn_output.weight 8 32 32",
    "blk.0.ffn_gate.weight 8 32 48",
    "blk.0.ffn_up.weight 8 32 48",
    "blk.0.ffn_down.weight 8 48 32",
  ]);

  const { data, vocabulary } = await logits({ runtime, basePath, tokens: [1, 7, 2, 7], adapter: { ...done, tensors: done.adapter } });
  const after = (place: number) => data.slice(place * vocabulary, (place + 1) * vocabulary);
  expect(after(2).indexOf(Math.max(...after(2)))).toBe(7);
  expect(after(3).indexOf(Math.max(...after(3)))).toBe(49);
});

test("fast products learn the same set by heart, by other weights, measured by the exact loss", async () => {
  const wide = await writeTinyLlama(folder, { ...tinyConfig, width: 64, headDim: 16, hidden: 128 }, 1);
  const shared = { basePath: wide, epochs: 30, validation: train } as const;
  const [exact, fast] = [await finish(tune(shared)), await finish(tune({ ...shared, precision: "fast" }))];
  expect(fast.done.losses[0]?.train).not.toBe(exact.done.losses[0]?.train);
  expect(Math.abs((fast.done.losses[0]?.train ?? 9) - (exact.done.losses[0]?.train ?? 0))).toBeLessThan(0.1);
  expect(fast.done.losses.at(-1)?.validation).toBeLessThan(0.01);
});

test("only the layers named are adapted, and the scale of rsLoRA is alpha / sqrt(rank)", async () => {
  const { done } = await finish(tune({ epochs: 1, targets: ["v", "q", "down"], rank: 4, alpha: 8 }));
  expect(done.adapter.map(({ target }) => target)).toEqual(
    [0, 1].flatMap((layer) => ["attn_q", "attn_v", "ffn_down"].map((name) => `blk.${layer}.${name}.weight`)),
  );
  const rooted = await finish(tune({ epochs: 1, targets: ["q", "v", "down"], rank: 4, alpha: 4, rsLora: true }));
  expect(rooted.done).toMatchObject({ rank: 4, alpha: 8, adapter: done.adapter });
});

test("dropout changes what is learnt and not what is measured", async () => {
  const [without, half] = [await finish(tune({ maxSteps: 3 })), await finish(tune({ maxSteps: 3, dropout: 0.5 }))];
  // B is zero before the first update, so that nothing dropped is seen yet.
  expect(lossesOf(half)[0]).toBe(lossesOf(without)[0]);
  expect(half.done.adapter).not.toEqual(without.done.adapter);
  const still = { learningRate: 1e-12, epochs: 1 };
  const [measured, same] = [await finish(tune({ ...still, dropout: 0.5 })), await finish(tune(still))];
  expect(measured.done.losses[0]?.validation).toBeCloseTo(same.done.losses[0]?.validation ?? 0, 6);
});

test("settings that make no sense are named", async () => {
  const refused = async (options: Partial<TuneLoraOptions>, message: RegExp) => expect(finish(tune(options))).rejects.toThrow(message);
  await refused({ rank: 0 }, /^rank is 0\. Give a whole number/);
  await refused({ alpha: -1 }, /^alpha is -1\./);
  await refused({ dropout: 1 }, /^dropout is 1\./);
  await refused({ learningRate: -1 }, /^learningRate is -1\. Give a number above 0\.$/);
  await refused({ batchSize: 2.5 }, /^batchSize is 2\.5\. Give a whole number from 1 on\.$/);
  await refused({ schedule: "sine" as never }, /^schedule is "sine"\. Give one of: constant, linear, cosine\.$/);
  await refused({ train: [] }, /^There is nothing in the training data\./);
  await refused({ targets: [] }, /^targets is \[\]\. Name one or more of: q, k, v, o, gate, up, down\.$/);
});

test("an update split into several batches moves the weights as one batch does", async () => {
  const [whole, split] = [await finish(tune({ epochs: 1 })), await finish(tune({ epochs: 1, batchTokens: 6 }))];
  for (const [index, { b }] of whole.done.adapter.entries()) {
    const other = split.done.adapter[index]?.b ?? new Float32Array();
    expect(Math.max(...b.map((value, place) => Math.abs(value - (other[place] ?? Number.NaN))))).toBeLessThan(1e-4);
  }
});

test("the same seed gives the same bits, another seed others", async () => {
  const [one, same, other] = [await finish(tune()), await finish(tune()), await finish(tune({ seed: 1 }))];
  expect(one.done.adapter).toEqual(same.done.adapter);
  expect(one.done.losses).toEqual(same.done.losses);
  expect(one.done.adapter).not.toEqual(other.done.adapter);
});

test.each<[string, Partial<TuneLoraOptions>]>([
  ["plain", {}],
  ["dropout", { dropout: 0.3 }],
  ["replay", { replay: { sequences: train.slice(0, 5) } }],
  ["kl", { kl: { weight: 2, on: "task" } }],
  ["averaging", { averaging: {} }],
])("a run that was stopped at any step goes on and ends with the same bits: %s", async (name, more) => {
  const { done: expected } = await finish(tune(more));
  for (const stopAfter of [1, 3, 5, 8]) {
    const checkpointFolder = join(folder, `stopped-${name}-${stopAfter}`);
    const options = { ...more, checkpointFolder, checkpointEvery: 2 };
    let steps = 0;
    for await (const event of tune(options)) if (event.kind === "step" && ++steps === stopAfter) break;
    const { done, events } = await finish(tune(options));
    expect(done.adapter).toEqual(expected.adapter);
    expect(done.losses).toEqual(expected.losses);
    const saved = Math.max(2 * Math.floor((stopAfter - 1) / 2), 3 * Math.floor((stopAfter - 1) / 3));
    expect(events.find((event) => event.kind === "step")?.step).toBe(saved + 1);
  }
});

test("a process killed again and again: the next goes on, and the last ends with the same bits", async () => {
  const everything: Partial<TuneLoraOptions> = {
    epochs: 20,
    patience: 20,
    checkpointEvery: 1,
    dropout: 0.1,
    replay: { sequences: train.slice(3), share: 0.5 },
    kl: { weight: 0.5 },
    averaging: {},
  };
  const { done: expected } = await finish(tune(everything));
  const options = { ...quick, ...everything, basePath, checkpointFolder: join(folder, "killed") };
  // At the first step of its own, at the end of an epoch, and between two checkpoints being written.
  for (const last of [1, 9, 20]) expect(await killedAfter(last, options)).toEqual([null, "SIGKILL"]);

  const { done, events } = await finish(tune(options));
  expect(done.adapter).toEqual(expected.adapter);
  expect(done.losses).toEqual(expected.losses);
  expect(events.find((event) => event.kind === "step")?.step).toBeGreaterThanOrEqual(20);
}, 60_000);

/** Runs a process and kills it when it tells that it has taken a step. */
async function killedAfter(step: number, options: object): Promise<unknown> {
  const script = fileURLToPath(new URL("fixtures/train-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) if (Number(line.split(" ")[0]) >= step) child.kill("SIGKILL");
  return ended;
}

test("a thousand steps hold no more memory at their end than in their middle", async () => {
  // 0.35 MB of state a copy: whatever kept one of each step would hold 176 MB more. The rest is the collectors' leisure.
  const allowance = 64e6;
  const options = { ...quick, basePath, rank: 64, epochs: 1000, maxSteps: 1000, learningRate: 1e-4, patience: 1000, checkpointEvery: 50 };
  const script = fileURLToPath(new URL("fixtures/train-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const held = new Map<number, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [step, bytes] = line.split(" ").map(Number) as [number, number];
    held.set(step, bytes);
  }
  expect(held.size).toBe(1000);
  expect(held.get(1000)! - held.get(500)!).toBeLessThan(allowance);
}, 120_000);

test("the event loop turns while training", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  let steps = 0;
  for await (const event of tune()) if (event.kind === "step") steps++;
  clearInterval(timer);
  expect(steps).toBe(9);
  expect(turns).toBeGreaterThan(9);
});

test("a finished run's folder gives the result at once, and another run does not touch it", async () => {
  const checkpointFolder = join(folder, "finished");
  const { done: expected } = await finish(tune({ checkpointFolder }));
  const { done, events } = await finish(tune({ checkpointFolder }));
  expect(events.map(({ kind }) => kind)).toEqual(["done"]);
  expect(done.adapter).toEqual(expected.adapter);
  expect((await readdir(checkpointFolder)).length).toBe(5);
  await expect(finish(tune({ checkpointFolder, seed: 3 }))).rejects.toThrow("belongs to another run");
});

test("a checkpoint that lacks a file, or has one cut short, is named", async () => {
  const checkpointFolder = join(folder, "broken");
  const options = { checkpointFolder, checkpointEvery: 1 };
  for await (const event of tune(options)) if (event.kind === "step" && event.step === 2) break;
  const path = join(checkpointFolder, "step-1-mean.f32");
  await truncate(path, 100);
  await expect(finish(tune(options))).rejects.toThrow(
    /step-1-mean\.f32 has 100 bytes in place of 44032\. Delete the folder and train again\./,
  );
  await rm(path);
  await expect(finish(tune(options))).rejects.toThrow(
    /^The checkpoint in .*broken is not whole: ENOENT.*Delete the folder and train again\.$/,
  );
});

test("the best epoch by validation is kept, and the run stops when nothing gets better", async () => {
  // Validation contradicts training, so that it only gets worse once training is learnt.
  const contrary = train.map(({ tokens, promptLength }) => ({
    tokens: tokens.map((token, index) => (index >= promptLength ? 63 - token : token)),
    promptLength,
  }));
  const { done, events } = await finish(tune({ epochs: 20, validation: contrary, patience: 2 }));
  const validations = done.losses.map(({ validation: loss }) => loss ?? Number.NaN);
  expect(done.stoppedEarly).toBe(true);
  expect(done.bestEpoch).toBe(validations.indexOf(Math.min(...validations)) + 1);
  expect(done.losses.length).toBe(done.bestEpoch + 2);
  expect(
    events
      .filter((event) => event.kind === "epoch")
      .map(({ best }) => best)
      .lastIndexOf(true) + 1,
  ).toBe(done.bestEpoch);
});

test("maxSteps ends a run in the middle of an epoch", async () => {
  const { done } = await finish(tune({ maxSteps: 4, validation: [] }));
  expect(done.steps).toBe(4);
  expect(done.losses.map(({ epoch, validation: loss }) => [epoch, loss])).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
  expect(done.bestEpoch).toBe(2);
});

test("a learning rate that breaks the weights is an error that names it", async () => {
  await expect(finish(tune({ learningRate: 1e30, warmup: 0 }))).rejects.toThrow(
    /Training diverged at step \d of 9: .*learning rate .*Lower the learning rate/,
  );
});

test("an abort ends the run between steps, and nothing of it is left in the temporary folder", async () => {
  const temporary = await mkdtemp(join(folder, "temporary-"));
  vi.stubEnv("TMPDIR", temporary).stubEnv("TEMP", temporary);
  try {
    const controller = new AbortController();
    const run = async () => {
      for await (const event of tune({ signal: controller.signal })) {
        expect(await readdir(temporary)).toHaveLength(1);
        if (event.kind === "step") controller.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(await readdir(temporary)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("full tuning changes every tensor and learns; with lastLayers only the last", async () => {
  const all = await finish(tuneFull({ runtime, basePath, ...quick, epochs: 15, learningRate: 3e-3, validation: train }));
  const original = randomTensors(tinyConfig);
  expect([...all.done.tensors.keys()].sort()).toEqual([...original.keys()].sort());
  for (const [name, { shape, data }] of all.done.tensors) {
    expect(shape).toEqual(original.get(name)?.shape);
    expect(data).not.toEqual(original.get(name)?.data);
  }
  expect(all.done.losses.at(-1)?.validation).toBeLessThan(0.05);

  const last = await finish(tuneFull({ runtime, basePath, ...quick, lastLayers: 1 }));
  expect([...last.done.tensors.keys()].filter((name) => !name.startsWith("blk.1."))).toEqual(["output_norm.weight"]);
  expect(last.done.tensors.size).toBe(10);
});

test("a GGUF model is trained on with plain text: what it has not seen of it becomes likelier, by LoRA and in full", async () => {
  // A language of its own: each token is followed by one of two.
  const random = seededRandom("text");
  const text = Array.from({ length: 600 }).reduce<number[]>((tokens) => [...tokens, (3 * tokens.at(-1)! + random.integer(2)) % 40], [7]);
  const options = { runtime, basePath, ...textData({ texts: [text], length: 32, separator: 63 }), batchSize: 4, epochs: 8 };
  const runs = [tuneLora({ ...options, learningRate: 1e-2 }), tuneFull({ ...options, learningRate: 3e-3 })];
  for (const run of runs) {
    const { losses } = (await finish<unknown>(run)).done;
    expect(losses.at(-1)?.validation).toBeLessThan(0.75 * (losses[0]?.validation ?? 0));
  }
});

test("a model trained from scratch learns its text, and starts near the loss of guessing", async () => {
  const text = Array.from({ length: 120 }, (_, index) => (index * index + 3) % 13);
  const sequences = Array.from({ length: 10 }, (_, index) => ({ tokens: text.slice(index * 10, index * 10 + 14), promptLength: 0 }));
  const { layers, width, heads, kvHeads, hidden, vocabulary, context, ropeBase } = tinyConfig;
  const config = { layers, width, heads, kvHeads, hidden, vocabulary, context, ropeBase };
  const { done, events } = await finish(
    pretrain({ runtime, config, train: sequences, validation: sequences, epochs: 40, learningRate: 5e-3 }),
  );
  const first = events.find((event) => event.kind === "step");
  expect(first?.loss).toBeCloseTo(Math.log(vocabulary), 0);
  expect(done.losses.at(-1)?.validation).toBeLessThan(0.5);
  expect(done.config).toEqual(tinyConfig);
  expect(done.tensors.get("blk.1.ffn_gate.weight")?.shape).toEqual([48, 32]);
});

test("what a run will need is told before it, and a few steps can be timed", async () => {
  const sequences = train.map(({ tokens, promptLength }) => ({ tokens: tokens.length, promptLength }));
  const estimate = estimateTraining({ config: tinyConfig, kind: "lora", sequences, epochs: 3, batchSize: 4 });
  const { done } = await finish(tune());
  expect(estimate).toMatchObject({
    steps: done.steps,
    stepsPerEpoch: 3,
    tokens: 3 * train.reduce((sum, { tokens }) => sum + tokens.length - 1, 0),
  });
  let clock = 0;
  const measured = await measureStep({ runtime, run: { kind: "lora", basePath }, train, batchSize: 4, now: () => clock++ });
  expect(measured.secondsPerStep).toBeGreaterThan(0);
  expect(measured.startSeconds).toBe(1);
  // The two largest of the nine updates were timed, for one tick of the clock.
  expect(Math.abs(measured.operationsPerSecond / ((estimate.operations * 2) / 9) - 1)).toBeLessThan(0.05);
});

function lossesOf({ events }: { readonly events: readonly TrainingEvent<unknown>[] }): readonly number[] {
  return events.flatMap((event) => (event.kind === "step" ? [event.loss] : []));
}

async function finish<R = LoraResult>(
  run: AsyncIterable<TrainingEvent<R>>,
): Promise<{ done: DoneEvent<R>; events: readonly TrainingEvent<R>[] }> {
  const events: TrainingEvent<R>[] = [];
  for await (const event of run) events.push(event);
  const done = events.at(-1);
  if (done?.kind !== "done") throw new Error("The run ended without its last event.");
  return { done, events };
}
