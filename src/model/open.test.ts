import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import { openModel } from "./open.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-open-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

test("a path to a GGUF file is opened, from the task's folder", async () => {
  await writeTinyLlama({ path: join(folder, "tiny.gguf") });
  await using model = await openModel({ reference: "tiny.gguf", baseFolder: folder, modelsFolder: folder, threads: 1 });
  expect(model).toMatchObject({ id: "tiny", local: true, contextLength: 512 });
});

test("a server is asked with the key that the environment holds", async () => {
  const reference = {
    url: "http://localhost:1/v1",
    model: "m",
    keyVariable: "SOME_KEY",
    price: { input: 1, output: 2 },
    contextLength: 100,
  };
  await using model = await openModel({ reference, modelsFolder: folder, secret: (name) => (name === "SOME_KEY" ? "secret" : undefined) });
  expect(model).toMatchObject({ id: "m", local: false, price: { input: 1, output: 2 }, contextLength: 100 });
  await expect(openModel({ reference, modelsFolder: folder, secret: () => undefined })).rejects.toThrow(
    "SOME_KEY, which should hold the key",
  );
});

test.each([
  ["smollm2-135m-instuct", 'Did you mean "smollm2-135m-instruct"?'],
  ["all-minilm-l6-v2", "turns texts into vectors"],
  ["none.gguf", "No model file at"],
  ["models/none", "No model file at"],
])("%s cannot be opened", async (reference, message) => {
  await expect(openModel({ reference, baseFolder: folder, modelsFolder: folder })).rejects.toThrow(message);
});

test("a file of another kind is no model", async () => {
  await writeFile(join(folder, "notes.gguf"), "notes");
  await expect(openModel({ reference: join(folder, "notes.gguf"), modelsFolder: folder })).rejects.toMatchObject({ name: "UserError" });
});
