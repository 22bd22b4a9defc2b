// What new tokens for a field's words save, and what they cost: tokens of held-out text of three fields, and of one of them the bits a
// character that the demo model takes for it, before and after the same few steps of continued pre-training on every weight.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEnvironment } from "../src/cli/environment.ts";
import { list, number, wholeNumber } from "../src/cli/options.ts";
import { openLlamaModel } from "../src/model/llama-cpp.ts";
import type { TokenSequence } from "../src/model.ts";
import { type Runtime, startRuntime } from "../src/runtime/runtime.ts";
import { type GgufTokenizer, tokenizerFromGguf } from "../src/tokenizer/gguf-tokenizer.ts";
import { sequenceRows } from "../src/train/batches.ts";
import { fullDefaults } from "../src/train/defaults.ts";
import { openLogits } from "../src/train/logits.ts";
import { tuneFull } from "../src/train/tune-full.ts";
import { tokenWindows } from "../src/train/windows.ts";
import { extendVocabulary } from "../src/weights/extend-vocabulary.ts";
import { readGguf } from "../src/weights/gguf-read.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { demoModel } from "./demo-model.ts";

/** Titles and abstracts: aerodynamics, computing, electronics. */
const fields = ["cranfield", "cacm", "vaswani"] as const;
const heldOutShare = 0.1;
/** Of the text held out, so much is predicted. */
const predictedCharacters = 24_000;
const window = 256;
const batchSize = 4;

interface Field {
  readonly train: readonly string[];
  readonly heldOut: readonly string[];
}

interface Saved {
  readonly field: string;
  readonly asked: number;
  readonly added: number;
  /** New tokens that stand nowhere in the training text: only others are made of them. */
  readonly unused: number;
  readonly train: number;
  readonly heldOut: number;
}

interface Learnt {
  readonly asked: number;
  readonly steps: number;
  readonly characters: number;
  readonly before: number;
  readonly after: number;
  readonly seconds: number;
  /** llama.cpp cuts the held-out texts into the same tokens. */
  readonly sameIds: boolean;
}

const known = {
  counts: { type: "string" },
  field: { type: "string" },
  steps: { type: "string" },
  "learning-rate": { type: "string" },
  seed: { type: "string" },
} as const;

/** `--counts` (0,200,1000), `--field` (cranfield) that is trained on, `--steps` (30; 0 trains nothing), `--learning-rate`, `--seed`. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { counts = "0,200,1000", field = "cranfield", steps = "30", seed = "0", ...rest } = readArguments(given, known);
  const asked = list(counts).map((count) => wholeNumber(count, "--counts"));
  const learningRate = number(rest["learning-rate"] ?? String(fullDefaults.learningRate), "--learning-rate");
  const settings = { steps: wholeNumber(steps, "--steps"), seed: wholeNumber(seed, "--seed"), learningRate };
  const folder = await mkdtemp(join(tmpdir(), "sartor-vocabulary-"));
  try {
    const base = await demoModel();
    const extended = (name: string, count: number): string => join(folder, `${name}-${count}.gguf`);
    const saved: Saved[] = [];
    for (const name of fields) {
      const texts = await readField(data, name);
      for (const count of asked) saved.push(await save({ base, path: extended(name, count), keep: name === field, name, texts, count }));
    }
    printSaved(saved);
    const learnt: Learnt[] = [];
    await using runtime = startRuntime(readEnvironment());
    for (const count of settings.steps === 0 ? [] : asked) {
      learnt.push(await learn({ runtime, path: extended(field, count), texts: await readField(data, field), count, ...settings }));
      console.error(JSON.stringify(learnt.at(-1)));
    }
    if (learnt.length > 0) printLearnt(learnt, { field, learningRate });
    if (json) console.log(JSON.stringify({ bench: "vocabulary", field, ...settings, saved, learnt }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readField(data: string, name: string): Promise<Field> {
  const lines = (await readFile(join(data, name, "beir", "corpus.jsonl"), "utf8")).trim().split("\n");
  const texts = lines.map((line) => JSON.parse(line) as { readonly title: string; readonly text: string });
  const documents = texts.map(({ title, text }) => `${title}\n${text}`.trim()).filter((text) => text !== "");
  const first = Math.floor(documents.length * (1 - heldOutShare));
  return { train: documents.slice(0, first), heldOut: documents.slice(first) };
}

interface SaveOptions {
  readonly base: string;
  readonly path: string;
  readonly keep: boolean;
  readonly name: string;
  readonly texts: Field;
  readonly count: number;
}

async function save({ base, path, keep, name, texts, count }: SaveOptions): Promise<Saved> {
  const file = await readGguf(base);
  const { added } = await extendVocabulary({ base: file, path, texts: texts.train, count });
  const [before, after] = [tokenizerFromGguf(file.metadata), tokenizerFromGguf((await readGguf(path)).metadata)];
  if (!keep) await rm(path);
  const used = new Set(texts.train.flatMap((text) => after.encode(text)));
  const unused = added.filter(({ token }) => !used.has(after.id(token)!)).length;
  const share = (side: readonly string[]): number => 1 - countOf(after, side) / countOf(before, side);
  return { field: name, asked: count, added: added.length, unused, train: share(texts.train), heldOut: share(texts.heldOut) };
}

function countOf(tokenizer: GgufTokenizer, texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
}

interface LearnOptions {
  readonly runtime: Runtime;
  readonly path: string;
  readonly texts: Field;
  readonly count: number;
  readonly steps: number;
  readonly seed: number;
  readonly learningRate: number;
}

async function learn({ runtime, path, texts, count, steps, seed, learningRate }: LearnOptions): Promise<Learnt> {
  const tokenizer = tokenizerFromGguf((await readGguf(path)).metadata);
  const train = tokenWindows(streamOf(texts.train, tokenizer), window).slice(0, steps * batchSize);
  const held = beginningOf(texts.heldOut);
  const validation = tokenWindows(streamOf(held, tokenizer), window);
  const rows = validation.reduce((sum, sequence) => sum + sequenceRows(sequence), 0);
  const bits = (loss: number): number => (loss * rows) / Math.LN2 / held.join("").length;
  const before = bits(await lossOf(runtime, path, validation));
  const running = tuneFull({ basePath: path, runtime, train, validation, batchSize, learningRate, epochs: 1, seed });
  for await (const event of running) {
    if (event.kind !== "done") continue;
    const characters = train.reduce((sum, { tokens }) => sum + tokenizer.decode(tokens.slice(1)).length, 0);
    const after = bits(event.losses.at(-1)?.validation ?? Number.NaN);
    const sameIds = await agrees(path, tokenizer, texts.heldOut);
    return { asked: count, steps: event.steps, characters, before, after, seconds: event.seconds, sameIds };
  }
  throw new Error("The run ended without a result.");
}

function streamOf(texts: readonly string[], tokenizer: GgufTokenizer): readonly number[] {
  const end = tokenizer.id(tokenizer.eosToken!)!;
  return [end, ...texts.flatMap((text) => [...tokenizer.encode(text), end])];
}

function beginningOf(texts: readonly string[]): readonly string[] {
  let left = predictedCharacters;
  return texts.filter((text) => (left -= text.length) >= 0);
}

async function agrees(path: string, tokenizer: GgufTokenizer, texts: readonly string[]): Promise<boolean> {
  await using model = await openLlamaModel({ path, threads: 1, contextLength: window });
  return texts.every((text) => tokenizer.encode(text).join() === model.tokenizeText(text).join());
}

/** Mean cross-entropy in nats of all predicted tokens. */
async function lossOf(runtime: Runtime, basePath: string, sequences: readonly TokenSequence[]): Promise<number> {
  await using model = await openLogits({ runtime, basePath, longest: window });
  let [total, rows] = [0, 0];
  for (const { tokens } of sequences) {
    const scores = await model.after(tokens.slice(0, -1));
    for (const [row, token] of tokens.slice(1).entries()) {
      const after = scores.subarray(row * model.vocabulary, (row + 1) * model.vocabulary);
      const highest = after.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      total += highest + Math.log(after.reduce((sum, score) => sum + Math.exp(score - highest), 0)) - after[token]!;
      rows += 1;
    }
  }
  return total / rows;
}

const percent = (share: number): string => (100 * share).toFixed(1);

function printSaved(saved: readonly Saved[]): void {
  console.log(`tokens saved by new tokens learnt on nine tenths of each field's texts, vocabulary of smollm2-135m-instruct`);
  printTable(
    ["", "asked", "new", "never used", "train %", "held out %"],
    saved.map(({ field, asked, added, unused, train, heldOut }) => [
      field,
      ...[asked, added, unused].map(String),
      percent(train),
      percent(heldOut),
    ]),
  );
}

function printLearnt(learnt: readonly Learnt[], { field, learningRate }: { readonly field: string; readonly learningRate: number }): void {
  console.log(`\n${field}, every weight, steps of ${batchSize} x ${window} tokens at ${learningRate}: bits a character of held-out text`);
  printTable(
    ["new tokens", "steps", "characters read", "before", "after", "seconds", "llama.cpp's ids"],
    learnt.map(({ asked, steps, characters, before, after, seconds, sameIds }) => [
      String(asked),
      String(steps),
      String(characters),
      figure(before),
      figure(after),
      seconds.toFixed(0),
      sameIds ? "the same" : "others",
    ]),
  );
}
