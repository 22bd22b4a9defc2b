// Continued pre-training with new tokens, on a tiny random model: what is written has the longer vocabulary, and llama.cpp reads it as the
// training graph does.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ContinueEvent, type ContinueOptions, continuePretraining } from "../../src/continue-pretraining.ts";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { tokenizerFromGguf } from "../../src/tokenizer/gguf-tokenizer.ts";
import { logits } from "../../src/train/logits.ts";
import { tune, type TuneOptions } from "../../src/tune.ts";
import { readGguf, readTensor } from "../../src/weights/gguf-read.ts";
import { tinyEnvironment } from "../support/tiny-task.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-continue-"));
  await writeTinyLlama({ path: join(folder, "tiny.gguf") });
  await writeTinyLlama({ path: join(folder, "untied.gguf"), untied: true, type: "F16", preTokeniser: "smollm" });
  await writeFile(join(folder, "field.txt"), lines.join("\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lines = Array.from(
  { length: 60 },
  (_, index) => `Hypersonic flow past wing ${index % 7}: the aeroelastic flutter is ${index % 5} Hz.`,
);
const quick = { context: 64, learningRate: 3e-3, epochs: 2, batchSize: 4 };

type Given = Partial<ContinueOptions> & Pick<ContinueOptions, "output">;

async function run({ output, ...given }: Given, until?: (event: ContinueEvent) => boolean) {
  const controller = new AbortController();
  const events: ContinueEvent[] = [];
  const files = { model: join(folder, "tiny.gguf"), data: join(folder, "field.txt"), output: join(folder, output) };
  const environment = tinyEnvironment;
  for await (const event of continuePretraining({ ...files, ...quick, ...given, environment, signal: controller.signal })) {
    events.push(event);
    if (until?.(event) === true) controller.abort();
  }
  const done = events.at(-1);
  if (done?.kind !== "done") throw new Error("The run ended without its last event.");
  return { done, events };
}

test.each(["tiny", "untied"])(
  "%s: new tokens are learnt, written, and read by llama.cpp as here",
  async (name) => {
    const { done, events } = await run({ output: `learnt-${name}`, model: join(folder, `${name}.gguf`), newTokens: 25 });
    expect(events[0]).toMatchObject({ kind: "data", settings: { method: "full", newTokens: 25 } });
    expect(done.notices[1]).toMatch(/^25 new tokens \(.*\): the training text takes \d+ tokens in place of \d+, [3-9]\d\.\d % fewer\.$/u);
    expect(done.losses[1]!.validation!).toBeLessThan(done.losses[0]!.validation!);
    expect(done.bitsPerByte).toBeGreaterThan(0.1);
    expect(done.bitsPerByte).toBeLessThan(6);
    expect(done.sample?.prompt).not.toBe("");

    const path = done.files["model"]!;
    const [base, tuned] = [await readGguf(join(folder, `${name}.gguf`)), await readGguf(path)];
    const [old, tokenizer] = [tokenizerFromGguf(base.metadata), tokenizerFromGguf(tuned.metadata)];
    expect(tokenizer.model.tokens.length).toBe(old.model.tokens.length + 25);
    expect(tokenizer.chatTemplate).toBe(old.chatTemplate);
    const text = lines.slice(0, 2).join("\n");
    expect(tokenizer.decode(old.encode(text))).toBe(text);

    await using model = await openLlamaModel({ path, threads: 1, contextLength: 128 });
    const tokens = tokenizer.encode(text);
    expect([...model.tokenizeText(text)]).toEqual(tokens);
    const theirs = await model.score(tokens);
    await using runtime = startRuntime({ threads: 1 });
    const { data, vocabulary } = await logits({ runtime, basePath: path, tokens });
    const gaps = tokens.slice(1).map((token, row) => {
      const scores = data.subarray(row * vocabulary, (row + 1) * vocabulary);
      return Math.abs(scores[token]! - Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - theirs[row]!);
    });
    // llama.cpp keeps keys and values in half precision.
    expect(Math.max(...gaps)).toBeLessThan(5e-3);
  },
  180_000,
);

test("a run that is stopped goes on and ends with the same file, new rows and all", async () => {
  const given = { newTokens: 10, epochs: 3 };
  const { done: expected } = await run({ ...given, output: "whole" });
  const stopped = run({ ...given, output: "parts" }, (event) => event.kind === "epoch" && event.epoch === 2);
  await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  const { done } = await run({ ...given, output: "parts" });
  expect(await readFile(done.files["model"]!)).toEqual(await readFile(expected.files["model"]!));
  expect(done.losses).toEqual(expected.losses);
  const again = await run({ ...given, output: "parts" });
  expect(again.events.map(({ kind }) => kind)).toEqual(["data", "done"]);
  await expect(run({ ...given, newTokens: 11, output: "parts" })).rejects.toThrow("holds another run");
}, 180_000);

test("without new tokens the vocabulary stays, and more than the text offers are as many as it does", async () => {
  const size = async (path: string) => (await readTensor(await readGguf(path), "token_embd.weight")).length / 64;
  const { done: plain } = await run({ output: "plain", maxSteps: 1 });
  expect(await size(plain.files["model"]!)).toBe(384);
  expect(plain.notices).toHaveLength(1);
  const { done } = await run({ output: "greedy", maxSteps: 1, newTokens: 100_000 });
  expect(done.notices[2]).toMatch(/^\d+ of the 100000 new tokens asked for: the training text has no more pairs of tokens/u);
  expect(await size(done.files["model"]!)).toBe(384 + Number(/^\d+/u.exec(done.notices[2]!)![0]));
  // Every piece of this text is one token.
  await writeFile(join(folder, "letters.txt"), "a.".repeat(600));
  const { done: none } = await run({ output: "none", maxSteps: 1, newTokens: 5, data: join(folder, "letters.txt") });
  expect(await size(none.files["model"]!)).toBe(384);
  expect(none.notices[1]).toMatch(/^No new tokens: /u);
}, 180_000);

test("fine-tuning every weight on rows takes new tokens too", async () => {
  const rows = lines.map((line) => JSON.stringify({ prompt: line, completion: "aeroelastic" }));
  await writeFile(join(folder, "rows.jsonl"), rows.join("\n"));
  const files = { model: join(folder, "tiny.gguf"), data: join(folder, "rows.jsonl"), output: join(folder, "rows") };
  const settings: Partial<TuneOptions> = { method: "full", newTokens: 12, maxSteps: 1 };
  for await (const event of tune({ ...files, ...settings, environment: tinyEnvironment })) {
    if (event.kind !== "done") continue;
    expect(event.notices[1]).toContain("12 new tokens");
    const { model } = tokenizerFromGguf((await readGguf(event.files["model"]!)).metadata);
    expect(model.tokens.slice(384).join(" ")).toContain("aeroelastic");
  }
}, 60_000);

test.each([
  [{ newTokens: -1 }, "newTokens is -1. Give a whole number from 0 on."],
  [{ newTokens: 1.5 }, "newTokens is 1.5. Give a whole number from 0 on."],
  [{ context: 1 }, "context is 1. Give a whole number from 2 on."],
  [{ data: "nothing" }, "There is no file or folder nothing. Check the path."],
  [{ model: "./nothing.gguf" }, "No model file at"],
] as const)("what cannot be is one line: %j", async (given, message) => {
  await expect(run({ ...given, output: "wrong" })).rejects.toThrow(message);
  expect(await readdir(folder)).not.toContain("wrong");
});

test("where new rows would not be learnt, new tokens are refused", async () => {
  await writeFile(join(folder, "text.jsonl"), lines.map((text) => JSON.stringify({ text })).join("\n"));
  const files = { model: join(folder, "tiny.gguf"), data: join(folder, "text.jsonl"), output: join(folder, "wrong") };
  const first = (settings: Partial<TuneOptions>) => tune({ ...files, ...settings, newTokens: 5, environment: tinyEnvironment }).next();
  await expect(first({})).rejects.toThrow("newTokens belongs to full fine-tuning. Leave it out of LoRA.");
  await expect(first({ method: "full", lastLayers: 1 })).rejects.toThrow("Give newTokens or lastLayers.");
});

test("an empty corpus is one line", async () => {
  await writeFile(join(folder, "empty.txt"), "");
  await expect(run({ output: "wrong", data: join(folder, "empty.txt"), newTokens: 5 })).rejects.toThrow(/^[^\n]+$/u);
});
