// Models whose metadata and tensors contradict each other: one clear line before anything is made in the sizes that they claim.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { buildModel, lossGraph } from "../nn/programs.ts";
import { writeGguf } from "../weights/gguf-write.ts";
import { openBase } from "./base.ts";
import { llamaMetadata, randomTensors, tinyConfig } from "./fixtures/tiny-llama.ts";

const folder = mkdtempSync(join(tmpdir(), "base-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.gguf");
const metadata = llamaMetadata(tinyConfig);
const whole = [...randomTensors(tinyConfig)].map(([name, { shape, data }]) => ({ name, shape, type: "F32" as const, data }));

test("whatever the metadata claim, it is one clear line or a model of the file's size", async () => {
  const key = fc.constantFrom(...Object.keys(metadata), "llama.rope.dimension_count", "llama.expert_count");
  const value = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 4, 8, -1, 0.5, 2 ** 31, 2 ** 32 - 1, 2 ** 53, Number.NaN, Infinity),
    fc.string(),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 }), async (claims) => {
      await writeGguf({ path, metadata: { ...metadata, ...claims }, tensors: whole });
      const outcome = await openBase(path).then(({ config }) => {
        lossGraph(buildModel(config, { kind: "lora", rank: 2, alpha: 2 }));
        return "whole";
      }, String);
      expect(outcome).toMatch(/^(whole|UserError: .+)$/);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("a tensor that is missing or of another size is named", async () => {
  await writeGguf({ path, metadata, tensors: whole.filter(({ name }) => name !== "blk.1.ffn_up.weight") });
  await expect(openBase(path)).rejects.toThrow(
    /the tensor blk\.1\.ffn_up\.weight should be \[48, 32\] and is missing\. The file is broken/,
  );
  await writeGguf({ path, metadata: { ...metadata, "llama.feed_forward_length": 64 }, tensors: whole });
  await expect(openBase(path)).rejects.toThrow(/the tensor blk\.0\.ffn_gate\.weight should be \[64, 32\] and is \[48, 32\]/);
  await writeGguf({ path, metadata: { ...metadata, "llama.block_count": 4_000_000_000 }, tensors: whole });
  await expect(openBase(path)).rejects.toThrow(/4000000000 layers in 20 tensors/);
});
