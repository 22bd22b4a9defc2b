import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { readGguf, readTensor } from "./gguf-read.ts";
import { writeGguf } from "./gguf-write.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-write-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.gguf");

test("what is written is read back, with the value types that llama.cpp expects", async () => {
  const metadata = {
    "general.architecture": "llama",
    "llama.rope.freq_base": 10000,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.block_count": 2,
    "tokenizer.ggml.add_bos_token": false,
    "tokenizer.ggml.tokens": ["a", "Ġb"],
    "tokenizer.ggml.token_type": [1, 3],
    "tokenizer.ggml.scores": [0, 1],
    "adapter.lora.alpha": 16,
    "some.offset": -3,
    "some.large": 2 ** 40,
  };
  await writeGguf({
    path,
    metadata,
    tensors: [{ name: "x", shape: [3, 5], type: "F32", data: Float32Array.from({ length: 15 }, (_, i) => i) }],
  });
  const file = await readGguf(path);
  expect(file.metadata).toEqual({ ...metadata, "llama.attention.layer_norm_rms_epsilon": Math.fround(1e-5) });
  expect(file.metadataTypes).toEqual({
    "general.architecture": "string",
    "llama.rope.freq_base": "float32",
    "llama.attention.layer_norm_rms_epsilon": "float32",
    "llama.block_count": "uint32",
    "tokenizer.ggml.add_bos_token": "bool",
    "tokenizer.ggml.tokens": "string[]",
    "tokenizer.ggml.token_type": "int32[]",
    "tokenizer.ggml.scores": "float32[]",
    "adapter.lora.alpha": "float32",
    "some.offset": "int32",
    "some.large": "uint64",
  });
  expect(file.tensors.get("x")).toMatchObject({ shape: [3, 5], type: "F32", bytes: 60 });
});

test("any metadata and tensors survive the round trip", async () => {
  const scalar = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.boolean(),
    fc.float({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
  );
  const array = fc.oneof(fc.array(fc.string()), fc.array(fc.integer(), { minLength: 1 }), fc.array(fc.boolean(), { minLength: 1 }));
  const entries = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== "general.alignment"),
    fc.oneof(scalar, array),
  );
  const tensor = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("F32" as const, "F16" as const),
  );
  await fc.assert(
    fc.asyncProperty(entries, fc.array(tensor, { maxLength: 4 }), async (metadata, shapes) => {
      const tensors = shapes.map(([shape, type], i) => ({
        name: `t${i}`,
        shape,
        type,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => k / 8 - i),
      }));
      await writeGguf({ path, metadata, tensors });
      const file = await readGguf(path);
      expect({ ...file.metadata }).toEqual({ ...metadata });
      for (const { name, shape, data } of tensors) {
        expect(file.tensors.get(name)?.shape).toEqual(shape);
        expect((file.tensors.get(name)?.offset ?? 1) % 32).toBe(0);
        expect(await readTensor(file, name)).toEqual(data);
      }
    }),
    { numRuns: 60 },
  );
});

test("a header longer than what is read at once, and a token that begins with a byte-order mark", async () => {
  const tokens = ["\ufeff", "\ufeffa", "x".repeat(9_000_000), ""];
  await writeGguf({ path, metadata: { tokens, last: 7 }, tensors: [] });
  expect((await readGguf(path)).metadata).toEqual({ tokens, last: 7 });
});

test("Q8_0 numbers come back within half a step, and rows that it cannot hold are refused", async () => {
  const data = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i));
  await writeGguf({ path, metadata: {}, tensors: [{ name: "q", shape: [2, 64], type: "Q8_0", data }] });
  const back = await readTensor(await readGguf(path), "q");
  expect(Math.max(...back.map((number, i) => Math.abs(number - data[i]!)))).toBeLessThan(0.51 / 127);
  const odd = { name: "odd", shape: [2, 33], type: "Q8_0" as const, data: new Float32Array(66) };
  await expect(writeGguf({ path, metadata: {}, tensors: [odd] })).rejects.toThrow(UserError);
});

test("a write that fails leaves the old file and nothing else", async () => {
  const before = await readGguf(path);
  const tensors = [{ name: "x", shape: [2], type: "F32" as const, data: () => Promise.reject(new Error("disk on fire")) }];
  await expect(writeGguf({ path, metadata: {}, tensors })).rejects.toThrow("disk on fire");
  expect(await readGguf(path)).toEqual(before);
  expect(readdirSync(folder)).toEqual(["model.gguf"]);
});
