import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { readSafetensor, readSafetensors, writeSafetensors } from "./safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.safetensors");

test("what is written is read back", async () => {
  const tensor = fc.record({
    name: fc.string({ minLength: 1 }).filter((name) => !name.startsWith("__")),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    type: fc.constantFrom("F32" as const, "F16" as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 }), async (shapes) => {
      const tensors = shapes.map((entry) => ({
        ...entry,
        data: Float32Array.from({ length: entry.shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 4),
      }));
      await writeSafetensors({ path, metadata: { format: "pt" }, tensors });
      const file = await readSafetensors(path);
      expect(file.metadata).toEqual({ format: "pt" });
      expect(file.tensors.size).toBe(tensors.length);
      for (const { name, shape, data } of tensors) {
        expect(file.tensors.get(name)?.shape).toEqual(shape);
        expect(await readSafetensor(file, name)).toEqual(data);
      }
    }),
    { numRuns: 50 },
  );
});

// Written by the Python package safetensors: {"a": [[1, 2], [3, 4]] in F32, "b": [0.5, -1] in BF16}.
const fromPython = Buffer.from(
  "eAAAAAAAAAB7ImEiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwiYiI6eyJkdHlwZSI6IkJGMTYiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsxNiwyMF19fSAgICAgICAAAIA/AAAAQAAAQEAAAIBAAD+Avw==",
  "base64",
);

test("a file of the Python package safetensors", async () => {
  writeFileSync(path, fromPython);
  const file = await readSafetensors(path);
  expect(await readSafetensor(file, "a")).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(await readSafetensor(file, "b")).toEqual(Float32Array.of(0.5, -1));
  await expect(readSafetensor(file, "c")).rejects.toThrow(/No tensor "c" in .* \(it holds 2\)/);
});

test("cut or changed anywhere, a file is one clear error or still a file", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(fromPython.length - 1), fc.nat(255), fc.boolean(), async (place, byte, cut) => {
      const bytes = Uint8Array.from(fromPython);
      bytes[place] = byte;
      writeFileSync(path, cut ? bytes.subarray(0, place) : bytes);
      expect(await readEverything().catch(String)).toMatch(cut ? /^UserError: / : /^(whole|UserError: .+)$/);
    }),
    { numRuns: 300 },
  );
});

async function readEverything(): Promise<"whole"> {
  const file = await readSafetensors(path);
  for (const name of file.tensors.keys()) await readSafetensor(file, name);
  return "whole";
}
