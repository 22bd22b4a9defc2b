// Every case here ends the process, or never ends, where llama.cpp is given the file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import type { MetadataValue } from "../weights/gguf-metadata.ts";
import { type GgufFile, readGguf, readTensorBytes } from "../weights/gguf-read.ts";
import { writeGguf } from "../weights/gguf-write.ts";
import { checkModelFile } from "./check-model-file.ts";
import { openLlamaModel } from "./llama-cpp.ts";

const folder = mkdtempSync(join(tmpdir(), "check-model-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "changed.gguf");
let good: GgufFile;
beforeAll(async () => {
  const whole = join(folder, "good.gguf");
  await writeTinyLlama({ path: whole });
  good = await readGguf(whole);
});

/** The model with other metadata; `undefined` leaves a key out. */
async function write(changes: { readonly [key: string]: MetadataValue | undefined }): Promise<void> {
  const entries = Object.entries({ ...good.metadata, ...changes });
  const metadata = Object.fromEntries(entries.filter((entry): entry is [string, MetadataValue] => entry[1] !== undefined));
  const tensors = Array.from(good.tensors.values(), (tensor) => ({ ...tensor, packed: () => readTensorBytes(good, tensor.name) }));
  await writeGguf({ path, metadata, tensors });
}

test("a model that is whole passes", async () => {
  await write({});
  await expect(checkModelFile(path)).resolves.toBeUndefined();
});

test.each([
  ["llama.block_count", 0, "its llama.block_count is 0"],
  ["llama.block_count", 100_000, "its llama.block_count is 100000"],
  ["llama.context_length", 0, "its llama.context_length is 0"],
  ["llama.context_length", 2 ** 31, "its llama.context_length is 2147483648"],
  ["llama.feed_forward_length", undefined, "its llama.feed_forward_length is missing"],
  ["llama.attention.head_count", 0, "its llama.attention.head_count is 0"],
  ["llama.attention.head_count_kv", 2 ** 31, "its llama.attention.head_count_kv is 2147483648"],
  ["llama.attention.layer_norm_rms_epsilon", -1, "its llama.attention.layer_norm_rms_epsilon is -1"],
  ["llama.expert_count", 8, "its llama.expert_used_count is missing"],
  ["llama.rope.scaling.type", "x", "its llama.rope.scaling.type is none of none, linear, yarn, longrope"],
  ["tokenizer.ggml.tokens", [], "it has no vocabulary"],
  ["tokenizer.ggml.tokens", ["a", "b", "", "", "\ufffd", "\ufffd", "a"], "1 tokens of its vocabulary stand in it already"],
])("%s of %j is refused in one line", async (key, value, what) => {
  await write({ [key]: value });
  const line = `${path} is no usable model: ${what}. Fetch or export it again.`;
  await expect(checkModelFile(path)).rejects.toThrow(line);
  await expect(openLlamaModel({ path, threads: 1 })).rejects.toThrow(line);
});
