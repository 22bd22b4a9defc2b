import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDocuments } from "../document/read-all.ts";
import { isReadable } from "../document/read.ts";
import { UserError } from "../errors.ts";
import { initTask } from "./init-task.ts";
import type { InitTask } from "./init-task.ts";
import { readTask } from "./read-task.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-init-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function init(files: { readonly [path: string]: string }): Promise<InitTask> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return initTask({ folder, isDocument: isReadable, readDocuments });
}

const lines = (outputs: readonly unknown[]): string =>
  outputs.map((output, index) => `${JSON.stringify({ input: `input ${index}`, output })}\n`).join("");
const answers = Array.from({ length: 20 }, (_, index) => (index % 5 === 0 ? "Nobody knows." : `answer ${index}`));

test("questions with documents become a task that can be read, with its comments", async () => {
  const { path, guesses, notices } = await init({
    "faq.jsonl": lines(answers),
    "handbook/a.md": "# A",
    "handbook/deep/b.html": "<p>b</p>",
    "old/c.txt": "c",
    "images/d.png": "x",
    "README.md": "x",
  });
  expect(path).toBe(join(folder, "sartor.yaml"));
  expect([guesses, notices]).toEqual([
    [
      { field: "examples", value: "faq.jsonl", why: "the only file of examples here" },
      { field: "output", value: "text", why: "17 different outputs in 20 examples" },
      { field: "documents", value: "handbook/", why: '2 documents in it; not taken: "old"' },
      { field: "abstention", value: "Nobody knows.", why: "4 of 20 examples have this output; no other repeats so" },
    ],
    [],
  ]);
  expect(await readFile(path, "utf8")).toMatchInlineSnapshot(`
    "# What the model is to do, in your words: every prompt begins with it.
    instruction: "Answer briefly. If the documents do not say, answer: Nobody knows."

    # What an answer looks like: text, { labels: [...] } or { schema: {...} }.
    output: text

    examples: faq.jsonl

    # Files, folders or patterns that answers can be found in.
    documents: handbook/
    # The answer that means: the documents do not say.
    abstention: Nobody knows.

    # What is measured. The first decides.
    metrics: [ token-f1, exact-match ]
    # Names from "sartor models", .gguf files, or { url, model } of a server that speaks the OpenAI protocol.
    models: [ smollm2-135m-instruct ]
    # all, or a list such as [few-shot, rag-bm25, "rag-bm25 > lora"].
    strategies: all

    # What cheapest means (cost, latency or update), and how much of the score may be given up for it.
    objective: cost
    tolerance: 0.05
    # Limits that a candidate must keep. Take out the # and leave those that matter.
    # constraints: { p95: 2s, costPer1k: 0.50, memory: 4GB, local: true }
    usage: { requestsPerMonth: 10000, updatesPerMonth: 4, months: 12 }
    seed: 0
    "
  `);
  const { task } = await readTask({ path: folder, metricNames: ["token-f1", "exact-match"], readDocuments });
  expect(task).toMatchObject({ output: { kind: "text" }, abstention: "Nobody knows.", metrics: ["token-f1", "exact-match"] });
  expect(task.documents).toHaveLength(2);
});

test("a table of texts and labels becomes a task with these labels and the names of its columns", async () => {
  const rows = Array.from({ length: 12 }, (_, index) => `message ${index},${["no", "yes: really"][index % 2]}`);
  const { guesses } = await init({ "messages.csv": `text,label\n${rows.join("\n")}\n` });
  expect(guesses.slice(1)).toEqual([
    { field: "fields", value: "{ input: text, output: label }", why: "by their names, of text, label" },
    { field: "output", value: '{ labels: [ no, "yes: really" ] }', why: "only 2 different outputs in 12 examples" },
  ]);
  const { task } = await readTask({ path: folder, metricNames: ["accuracy", "macro-f1"], readDocuments });
  expect([task.output, task.examples[1]?.input]).toEqual([{ kind: "labels", labels: ["no", "yes: really"] }, "message 1"]);
});

test("outputs that are objects become a schema", async () => {
  const outputs = Array.from({ length: 20 }, (_, index) => ({
    size: ["S", "L"][index % 2],
    count: index % 3 === 0 ? null : index,
    price: index / 2,
    note: `note ${index}`,
    ...(index === 3 ? { rush: true } : {}),
  }));
  const { path } = await init({ "train.jsonl": lines(outputs), "notes.jsonl": lines(answers) });
  const yaml = await readFile(path, "utf8");
  expect(yaml.slice(yaml.indexOf("output:"), yaml.indexOf("# What is measured"))).toMatchInlineSnapshot(`
    "output:
      schema:
        type: object
        additionalProperties: false
        required: [ size, count, price, note ]
        properties:
          size:
            enum: [ L, S ]
          count:
            type: [ integer, "null" ]
          price:
            type: number
          note:
            type: string
          rush:
            type: boolean

    examples: train.jsonl

    "
  `);
});

test("files named train, valid and test become the split that they give, any two columns input and output", async () => {
  const csv = (from: number): string =>
    `a;b\n${Array.from({ length: 6 }, (_, index) => `x ${from + index};y ${from + index}`).join("\n")}\n`;
  const { guesses } = await init({ "train.csv": csv(0), "valid.csv": csv(10), "test.csv": csv(20) });
  expect(guesses.map(({ value }) => value)).toEqual([
    "{ train: train.csv, validation: valid.csv, test: test.csv }",
    "{ input: a, output: b }",
    "text",
  ]);
});

test.each<[string, { readonly [path: string]: string }, string]>([
  [
    "a task that is there",
    { "sartor.json": "{}", "e.jsonl": lines(answers) },
    "FOLDER/sartor.json is there already. Edit it, or remove it to start anew.",
  ],
  [
    "no examples",
    { "a.txt": "x" },
    'FOLDER holds no file of examples. Put an examples.jsonl there, one { "input": ..., "output": ... } a line, or an examples.csv.',
  ],
  [
    "several files",
    { "a.jsonl": lines(answers), "b.jsonl": lines(answers) },
    "FOLDER holds several files that may be the examples: a.jsonl, b.jsonl. Call the one you mean examples.jsonl.",
  ],
  ["an empty file", { "a.jsonl": "" }, 'a.jsonl holds no examples. Write one { "input": ..., "output": ... } a line.'],
  [
    "3 examples",
    { "a.jsonl": lines(answers.slice(0, 3)) },
    "a.jsonl holds 3 examples; at least 10 are needed, and 60 for a recommendation. Add more.",
  ],
  [
    "fields that mean nothing",
    { "a.jsonl": '{"x":1,"y":2,"z":3}\n' },
    'Line 1 of a.jsonl has no "input" (fields: x, y, z). Give every example "input" and "output" (or "prompt" and "completion", or "messages").',
  ],
  [
    "a broken line",
    { "a.jsonl": `${lines(answers)}{"input":` },
    "Line 21 of a.jsonl is no JSON: column 10, the line ends too soon. Mend the line, or take it out.",
  ],
  [
    "an empty document",
    { "a.jsonl": lines(answers), "docs/a.md": "" },
    'documents: "docs/" holds no document that can be read: docs/a.md is an empty document. Write something into it, or remove it.',
  ],
  [
    "one class only",
    { "a.jsonl": lines(answers.map(() => "yes")) },
    'All 20 examples have the output "yes": there is nothing to tell apart. Add examples of another label, or write "output: text".',
  ],
])("%s gets one line and nothing is written", async (_name, files, message) => {
  const error = await init(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message.replaceAll(folder, "FOLDER")).toBe(message);
  expect(new Set(await readdir(folder))).toEqual(new Set(Object.keys(files).map((name) => name.split("/")[0])));
});

test("a folder that is not there is named", async () => {
  await expect(initTask({ folder: join(folder, "no"), isDocument: isReadable, readDocuments })).rejects.toThrow(
    `There is no folder ${join(folder, "no")}. Name the folder that holds your examples.`,
  );
});
