import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTrainingRows } from "./training-rows.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-rows-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(rows: readonly unknown[]) {
  await writeFile(join(folder, "train.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  return readTrainingRows(join(folder, "train.jsonl"));
}

const user = { role: "user", content: "Where is it?" };
const assistant = { role: "assistant", content: "In the shed." };

test("every column name of TRL is read, and this project's own", async () => {
  expect(
    await read([
      { text: "The lamp burns." },
      { prompt: "Where is it?", completion: "In the shed." },
      { input: "Is it red?", output: true, id: 7 },
      { input: "As JSON.", output: { colour: "red" } },
      { messages: [{ role: "developer", content: "Be brief." }, user, assistant] },
      { prompt: [user], completion: [assistant] },
      {
        messages: [
          user,
          {
            role: "assistant",
            content: [
              { type: "text", text: "In" },
              { type: "text", text: "parts." },
            ],
          },
        ],
      },
    ]),
  ).toEqual([
    { kind: "text", text: "The lamp burns." },
    { kind: "pair", prompt: "Where is it?", completion: "In the shed." },
    { kind: "pair", prompt: "Is it red?", completion: "true" },
    { kind: "pair", prompt: "As JSON.", completion: '{"colour":"red"}' },
    { kind: "conversation", messages: [{ role: "system", content: "Be brief." }, user, assistant], from: 0 },
    { kind: "conversation", messages: [user, assistant], from: 1 },
    { kind: "conversation", messages: [user, { role: "assistant", content: "In\nparts." }], from: 0 },
  ]);
});

test("CSV is read by the same names", async () => {
  await writeFile(join(folder, "train.csv"), "input,output\nIs it red?,yes\n");
  expect(await readTrainingRows(join(folder, "train.csv"))).toEqual([{ kind: "pair", prompt: "Is it red?", completion: "yes" }]);
});

test.each([
  [
    { question: "a", answer: "b" },
    'has none of: "messages", "prompt" and "completion", "input" and "output", "text" (fields: question, answer). Rename its fields.',
  ],
  [{ prompt: "a", completion: " " }, '"completion" is empty. Fill it, or take the line out.'],
  [{ prompt: [user], completion: "b" }, '"completion" is "b"; it must be a list of { role, content }.'],
  [{ messages: [user] }, '"messages" holds no turn of the assistant after another\'s: nothing to learn. Add one, or take the line out.'],
  [{ messages: [assistant] }, '"messages" holds no turn of the assistant'],
  [
    { messages: [{ role: "tool", content: "x" }, assistant] },
    '"messages"[0] has the role "tool". Roles are system, developer, user, assistant.',
  ],
  [{ messages: "hello" }, '"messages" is "hello"; it must be a list of { role, content }.'],
])("a row that cannot be learnt from is named with its line: %j", async (row, message) => {
  await expect(read([{ text: "fine" }, row])).rejects.toThrow(message);
  await expect(read([{ text: "fine" }, row])).rejects.toThrow("Line 2 of ");
});

test("a file without rows, of another kind, or not there is one line", async () => {
  await expect(read([])).rejects.toThrow('holds no rows. Write one { "prompt": ..., "completion": ... } a line.');
  await expect(readTrainingRows("train.parquet")).rejects.toThrow(
    "train.parquet can't be read: training data are .jsonl, .ndjson, .csv, .tsv files.",
  );
  await expect(readTrainingRows(join(folder, "nothing.jsonl"))).rejects.toThrow("There is no file");
});
