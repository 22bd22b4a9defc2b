// An index that stays with its documents: by the events of the file system, and by looking again and again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Environment, openSearchIndex, watchDocuments, type WatchDocumentsOptions, type WatchEvent } from "../../src/index.ts";
import { startPages } from "../support/page-server.ts";

vi.setConfig({ testTimeout: 60_000 });
const environment: Environment = {
  modelsFolder: "/nowhere",
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 128,
  secret: () => undefined,
};
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-watch-"));
  await mkdir(join(folder, "docs"));
  await write("docs/bikes.md", "Bike hire is free.");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (path: string, text: string): Promise<void> => writeFile(join(folder, path), text);

async function find(query: string): Promise<readonly string[]> {
  await using opened = await openSearchIndex({ index: join(folder, "index"), environment });
  return (await opened.search(query)).map(({ document, text }) => `${document}: ${text}`);
}

interface Watched extends AsyncDisposable {
  /** What is told from now until the watch waits again, without that. */
  round(): Promise<readonly string[]>;
}

/** A watch that is waiting for changes. */
async function watch(options: Partial<WatchDocumentsOptions>): Promise<Watched> {
  const controller = new AbortController();
  const events = watchDocuments({
    index: join(folder, "index"),
    folder,
    documents: ["docs"],
    embedding: "none",
    environment,
    rest: 30,
    signal: controller.signal,
    ...options,
  });
  const round = async (): Promise<readonly string[]> => {
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) throw new Error("the watch ended");
      if (value.kind === "waiting") return lines;
      lines.push(...linesOf(value));
    }
  };
  await round();
  return {
    round,
    [Symbol.asyncDispose]: async () => {
      const last = events.next();
      controller.abort();
      expect(await last).toEqual({ done: true, value: undefined });
    },
  };
}

function linesOf(event: WatchEvent): readonly string[] {
  if (event.kind === "change") return [`${event.change} ${event.id}`];
  if (event.kind === "problem") return [event.message];
  return event.kind === "done" ? event.notices : [];
}

describe.each<[string, Partial<WatchDocumentsOptions>]>([
  ["by the events of the file system", { lookEvery: 30_000 }],
  ["by looking", { events: false, pollEvery: 30 }],
])("%s", (_, options) => {
  test("what is added, changed, moved and removed is told, and found at once", async () => {
    await using watching = await watch(options);
    await write("docs/cars.md", "Cars can be hired.");
    expect(await watching.round()).toEqual(["added cars.md"]);
    expect(await find("cars")).toEqual(["cars.md: Cars can be hired."]);
    await write("docs/bikes.md", "Bike hire costs nine pounds.");
    expect(await watching.round()).toEqual(["changed bikes.md"]);
    expect(await find("pounds")).toEqual(["bikes.md: Bike hire costs nine pounds."]);
    await mkdir(join(folder, "docs", "new", "deep"), { recursive: true });
    await write("docs/new/deep/a.md", "Trains leave at ten.");
    expect(await watching.round()).toEqual(["added new/deep/a.md"]);
    await rename(join(folder, "docs/new/deep/a.md"), join(folder, "docs/new/deep/b.md"));
    expect(await watching.round()).toEqual(["added new/deep/b.md", "removed new/deep/a.md"]);
    await rm(join(folder, "docs", "new"), { recursive: true });
    expect(await watching.round()).toEqual(["removed new/deep/b.md"]);
    expect(await find("trains")).toEqual([]);
  });

  test("a broken file costs one line, until it is mended", async () => {
    await using watching = await watch(options);
    await write("docs/bikes.md", "");
    expect(await watching.round()).toEqual([
      expect.stringMatching(/^docs\/bikes\.md left out: it is an empty document\..*The index keeps what it was before\.$/),
    ]);
    await write("docs/cars.md", "Cars can be hired.");
    expect(await watching.round()).toEqual(["added cars.md"]);
    await write("docs/bikes.md", "Bike hire is dear.");
    expect(await watching.round()).toEqual(["changed bikes.md"]);
  });

  test("a folder that is gone is told once, the index keeps it, and it may come back", async () => {
    await using watching = await watch(options);
    await rename(join(folder, "docs"), join(folder, "away"));
    expect(await watching.round()).toEqual([expect.stringMatching(/there is no file or folder "docs"/)]);
    expect(await find("bike")).toHaveLength(1);
  });
});

test("pages are asked for from time to time", async () => {
  await using server = await startPages({ "/hours": { body: "<p>Open at nine.</p>", etag: '"1"' } });
  await using watching = await watch({ documents: ["docs", `${server.url}/hours`], askEvery: 50, events: false, pollEvery: 20 });
  server.pages.set("/hours", { body: "<p>Open at ten.</p>", etag: '"2"' });
  let told: readonly string[] = [];
  while (told.length === 0) told = await watching.round();
  expect(told).toEqual([`changed ${server.host}/hours`]);
});

test("sartor index --watch prints a line for each change and ends with Ctrl-C as if nothing were wrong", async () => {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "index", "docs", "--embedding", "none", "--watch"], {
    cwd: folder,
  });
  const errors: string[] = [];
  child.stderr.on("data", (data: Buffer) => errors.push(String(data)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe(".sartor/index holds 1 documents: 1 added.");
  await write("docs/cars.md", "Cars can be hired.");
  expect((await lines.next()).value).toBe("added cars.md");
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(errors.join("")).toBe("");
});
