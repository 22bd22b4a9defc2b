import { appendFile, readdir, stat } from "node:fs/promises";
import { expect, test } from "vitest";
import type { EmbeddingModel } from "../model.ts";
import { memoryStore } from "../store/memory.ts";
import { embeddingCache } from "./embedding-cache.ts";

function lengths(key = "lengths"): EmbeddingModel & { readonly asked: string[] } {
  const asked: string[] = [];
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    asked.push(...texts);
    return texts.map((text) => Float32Array.of(Math.cos(text.length), Math.sin(text.length)));
  };
  return { id: key, key, dimensions: 2, asked, embed, [Symbol.asyncDispose]: async () => undefined };
}

test("a passage is embedded once, in this process and the next", async () => {
  await using store = memoryStore();
  const first = lengths();
  const cache = await embeddingCache(first, store);
  expect(await cache.passages(["a", "bb", "a"])).toEqual([
    Float32Array.of(Math.cos(1), Math.sin(1)),
    Float32Array.of(Math.cos(2), Math.sin(2)),
    Float32Array.of(Math.cos(1), Math.sin(1)),
  ]);
  expect(first.asked).toEqual(["a", "bb"]);
  const second = lengths();
  expect(await (await embeddingCache(second, store)).passages(["bb", "ccc"])).toEqual([
    Float32Array.of(Math.cos(2), Math.sin(2)),
    Float32Array.of(Math.cos(3), Math.sin(3)),
  ]);
  expect(second.asked).toEqual(["ccc"]);
});

test("another model's vectors are kept apart", async () => {
  await using store = memoryStore();
  await (await embeddingCache(lengths(), store)).passages(["a"]);
  const other = lengths("other");
  await (await embeddingCache(other, store)).passages(["a"]);
  expect(other.asked).toEqual(["a"]);
});

test("a record that a crash cut short is written over, the whole ones before it stay", async () => {
  await using store = memoryStore();
  await (await embeddingCache(lengths(), store)).passages(["a", "bb"]);
  const folder = `${(await store.path("x")).slice(0, -1)}embeddings`;
  const file = `${folder}/${(await readdir(folder))[0]!}`;
  await appendFile(file, "cut short");
  const after = lengths();
  await (await embeddingCache(after, store)).passages(["a", "bb", "ccc"]);
  expect(after.asked).toEqual(["ccc"]);
  expect((await stat(file)).size).toBe(3 * (32 + 4 * 2));
});

test("queries are remembered in memory and written nowhere", async () => {
  await using store = memoryStore();
  const model = lengths();
  const cache = await embeddingCache(model, store);
  await cache.query("who?");
  await cache.query("who?");
  expect(model.asked).toEqual(["who?"]);
  expect(await store.list("")).toEqual([]);
});
