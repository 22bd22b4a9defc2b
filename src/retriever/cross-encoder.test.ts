import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Passage } from "../evaluation.ts";
import { startRuntime } from "../runtime/runtime.ts";
import { tinyCrossEncoder, tinyVocabulary } from "../../test/support/tiny-cross-encoder.ts";
import { type CrossEncoder, judgeByCrossEncoder, openCrossEncoder } from "./cross-encoder.ts";
import { reranked } from "./rerank.ts";

const query = "bike hotel";
const texts = ["leave", "hotel bike the a bike hotel", "", "bike rent the leave"];

let folder = "";
let model: CrossEncoder;
const tiny = tinyCrossEncoder({ classes: 1, seed: 1 });
const runtime = startRuntime({ threads: 1 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-cross-encoder-"));
  model = await openCrossEncoder({ folder: await folderOf("one"), runtime });
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function folderOf(name: string, { files, onnx } = tiny, file = "model.onnx"): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, "onnx"), { recursive: true });
  await writeFile(join(path, "onnx", file), onnx);
  for (const [at, value] of Object.entries(files)) await writeFile(join(path, at), JSON.stringify(value));
  return path;
}

/** [CLS] query [SEP] text [SEP], at most 16 tokens. */
function pair(text: string): { readonly ids: readonly number[]; readonly types: readonly number[] } {
  const tokens = (words: string): readonly string[] => words.split(" ").filter((word) => word !== "");
  const [first, second] = [
    ["[CLS]", ...tokens(query), "[SEP]"],
    [...tokens(text), "[SEP]"],
  ];
  const ids = [...first, ...second].map((token) => tinyVocabulary.indexOf(token));
  const types = [...first.map(() => 0), ...second.map(() => 1)];
  return ids.length <= 16 ? { ids, types } : { ids: [...ids.slice(0, 15), ids.at(-1)!], types: types.slice(0, 16) };
}

const close = (values: readonly number[]): readonly unknown[] => values.map((value) => expect.closeTo(value, 5) as unknown);

test("scores are the model's, whatever the pairs are read together with", async () => {
  const expected = texts.map((text) => tiny.score(pair(text))[0]!);
  expect(new Set(expected.map((value) => value.toFixed(3))).size).toBe(texts.length);
  expect(await model.score(query, texts)).toEqual(close(expected));
  expect(await model.score(query, texts.slice(1, 2))).toEqual(close(expected.slice(1, 2)));
  expect(await model.score(query, [])).toEqual([]);
});

test("more pairs than are read at once keep their places", async () => {
  const many = Array.from({ length: 30 }, (_, index) => texts[(index * 7) % texts.length]!);
  expect(await model.score(query, many)).toEqual(close(many.map((text) => tiny.score(pair(text))[0]!)));
});

test("a passage that is too long loses its end", async () => {
  const long = "leave hotel ".repeat(20).trim();
  expect(await model.score(query, [long])).toEqual(close([tiny.score(pair(long))[0]!]));
});

test("of two classes the second over the first counts, and a quantised model reads pairs alone", async () => {
  const two = tinyCrossEncoder({ classes: 2, seed: 5 });
  await using opened = await openCrossEncoder({ folder: await folderOf("two", two, "model_quantized.onnx"), runtime });
  const expected = texts.map((text) => two.score(pair(text))).map(([no, yes]) => yes! - no!);
  expect(await opened.score(query, texts)).toEqual(close(expected));
});

test("its scores rank passages again", async () => {
  const passages: Passage[] = texts.map((text, index) => ({
    document: String(index),
    title: "",
    start: 0,
    end: text.length,
    text,
    score: 0,
  }));
  const again = await reranked(query, passages, { judge: judgeByCrossEncoder(model), weight: 1 });
  const best = texts.map((text) => tiny.score(pair(text))[0]!);
  expect(again.map(({ document }) => Number(document))).toEqual(texts.map((_, index) => index).sort((a, b) => best[b]! - best[a]!));
});

test("a folder without a cross-encoder is one line", async () => {
  await expect(openCrossEncoder({ folder: join(folder, "none"), runtime })).rejects.toThrow(
    /none holds no cross-encoder: there is no onnx\/model\.onnx\./,
  );
  const three = await openCrossEncoder({ folder: await folderOf("three", tinyCrossEncoder({ classes: 3, seed: 1 })), runtime });
  await expect(three.score(query, texts)).rejects.toThrow(/three holds no cross-encoder: its model gives no logits of 1 or 2 classes/);
});

test("an aborted signal stops it", async () => {
  await expect(model.score(query, texts, AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
});
