import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import { sha256File } from "../util/hash.ts";
import { readGguf, readTensor } from "../weights/gguf-read.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import type { LocalModel } from "./model-files.ts";
import { runnableFile } from "./repack.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-repack-"));
  path = join(folder, "published.gguf");
  await writeTinyLlama({ path, type: "F16" });
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function model(runAs?: CatalogueEntry["runAs"]): Promise<LocalModel> {
  const file = { name: "published.gguf", bytes: (await stat(path)).size, sha256: await sha256File(path) };
  const entry = {
    name: "tiny",
    kind: "language",
    licence: "Apache-2.0",
    parameters: 1,
    contextLength: 512,
    mirrors: [],
    tried: true,
  } as const;
  return { entry: { ...entry, files: [file], ...(runAs === undefined ? {} : { runAs }) }, files: [{ ...file, path }] };
}

/** What the tiny model becomes in Q8_0. */
async function expected(): Promise<NonNullable<CatalogueEntry["runAs"]>> {
  const { mergeInto } = await import("../weights/merge.ts");
  const base = await readGguf(path);
  const target = join(folder, "expected.gguf");
  const matrices = [...base.tensors.values()].filter(({ shape }) => shape.length > 1);
  await mergeInto({
    base,
    path: target,
    type: "Q8_0",
    replacements: new Map(matrices.map(({ name }) => [name, () => readTensor(base, name)])),
  });
  return { type: "Q8_0", name: "run.gguf", bytes: (await stat(target)).size, sha256: await sha256File(target) };
}

test("a model that runs as it is published is left as it is", async () => {
  expect((await runnableFile({ model: await model(), modelsFolder: folder })).path).toBe(path);
});

test("weights are stored in the type they run in, once, beside what was fetched", async () => {
  const runAs = await expected();
  const made = await runnableFile({ model: await model(runAs), modelsFolder: folder });
  expect(made).toEqual({ name: "run.gguf", path: join(folder, "tiny", "run.gguf"), bytes: runAs.bytes, sha256: runAs.sha256 });
  const matrices = [...(await readGguf(made.path)).tensors.values()].filter(({ shape }) => shape.length > 1);
  expect(new Set(matrices.map(({ type }) => type))).toEqual(new Set(["Q8_0"]));
  const written = (await stat(made.path)).mtimeMs;
  expect(await runnableFile({ model: await model(runAs), modelsFolder: folder })).toEqual(made);
  expect((await stat(made.path)).mtimeMs).toBe(written);
});

test("where other bytes come out, the published file runs and nothing is left behind", async () => {
  const runAs = { ...(await expected()), sha256: "0".repeat(64) };
  expect((await runnableFile({ model: await model(runAs), modelsFolder: folder })).path).toBe(path);
  expect(await readdir(join(folder, "tiny"))).toEqual([]);
});
