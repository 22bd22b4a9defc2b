// What keeps a model from forgetting, on a random two-layer llama: replay, nearness to the base model, averaging with it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TokenSequence } from "../model.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { readGguf, readTensor } from "../weights/gguf-read.ts";
import type { DoneEvent, StepEvent, TrainingEvent } from "./events.ts";
import { writeTinyLlama } from "./fixtures/tiny-llama.ts";
import { logits } from "./logits.ts";
import { type FullResult, tuneFull } from "./tune-full.ts";
import { type LoraResult, tuneLora, type TuneLoraOptions } from "./tune-lora.ts";

let runtime: Runtime;
let folder: string;
let basePath: string;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "sartor-forgetting-"));
  basePath = await writeTinyLlama(folder);
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const random = seededRandom("general");
const general = Array.from({ length: 40 }, (): TokenSequence => {
  return { tokens: Array.from({ length: 13 }, () => random.integer(64)), promptLength: 0 };
});
const [replayed, unseen] = [general.slice(0, 32), general.slice(36)];
const train = Array.from({ length: 12 }, (_, index): TokenSequence => ({ tokens: [1, index, 2, 63 - index, 5], promptLength: 3 }));
const tune = (options: Partial<TuneLoraOptions> = {}) =>
  tuneLora({ runtime, basePath, train, validation: [], learningRate: 1e-2, epochs: 8, batchSize: 4, ...options });

test("replayed texts are learnt beside the task", async () => {
  const [without, replay] = [await finish(tune()), await finish(tune({ replay: { sequences: replayed, share: 1, weight: 1 } }))];
  const [before, after] = [await loss(replayed.slice(0, 5), without.done), await loss(replayed.slice(0, 5), replay.done)];
  expect(after).toBeLessThan(0.8 * before);
  expect(await loss(train, replay.done)).toBeLessThan(0.5 * (await loss(train)));
  expect(without.steps[0]?.penalty).toBeUndefined();
  expect(replay.steps[0]?.penalty).toBeGreaterThan(1);
  // Both begin at the same weights with the same examples.
  expect(replay.steps[0]?.loss).toBe(without.steps[0]?.loss);
});

test("kept near to the base model on replayed texts, its predictions on others stay nearer too; the task is learnt all the same", async () => {
  const replay = { sequences: replayed, share: 2, weight: 0 };
  const [without, kept] = [await finish(tune()), await finish(tune({ replay, kl: { weight: 3 } }))];
  expect(kept.steps[0]?.penalty).toBeCloseTo(0, 5);
  expect(kept.steps.at(-1)?.penalty).toBeGreaterThan(0.01);
  expect(await divergence(unseen, kept.done)).toBeLessThan(0.5 * (await divergence(unseen, without.done)));
  expect(await loss(train, kept.done)).toBeLessThan(0.5 * (await loss(train)));
});

test("the task's own completions may be what is compared, and full tuning is kept near too", async () => {
  const near = await finish(tune({ kl: { weight: 3, on: "task" } }));
  expect(await divergence(train, near.done)).toBeLessThan(0.5 * (await divergence(train, (await finish(tune())).done)));

  const full = (more: object) =>
    finish(tuneFull({ runtime, basePath, train, validation: [], learningRate: 1e-3, epochs: 4, batchSize: 4, ...more }));
  const [free, kept] = [await full({}), await full({ kl: { weight: 10, on: "task" } })];
  expect(await change(kept.done)).toBeLessThan(0.9 * (await change(free.done)));
});

test("averaging goes a part of the way back: half of B A for LoRA, half of every change in full", async () => {
  const [whole, half] = [await finish(tune()), await finish(tune({ averaging: { factors: [0.5] } }))];
  expect(half.done.averaged).toEqual({ factor: 0.5, tried: [] });
  for (const [index, { a, b }] of half.done.adapter.entries()) {
    const tuned = whole.done.adapter[index];
    expect(a).toEqual(tuned?.a);
    expect(b).toEqual(tuned?.b.map((value) => 0.5 * value));
  }
  const full = (factor: number) =>
    finish(tuneFull({ runtime, basePath, train, validation: [], learningRate: 1e-3, epochs: 1, averaging: { factors: [factor] } }));
  expect(await change((await full(0)).done)).toBe(0);
  expect(await change((await full(0.25)).done)).toBeCloseTo(0.25 * (await change((await full(1)).done)), 4);
});

test("the share of the way is the smallest whose validation loss is within one standard error of the lowest", async () => {
  const { done } = await finish(tune({ validation: train, averaging: {} }));
  const { factor, tried } = done.averaged ?? { factor: 0, tried: [] };
  expect(tried.map((one) => one.factor)).toEqual([0.25, 0.5, 0.75, 1]);
  expect(tried.at(-1)?.loss).toBeCloseTo(done.losses[done.bestEpoch - 1]?.validation ?? 0, 5);
  const best = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
  expect(factor).toBe(tried.find(({ loss: one }) => one <= best.loss + best.error)?.factor);
  expect(await loss(train, done)).toBeCloseTo(tried.find((one) => one.factor === factor)?.loss ?? 0, 5);
});

test("what cannot be is named", async () => {
  const refused = async (options: Partial<TuneLoraOptions>, message: string) => expect(finish(tune(options))).rejects.toThrow(message);
  await refused({ kl: { weight: 1 } }, 'Give replay.sequences, or set kl.on to "task".');
  await refused({ replay: { sequences: [] } }, "There is nothing in the replayed texts.");
  await refused({ replay: { sequences: replayed, share: 0 } }, "replay.share is 0. Give a number above 0.");
  await refused({ averaging: { factors: [2] } }, "averaging.factors is [2].");
  await refused({ averaging: {} }, "There are no validation examples to choose among averaging.factors by.");
});

/** Mean cross-entropy of the completions, with an adapter or without. */
async function loss(sequences: readonly TokenSequence[], adapter?: LoraResult): Promise<number> {
  const rows = await predictions(sequences, adapter);
  return -rows.reduce((sum, { log, label }) => sum + log[label]!, 0) / rows.length;
}

/** Mean KL divergence of the adapted model from the base. */
async function divergence(sequences: readonly TokenSequence[], adapter: LoraResult): Promise<number> {
  const [base, tuned] = [await predictions(sequences), await predictions(sequences, adapter)];
  const each = base.map(({ log }, row) => log.reduce((sum, value, token) => sum + Math.exp(value) * (value - tuned[row]!.log[token]!), 0));
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

/** Log-probabilities of all tokens where one of a completion is predicted, and that token. */
async function predictions(sequences: readonly TokenSequence[], adapter?: LoraResult) {
  const rows: { readonly log: readonly number[]; readonly label: number }[] = [];
  for (const { tokens, promptLength } of sequences) {
    const given = adapter === undefined ? {} : { adapter: { ...adapter, tensors: adapter.adapter } };
    const { data, vocabulary } = await logits({ runtime, basePath, tokens, ...given });
    for (let place = Math.max(promptLength, 1); place < tokens.length; place++) {
      const scores = [...data.subarray((place - 1) * vocabulary, place * vocabulary)];
      const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
      rows.push({ log: scores.map((score) => score - total), label: tokens[place]! });
    }
  }
  return rows;
}

/** Distance of the tuned weights from the base's. */
async function change({ tensors }: FullResult): Promise<number> {
  const file = await readGguf(basePath);
  let squares = 0;
  for (const [name, { data }] of tensors) {
    const base = await readTensor(file, name);
    for (const [index, value] of data.entries()) squares += (value - base[index]!) ** 2;
  }
  return Math.sqrt(squares);
}

async function finish<R>(run: AsyncIterable<TrainingEvent<R>>): Promise<{ done: DoneEvent<R>; steps: readonly StepEvent[] }> {
  const steps: StepEvent[] = [];
  for await (const event of run) {
    if (event.kind === "step") steps.push(event);
    if (event.kind === "done") return { done: event, steps };
  }
  throw new Error("The run ended without its last event.");
}
