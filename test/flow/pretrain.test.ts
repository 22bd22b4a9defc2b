// Training from scratch without a task: the file written is the model that was trained, with its tokenizer, and llama.cpp goes on with it.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { pretrain, type PretrainEvent, type PretrainOptions } from "../../src/pretrain.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { tokenizerFromGguf } from "../../src/tokenizer/gguf-tokenizer.ts";
import { logits } from "../../src/train/logits.ts";
import { readGguf } from "../../src/weights/gguf-read.ts";
import { tinyEnvironment } from "../support/tiny-task.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-pretrain-"));
  await mkdir(join(folder, "texts"));
  for (const [index, subject] of ["keeper", "boat", "lamp"].entries()) {
    const lines = Array.from(
      { length: 60 },
      (_, line) => `The ${subject} has the number ${(line * (index + 3)) % 17}; Größe ${line % 5} m.`,
    );
    await writeFile(join(folder, "texts", `${subject}.md`), `# The ${subject}\n\n${lines.join("\n")}\n`);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(given: Partial<PretrainOptions> & Pick<PretrainOptions, "output">, until?: (event: PretrainEvent) => boolean) {
  const controller = new AbortController();
  const events: PretrainEvent[] = [];
  const options = { data: join(folder, "texts"), context: 32, vocabulary: 400, ...given, output: join(folder, given.output) };
  for await (const event of pretrain({ ...options, environment: tinyEnvironment, signal: controller.signal })) {
    events.push(event);
    if (until?.(event) === true) controller.abort();
  }
  const done = events.at(-1);
  if (done?.kind !== "done") throw new Error("The run ended without its last event.");
  return { done, events };
}

test("text becomes a model that llama.cpp reads as the training graph does", async () => {
  const { done, events } = await run({ output: "model", depth: 1 });
  const [plan] = events;
  expect(plan).toMatchObject({ kind: "plan", config: { layers: 1, width: 64, heads: 1, context: 32 }, epochs: 16 });
  expect(done.losses.at(-1)!.train).toBeLessThan(0.5 * done.losses[0]!.train);
  expect(done.bitsPerByte).toBeGreaterThan(0.1);
  expect(done.bitsPerByte).toBeLessThan(3);
  expect(done.sample?.text.length).toBeGreaterThan(10);

  const path = done.files["model"]!;
  const text = "The keeper has the number 7; Größe 3 m.\nThe boat";
  await using model = await openLlamaModel({ path, threads: 1, contextLength: 32 });
  const tokens = model.tokenizeText(text);
  expect(tokens).toEqual(tokenizerFromGguf((await readGguf(path)).metadata).encode(text));
  const theirs = await model.score(tokens);
  await using runtime = startRuntime({ threads: 1 });
  const { data, vocabulary } = await logits({ runtime, basePath: path, tokens });
  const ours = tokens.slice(1).map((token, row) => {
    const scores = data.subarray(row * vocabulary, (row + 1) * vocabulary);
    return scores[token]! - Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  });
  // llama.cpp keeps keys and values in half precision.
  expect(Math.max(...ours.map((value, index) => Math.abs(value - theirs[index]!)))).toBeLessThan(5e-3);
}, 180_000);

test("a run that is stopped goes on and ends with the same file", async () => {
  const { done: expected } = await run({ output: "whole", tokens: 12_000 });
  const stopped = run({ output: "parts", tokens: 12_000 }, (event) => event.kind === "epoch" && event.epoch === 2);
  await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  const { done } = await run({ output: "parts", tokens: 12_000 });
  expect(await readFile(done.files["model"]!)).toEqual(await readFile(expected.files["model"]!));
  expect(done.sample).toEqual(expected.sample);
}, 180_000);

test("one file of text, and rows of text, are read", async () => {
  const text = await readFile(join(folder, "texts", "boat.md"), "utf8");
  await writeFile(join(folder, "rows.jsonl"), [text, text].map((one) => JSON.stringify({ text: one })).join("\n"));
  const planned = async (data: string) => {
    for await (const event of pretrain({ data: join(folder, data), output: join(folder, "planned"), environment: tinyEnvironment }))
      return event;
  };
  expect(await planned("texts/boat.md")).toMatchObject({ kind: "plan", characters: text.length });
  expect(await planned("rows.jsonl")).toMatchObject({ kind: "plan", characters: 2 * text.length });
});

test("what nothing can be learnt from is one line", async () => {
  await writeFile(join(folder, "short.txt"), "Too short.");
  await writeFile(join(folder, "pairs.jsonl"), JSON.stringify({ prompt: "a", completion: "b" }));
  const wrong = (given: Partial<PretrainOptions>) => run({ output: "wrong", ...given });
  const file = (name: string) => ({ data: join(folder, name) });
  await expect(wrong(file("short.txt"))).rejects.toThrow("holds 10 characters of text; a model needs 1000 at least");
  await expect(wrong(file("pairs.jsonl"))).rejects.toThrow('pre-training reads a column "text"');
  await expect(wrong(file("nothing"))).rejects.toThrow("There is no file or folder");
  await expect(wrong({ depth: 2, tokens: 100 })).rejects.toThrow("Each decides the other: give one.");
  await expect(wrong({ vocabulary: 100 })).rejects.toThrow("A vocabulary of 100 tokens has no room");
  await expect(wrong({ context: 4 })).rejects.toThrow("context is 4. Give a whole number from 32.");
});
