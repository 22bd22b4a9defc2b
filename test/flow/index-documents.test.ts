// Documents of a folder into an index, and what a search finds as they change.
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { indexDocuments, type IndexDocumentsOptions, type IndexResult, openSearchIndex } from "../../src/index.ts";
import type { Environment } from "../../src/index.ts";

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
  folder = await mkdtemp(join(tmpdir(), "sartor-documents-"));
  await mkdir(join(folder, "docs", "hr"), { recursive: true });
  await write("docs/bikes.md", "# Bikes\n\nBike hire is free for staff.");
  await write("docs/hr/leave.md", "---\nauthor: Smith\n---\n# Leave\n\nStaff have 28 days of leave.");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (path: string, text: string): Promise<void> => writeFile(join(folder, path), text);

async function index(options: Partial<IndexDocumentsOptions> = {}): Promise<IndexResult> {
  const events = indexDocuments({ index: join(folder, "index"), folder, embedding: "none", environment, ...options });
  for await (const event of events) if (event.kind === "done") return event;
  throw new Error("no end");
}

async function find(query: string): Promise<readonly string[]> {
  await using opened = await openSearchIndex({ index: join(folder, "index"), environment });
  return (await opened.search(query)).map(({ document, text }) => `${document}: ${text.split("\n").at(-1)}`);
}

test("a file that is added, changed, broken or removed costs that file, and the next search knows", async () => {
  expect(await index({ documents: ["docs"] })).toMatchObject({ added: 2, changed: 0, removed: 0, unchanged: 0, documents: 2, notices: [] });
  expect(await find("staff hire")).toEqual(["bikes.md: Bike hire is free for staff.", "hr/leave.md: Staff have 28 days of leave."]);
  await write("docs/bikes.md", "# Bikes\n\nBike hire costs nine pounds a day.");
  await write("docs/cars.md", "# Cars\n\nCars can be hired.");
  expect(await index()).toMatchObject({ added: 1, changed: 1, removed: 0, unchanged: 1, documents: 3 });
  expect(await find("pounds")).toEqual(["bikes.md: Bike hire costs nine pounds a day."]);
  await rm(join(folder, "docs/cars.md"));
  await write("docs/hr/leave.md", "");
  const last = await index();
  expect(last).toMatchObject({ added: 0, changed: 0, removed: 1, unchanged: 1, documents: 2 });
  expect(last.notices).toEqual([expect.stringMatching(/leave\.md.*empty.*The index keeps what it was before/u)]);
  expect(await find("leave")).toEqual(["hr/leave.md: Staff have 28 days of leave."]);
});

test("a file only touched is read, but nothing is said to be changed in what is found", async () => {
  await index({ documents: ["docs"] });
  const before = await find("hire");
  const later = new Date(Date.now() + 5000);
  await utimes(join(folder, "docs/bikes.md"), later, later);
  expect(await index()).toMatchObject({ unchanged: 2, changed: 0 });
  expect(await find("hire")).toEqual(before);
  expect(await index()).toMatchObject({ unchanged: 2, changed: 0 });
});

test("documents come from several places, and a place can be forgotten", async () => {
  await write("notes.txt", "The harbour opens at nine.");
  await index({ documents: ["docs"] });
  expect(await index({ documents: ["notes.txt"] })).toMatchObject({ added: 1, documents: 3 });
  expect(await index({ forget: ["docs"] })).toMatchObject({ removed: 2, documents: 1 });
  expect(await find("harbour")).toEqual(["notes.txt: The harbour opens at nine."]);
  await expect(index({ forget: ["docs"] })).rejects.toThrow('"docs" is none of what this index was made of (notes.txt)');
});

test("without documents there is nothing to index, and other settings are refused", async () => {
  await expect(index()).rejects.toThrow("No documents were named");
  await index({ documents: ["docs"] });
  await expect(index({ chunk: { words: 10, overlap: 0 } })).rejects.toThrow("was made with passages of 200 words");
  await expect(openSearchIndex({ index: folder, environment })).rejects.toThrow("There is no index in");
});
