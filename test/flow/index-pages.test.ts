// Pages by address in an index: fetched when they changed, kept when they cannot be had.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Environment,
  indexDocuments,
  type IndexDocumentsOptions,
  type IndexEvent,
  openSearchIndex,
  type Passage,
} from "../../src/index.ts";
import { type PageServer, startPages } from "../support/page-server.ts";

const environment: Environment = {
  modelsFolder: "/nowhere",
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 128,
  secret: (name) => (name === "KEY" ? "hidden" : undefined),
};
let server: PageServer;
let folder: string;
beforeEach(async () => {
  [server, folder] = [await startPages(), await mkdtemp(join(tmpdir(), "sartor-pages-"))];
  server.pages.set("/hours", { body: "<p>The office opens at nine.</p>", lastModified: "Mon, 02 Mar 2026 08:00:00 GMT", etag: '"1"' });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function index(options: Partial<IndexDocumentsOptions> = {}): Promise<IndexEvent & { kind: "done" }> {
  const events = indexDocuments({ index: join(folder, "index"), folder, embedding: "none", environment, ...options });
  for await (const event of events) if (event.kind === "done") return event;
  throw new Error("no end");
}

async function find(query: string): Promise<readonly Passage[]> {
  await using opened = await openSearchIndex({ index: join(folder, "index"), environment });
  return await opened.search(query);
}

test("a page is fetched when it changed, and dated by its server", async () => {
  const address = `${server.url}/hours`;
  expect(await index({ documents: [address] })).toMatchObject({ added: 1, documents: 1, notices: [] });
  expect(await find("office")).toMatchObject([
    { document: `${server.host}/hours`, text: "The office opens at nine.", modified: "2026-03-02T08:00:00.000Z" },
  ]);
  const manifest = await readFile(join(folder, "index", "index.json"), "utf8");
  expect(await index()).toMatchObject({ unchanged: 1, changed: 0 });
  expect(await readFile(join(folder, "index", "index.json"), "utf8")).toBe(manifest);
  server.pages.set("/hours", { body: "<p>The office opens at ten.</p>", lastModified: "Tue, 03 Mar 2026 08:00:00 GMT", etag: '"2"' });
  expect(await index()).toMatchObject({ changed: 1 });
  expect(await find("office")).toMatchObject([{ text: "The office opens at ten.", modified: "2026-03-03T08:00:00.000Z" }]);
  expect(server.asked).toEqual(["GET /hours 200", "GET /hours 304", "GET /hours 200"]);
});

test("a page that cannot be had any more costs one line, and the index keeps what it was", async () => {
  await index({ documents: [`${server.url}/hours`] });
  server.pages.set("/hours", { status: 500 });
  expect(await index()).toMatchObject({
    removed: 0,
    documents: 1,
    notices: [`${server.url}/hours answers 500 (Internal Server Error). Try again later. The index keeps what it was before.`],
  });
  expect(await find("office")).toHaveLength(1);
});

test("a secret of the environment is in no file of the index, and what is asked of no name is forgotten by its address", async () => {
  server.pages.set("/a?key=hidden", { body: "<p>Behind the key.</p>" });
  const address = `${server.url}/a?key=\${KEY}`;
  await index({ documents: [address, `${server.url}/hours`] });
  expect(await find("key")).toHaveLength(1);
  expect(await readFile(join(folder, "index", "index.json"), "utf8")).not.toContain("hidden");
  await expect(index({ forget: [`${server.url}/other?key=x`] })).rejects.toThrow(
    `"${server.url}/other?..." is none of what this index was made of (${server.url}/a?..., ${server.url}/hours)`,
  );
  expect(await index({ forget: [address] })).toMatchObject({ removed: 1, documents: 1 });
});

test("documents are found by their dates", async () => {
  await index({ documents: [`${server.url}/hours`] });
  await using opened = await openSearchIndex({ index: join(folder, "index"), environment });
  const from = (day: string): ReturnType<typeof opened.search> =>
    opened.search("office", { where: [{ field: "modified", operator: ">=", value: day }] });
  expect(await from("2026-03-01")).toHaveLength(1);
  expect(await from("2026-03-03")).toHaveLength(0);
  expect(opened.entries()).toMatchObject([{ modified: "2026-03-02T08:00:00.000Z" }]);
});
