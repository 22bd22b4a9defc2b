import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import { tokenizerFromGguf } from "../tokenizer/gguf-tokenizer.ts";
import { extendVocabulary } from "./extend-vocabulary.ts";
import { type GgufFile, readGguf, readTensor, readTensorBytes } from "./gguf-read.ts";
import { writeGguf } from "./gguf-write.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-vocabulary-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const width = 64;
const texts = Array.from({ length: 12 }, (_, index) => `Hypersonic flow past a wing, number ${index}: aeroelastic flutter.`);

async function extend(name: string, options: Partial<Parameters<typeof writeTinyLlama>[0]> & { readonly count?: number }) {
  const { count = 20, ...tiny } = options;
  await writeTinyLlama({ ...tiny, path: join(folder, `${name}.gguf`) });
  const base = await readGguf(join(folder, `${name}.gguf`));
  const path = join(folder, `${name}-longer.gguf`);
  const { added } = await extendVocabulary({ base, path, texts, count });
  return { base, added, longer: await readGguf(path) };
}

async function rowsOf(file: GgufFile, tensor: string): Promise<readonly (readonly number[])[]> {
  const numbers = await readTensor(file, tensor);
  return Array.from({ length: numbers.length / width }, (_, row) => [...numbers.subarray(row * width, (row + 1) * width)]);
}

test.each([
  { name: "tied", options: {}, tables: ["token_embd.weight"] },
  { name: "untied", options: { untied: true, type: "Q8_0" }, tables: ["token_embd.weight", "output.weight"] },
] as const)("$name: new rows are the means of their pieces' rows, everything else is as it was", async ({ name, options, tables }) => {
  const { base, added, longer } = await extend(name, options);
  expect(added).toHaveLength(20);
  const others = [...base.tensors.keys()].filter((tensor) => !tables.some((table) => table === tensor));
  for (const tensor of others) expect(await readTensorBytes(longer, tensor)).toEqual(await readTensorBytes(base, tensor));
  for (const tensor of tables) {
    const [old, rows] = [await rowsOf(base, tensor), await rowsOf(longer, tensor)];
    const means = added.map(({ pieces }) =>
      Array.from({ length: width }, (_, column) => pieces.reduce((sum, piece) => sum + old[piece]![column]!, 0) / pieces.length),
    );
    expect(rows).toEqual([...old, ...means.map((mean) => [...Float32Array.from(mean)])]);
  }
  const written = ({ metadata }: GgufFile, key: string): string => JSON.stringify(metadata[key]);
  expect(Object.keys(longer.metadata).filter((key) => written(longer, key) !== written(base, key))).toEqual([
    "llama.vocab_size",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.merges",
  ]);
  expect(longer.metadataTypes).toEqual(base.metadataTypes);
});

test("the longer file's tokenizer is the longer tokenizer, with the same special tokens and template", async () => {
  const { base, added, longer } = await extend("reads", {});
  const [before, after] = [tokenizerFromGguf(base.metadata), tokenizerFromGguf(longer.metadata)];
  expect(after.model.tokens).toEqual([...before.model.tokens, ...added.map(({ token }) => token)]);
  expect({ ...after, model: 0, encode: 0, decode: 0, id: 0 }).toEqual({ ...before, model: 0, encode: 0, decode: 0, id: 0 });
  const [text = ""] = texts;
  expect(after.encode(text).length).toBeLessThan(before.encode(text).length);
  expect(after.decode(before.encode(text))).toBe(text);
});

test("no new tokens, or no text to find them in, leave the vocabulary as it is", async () => {
  for (const [name, count, from] of [
    ["none", 0, texts],
    ["nothing", 5, []],
  ] as const) {
    await writeTinyLlama({ path: join(folder, `${name}.gguf`) });
    const base = await readGguf(join(folder, `${name}.gguf`));
    const { added } = await extendVocabulary({ base, path: join(folder, `${name}-longer.gguf`), texts: from, count });
    expect(added).toEqual([]);
    expect((await readGguf(join(folder, `${name}-longer.gguf`))).metadata).toEqual(base.metadata);
  }
});

test("scores, where a file has them, stay as long as the tokens", async () => {
  const { metadata, tensors } = await writeTinyLlama({ path: join(folder, "plain.gguf") });
  const scored = { ...metadata, "tokenizer.ggml.scores": (metadata["tokenizer.ggml.tokens"] as readonly string[]).map((_, id) => -id) };
  await writeGguf({ path: join(folder, "scored.gguf"), metadata: scored, tensors });
  const base = await readGguf(join(folder, "scored.gguf"));
  await extendVocabulary({ base, path: join(folder, "scored-longer.gguf"), texts, count: 3 });
  const { metadata: longer } = await readGguf(join(folder, "scored-longer.gguf"));
  expect(longer["tokenizer.ggml.scores"]).toEqual([...scored["tokenizer.ggml.scores"], 0, 0, 0]);
});

test("a tokenizer of another kind, and tables of another length, are one line", async () => {
  const { metadata, tensors } = await writeTinyLlama({ path: join(folder, "whole.gguf") });
  const wrong = async (name: string, other: typeof metadata) => {
    await writeGguf({ path: join(folder, name), metadata: other, tensors });
    return extendVocabulary({ base: await readGguf(join(folder, name)), path: join(folder, "never.gguf"), texts, count: 3 });
  };
  await expect(wrong("spm.gguf", { ...metadata, "tokenizer.ggml.model": "llama" })).rejects.toThrow(
    /spm\.gguf can't be given new tokens: The file's tokenizer is of the kind "llama", and only "gpt2" .* Or leave newTokens out\.$/u,
  );
  const lists = ["tokenizer.ggml.tokens", "tokenizer.ggml.token_type"].map((key) => [key, (metadata[key] as readonly string[]).slice(1)]);
  await expect(wrong("short.gguf", { ...metadata, ...Object.fromEntries(lists) })).rejects.toThrow(
    "has 383 tokens, and its tensor token_embd.weight is [384, 64]",
  );
});
