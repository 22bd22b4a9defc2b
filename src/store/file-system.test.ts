import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testStore } from "../../test/conformance/store.ts";
import { fileSystemStore } from "./file-system.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-store-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

testStore("file system", async () => ({ store: fileSystemStore(folder), close: async () => undefined }));

/** Starts the writer and kills it without warning once it has said that turn `turns` is done. Returns the last turn it spoke of. */
async function killWriterAfter(turns: number): Promise<number> {
  const script = fileURLToPath(new URL("../../test/conformance/store-writer.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let last = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last >= turns) child.kill("SIGKILL");
  }
  await closed;
  return last;
}

test("killed in the middle of writing, a store holds whole texts and every line that was confirmed", async () => {
  const last = await killWriterAfter(25);
  const store = fileSystemStore(folder);
  expect(await store.readText("whole.txt")).toMatch(/^(\d)\1{399999}$/);
  const rows = (await store.readLines("rows.jsonl")) as { turn: number }[];
  expect(rows.length).toBeGreaterThan(last);
  expect(rows.map(({ turn }) => turn)).toEqual(rows.map((_, index) => index));
  await store.append("rows.jsonl", { turn: rows.length });
  expect(await store.readLines("rows.jsonl")).toHaveLength(rows.length + 1);
  expect(await store.list("")).toEqual(["rows.jsonl", "whole.txt"]);
});

test("a writing that fails leaves no temporary file", async () => {
  const store = fileSystemStore(folder);
  await store.writeText("taken/inside", "x");
  await expect(store.writeText("taken", "x")).rejects.toThrow(/EISDIR|ENOTEMPTY|EPERM|EEXIST/);
  expect(await readdir(folder)).toEqual(["taken"]);
});

test("a temporary file that a crash left is not listed", async () => {
  await writeFile(join(folder, "~split.json.17-0-1"), "{");
  expect(await fileSystemStore(folder).list("")).toEqual([]);
});
