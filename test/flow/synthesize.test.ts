// Questions from a folder of documents, as a file that a task can be made of; and what is said of them then.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dataNotices } from "../../src/data/notices.ts";
import { readTask } from "../../src/data/read-task.ts";
import { type Environment, initTask, readDocuments, synthesizeExamples, type SynthesizeEvent } from "../../src/index.ts";
import { metricNames } from "../../src/metric/metrics.ts";

const environment: Environment = {
  modelsFolder: "/nowhere",
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 128,
  secret: () => undefined,
};
const things = ["brake", "bell", "lock", "chain", "saddle", "lamp", "pump", "basket", "pedal", "mirror", "stand", "rack"];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-synthesize-"));
  await mkdir(join(folder, "handbook"));
  for (const [at, thing] of things.entries())
    await writeFile(
      join(folder, "handbook", `${thing}.md`),
      `# The ${thing}\n\nThe ${thing} costs ${at + 3} pounds. The spare ${thing} is kept in drawer ${at + 1}.\n`,
    );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function events(count = 12): Promise<readonly SynthesizeEvent[]> {
  const all: SynthesizeEvent[] = [];
  for await (const event of synthesizeExamples({ folder, count, environment })) all.push(event);
  return all;
}

test("the file is written, a task can be made of it, and its data are said to be synthetic", async () => {
  const last = (await events()).at(-1);
  expect(last).toEqual({ kind: "written", path: join(folder, "synthetic.jsonl"), notices: [] });
  const rows = (await readFile(join(folder, "synthetic.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { synthetic: boolean });
  expect(rows).toHaveLength(12);
  expect(rows.every(({ synthetic }) => synthetic)).toBe(true);
  const { guesses } = await initTask({ folder });
  expect(guesses).toMatchObject([
    { field: "examples", value: "synthetic.jsonl" },
    { field: "output" },
    { field: "documents", value: "handbook/" },
  ]);
  const { task, notices } = await readTask({ path: folder, metricNames, readDocuments });
  expect(notices).toEqual([]);
  expect(task.examples.every(({ synthetic, evidence }) => synthetic === true && evidence?.length === 1)).toBe(true);
  expect(dataNotices({ task })[0]).toMatch(/^All 12 examples are synthetic: made from the documents, asked by nobody\./u);
});

test("a file that people may have looked over is not written over, and a task that is there is named", async () => {
  await events();
  await expect(events()).rejects.toThrow(/synthetic\.jsonl is there already\. Move it away/u);
  await rm(join(folder, "synthetic.jsonl"));
  await writeFile(join(folder, "sartor.yaml"), "documents: handbook/bell.md\n");
  const all = await events();
  expect(all.at(-1)).toMatchObject({ kind: "written", task: "sartor.yaml" });
  expect(all.find((event) => event.kind === "done")).toMatchObject({ examples: [{ group: "handbook/bell.md" }] });
});

test("no documents, and documents that give no question, are one line", async () => {
  await expect(events(0)).rejects.toThrow("The count of questions is 0.");
  await rm(join(folder, "handbook"), { recursive: true });
  await expect(events()).rejects.toThrow(/holds no folder of documents/u);
  await mkdir(join(folder, "handbook"));
  await writeFile(join(folder, "handbook", "a.md"), "Eins zwei drei.");
  await expect(events()).rejects.toThrow(/The documents give no question/u);
});
