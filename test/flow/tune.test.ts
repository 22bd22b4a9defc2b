// Fine-tuning without a task, with a tiny random model: what is written is what llama.cpp serves, and a stopped run goes on.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tune, type TuneEvent, type TuneOptions } from "../../src/tune.ts";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import type { AdapterFile, Decoding } from "../../src/model.ts";
import { sha256File } from "../../src/util/hash.ts";
import { tinyEnvironment } from "../support/tiny-task.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-tune-"));
  await writeTinyLlama({ path: join(folder, "tiny.gguf") });
  await writeRows("train.jsonl", rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const words = ["yes", "no", "maybe"];
const rows = Array.from({ length: 24 }, (_, index) => ({ prompt: `Is lamp number ${index % 3} red?`, completion: words[index % 3] }));
const writeRows = (name: string, lines: readonly unknown[]): Promise<void> =>
  writeFile(join(folder, name), lines.map((line) => JSON.stringify(line)).join("\n"));

type Given = Partial<TuneOptions> & Pick<TuneOptions, "output">;

/** What the last event says, and all events; `until` stops the run as Ctrl-C does. */
async function run({ output, ...given }: Given, until?: (event: TuneEvent) => boolean) {
  const controller = new AbortController();
  const events: TuneEvent[] = [];
  const quick = { learningRate: 1e-2, epochs: 12, batchSize: 4 };
  const files = { model: join(folder, "tiny.gguf"), data: join(folder, "train.jsonl"), output: join(folder, output) };
  for await (const event of tune({ ...files, ...quick, ...given, environment: tinyEnvironment, signal: controller.signal })) {
    events.push(event);
    if (until?.(event) === true) controller.abort();
  }
  const done = events.at(-1);
  if (done?.kind !== "done") throw new Error("The run ended without its last event.");
  return { done, events };
}

const decoding: Decoding = { constraint: { kind: "free" }, maxTokens: 8, temperature: 0, stop: [] };
async function answers(path: string, adapter?: AdapterFile): Promise<readonly string[]> {
  await using model = await openLlamaModel({ path, threads: 1, contextLength: 256 });
  const texts: string[] = [];
  for (const { prompt } of rows.slice(0, 3)) {
    const input = { kind: "chat", messages: [{ role: "user", content: prompt }], shared: 0 } as const;
    texts.push((await model.generate({ input, decoding, ...(adapter && { adapter }) })).text);
  }
  return texts;
}

test("an adapter is trained, written for llama.cpp and PEFT, and answers as it was taught", async () => {
  const { done, events } = await run({ output: "lora" });
  expect(events[0]).toEqual({
    kind: "data",
    train: 22,
    validation: 2,
    tokens: expect.any(Number),
    validationTokens: expect.any(Number),
    steps: 72,
    settings: { method: "lora", rank: 8, alpha: 16, learningRate: 0.01, epochs: 12, batchSize: 4, seed: 0 },
    reasons: { rank: expect.stringContaining("tokens to learn") },
    notices: ["2 rows of 24 held out for validation."],
  });
  expect((await readdir(join(folder, "lora"))).toSorted()).toEqual(["adapter.gguf", "curve.svg", "peft", "run.json", "training.jsonl"]);
  const path = done.files["adapter"]!;
  expect(await answers(join(folder, "tiny.gguf"), { path, sha256: await sha256File(path), scale: 1 })).toEqual(words);
  const peft = JSON.parse(await readFile(join(folder, "lora", "peft", "adapter_config.json"), "utf8")) as unknown;
  expect(peft).toMatchObject({ peft_type: "LORA", r: 8, lora_alpha: 16, base_model_name_or_path: "tiny" });
  expect(await readFile(done.files["curve"]!, "utf8")).toContain("<svg");
}, 180_000);

test("a run that is stopped goes on where it was, and ends with the same bytes and one line a step", async () => {
  const given = { epochs: 4, rank: 4 };
  const { done: expected } = await run({ ...given, output: "whole" });
  const stopped = run({ ...given, output: "parts" }, (event) => event.kind === "step" && event.step === 13);
  await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  const { done, events } = await run({ ...given, output: "parts" });
  expect(events.find((event) => event.kind === "step")).toMatchObject({ step: 13 });
  expect(done.losses).toEqual(expected.losses);
  expect(await readFile(done.files["adapter"]!)).toEqual(await readFile(expected.files["adapter"]!));
  const log = (await readFile(join(folder, "parts", "training.jsonl"), "utf8")).trim().split("\n");
  const steps = log.map((line) => JSON.parse(line) as { step: number; loss?: number }).filter((line) => line.loss !== undefined);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: expected.steps }, (_, index) => index + 1));

  const again = await run({ ...given, output: "parts" });
  expect(again.events.map(({ kind }) => kind)).toEqual(["data", "done"]);
  expect(again.done).toEqual(done);

  // What ended before its first checkpoint is in nobody's way.
  await expect(run({ ...given, output: "broken", targets: ["x" as "q"] })).rejects.toThrow("targets is [x]. Name one or more of: q, k, v");
  await run({ ...given, output: "broken", maxSteps: 1 });
  await expect(run({ ...given, output: "parts", seed: 1 })).rejects.toThrow("holds another run (other data, model or settings).");
}, 180_000);

test("every setting of training reaches it", async () => {
  const { done, events } = await run({
    output: "settings",
    maxSteps: 1,
    rank: 4,
    rsLora: true,
    targets: ["q", "v"],
    dropout: 0.1,
    schedule: "linear",
    precision: "fast",
  });
  expect(events[0]).toMatchObject({
    settings: { rank: 4, alpha: 8, rsLora: true, dropout: 0.1, schedule: "linear", precision: "fast" },
    reasons: {},
  });
  const peft = JSON.parse(await readFile(join(done.files["peft"]!, "adapter_config.json"), "utf8")) as unknown;
  expect(peft).toMatchObject({ r: 4, lora_alpha: 8, use_rslora: true, lora_dropout: 0.1, target_modules: ["q_proj", "v_proj"] });
  const last = await run({ output: "last", method: "full", maxSteps: 1, lastLayers: 1 });
  expect(last.done.trainedParameters).toBeLessThan(100_000);
}, 180_000);

test("full fine-tuning writes a whole model", async () => {
  const { done } = await run({ output: "full", method: "full", learningRate: 5e-3 });
  expect(await answers(done.files["model"]!)).toEqual(words);
}, 180_000);

test("conversations and plain text are learnt from too", async () => {
  const conversation = [
    { role: "user", content: "Is lamp number 1 red?" },
    { role: "assistant", content: "no" },
    { role: "user", content: "Is lamp number 2 red?" },
    { role: "assistant", content: "maybe" },
  ];
  await writeRows("mixed.jsonl", [
    { messages: conversation },
    { text: `The keeper writes the weather into the log. ${"It rains. ".repeat(30)}` },
  ]);
  const { events, done } = await run({ output: "mixed", data: join(folder, "mixed.jsonl"), maxLength: 64, maxSteps: 2 });
  // One sequence for each turn of the assistant, and windows of the text.
  expect(events[0]).toMatchObject({ train: 7, validation: 0, steps: 2 });
  expect(done.steps).toBe(2);
});

test.each([
  [{ rank: 0 }, "rank is 0. Give a whole number from 1 on."],
  [{ learningRate: -1 }, "learningRate is -1. Give a number above 0."],
  [{ method: "full", rank: 4 }, "rank belongs to LoRA. Leave it out of full fine-tuning."],
  [{ lastLayers: 1 }, "lastLayers belongs to full fine-tuning. Leave it out of LoRA."],
  [{ data: "nothing.jsonl" }, "There is no file nothing.jsonl. Check the path."],
  [{ model: "smollm2-135m-instrukt" }, 'No model "smollm2-135m-instrukt" in the catalogue.'],
  [{ model: "./nothing.gguf" }, "No model file at"],
  [{ maxLength: 4 }, "is longer than 4 tokens. Shorten them, or raise the longest length."],
] as const)("what cannot be tuned is one line: %j", async (given, message) => {
  await expect(run({ ...given, output: "wrong" })).rejects.toThrow(message);
  expect(await readdir(folder)).not.toContain("wrong");
});

test("general text read beside the data and nearness to the base model change what is learnt; averaging runs", async () => {
  await writeRows("general.jsonl", [{ text: "The ferry leaves at nine, and the harbour is quiet until noon." }]);
  const replay = join(folder, "general.jsonl");
  const ways: Record<string, Partial<TuneOptions>> = {
    plain: {},
    replay: { replay, replayWeight: 1 },
    near: { replay, kl: 5 },
    own: { kl: 5 },
    averaged: { averaging: true },
  };
  const learnt: Record<string, string> = {};
  for (const [name, way] of Object.entries(ways)) {
    const { done, events } = await run({ output: `against-${name}`, epochs: 2, ...way });
    learnt[name] = await sha256File(done.files["adapter"]!);
    expect(events[0]).toMatchObject({ settings: way });
  }
  expect(learnt["plain"]).not.toBe(learnt["replay"]);
  expect(new Set([learnt["plain"], learnt["replay"], learnt["near"], learnt["own"]]).size).toBe(4);
  await expect(run({ output: "against-nothing", replayWeight: 1 })).rejects.toThrow(
    "replayWeight is 1, and there are no texts to replay. Give replay too.",
  );
});
