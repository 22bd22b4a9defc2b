import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDocuments } from "../document/read-all.ts";
import { UserError } from "../errors.ts";
import { readTask } from "./read-task.ts";
import type { ReadTask } from "./read-task.ts";

const metricNames = ["accuracy", "macro-f1", "exact-match", "token-f1", "rouge-l", "json-valid", "field-f1"];
type Files = { readonly [path: string]: string | Uint8Array };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-task-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function read(files: Files, path = "", seed?: number): Promise<ReadTask> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return readTask({ path: join(folder, path), metricNames, readDocuments, ...(seed === undefined ? {} : { seed }) });
}

const lines = (examples: readonly unknown[]): string => examples.map((one) => `${JSON.stringify(one)}\n`).join("");
const plain = Array.from({ length: 12 }, (_, index) => ({ id: `e${index}`, input: `question ${index}`, output: `answer ${index}` }));
const labelled = plain.map((one, index) => ({ ...one, output: ["billing", "repair"][index % 2] }));
/** The plain examples with line 2 replaced. */
const second = (line: unknown): string => lines([plain[0], line, ...plain.slice(2)]);

describe("a task", () => {
  test("its examples are none of its documents, even in the same folder; graphs are", async () => {
    const { task } = await read({
      "sartor.yaml": "documents: [., { graph: facts.csv }]",
      "examples.csv": `input,output\n${plain.map(({ input, output }) => `${input},${output}`).join("\n")}\n`,
      "a.md": "text",
      "facts.csv": "Ada,knows,Bo\nBo,knows,Ada\n",
    });
    expect(task.documents.map(({ id, neighbours }) => [id, neighbours])).toEqual([
      ["a.md", undefined],
      ["facts.csv/Ada", ["facts.csv/Bo"]],
      ["facts.csv/Bo", ["facts.csv/Ada"]],
    ]);
  });

  test("has a default for every field", async () => {
    const { task, given, notices } = await read({ "sartor.yaml": "", "examples.jsonl": lines(plain) });
    expect(task).toEqual({
      name: basename(folder),
      folder,
      instruction: "Answer briefly.",
      output: { kind: "text" },
      examples: plain,
      documents: [],
      metrics: ["token-f1", "exact-match"],
      models: ["smollm2-135m-instruct"],
      strategies: "all",
      objective: "cost",
      tolerance: 0.05,
      constraints: {},
      usage: { requestsPerMonth: 10_000, updatesPerMonth: 4, months: 12 },
      seed: 0,
    });
    expect(given.size).toBe(0);
    expect(notices).toEqual(['The task has no instruction; prompts say "Answer briefly." Write what you want under "instruction".']);
  });

  test("holds what is written", async () => {
    const yaml = `
name: letters
instruction: "  Sort the letter. "
output: { labels: [billing, repair, 3] }
examples: data/letters.csv
fields: { input: body, output: team, group: thread }
documents: [pages/, extra.txt]
metrics: macro-f1
models: [small, ./m.gguf, { url: "http://localhost:8080/v1", model: big, keyVariable: KEY, contextLength: 4096, price: { input: 0.1, output: 0.4 } }]
strategies: [few-shot, "rag-bm25 > lora"]
objective: latency
tolerance: 0
constraints: { p95: 500ms, costPer1k: 0.50, memory: 4GB, local: true }
usage: { requestsPerMonth: 0, months: 6 }
prices: { machineHour: 0.2, source: our bill }
seed: 3
abstention: "-"
`;
    const csv = `body,team,thread,extra\n${Array.from({ length: 12 }, (_, index) => `letter ${index},${["billing", " repair ", "3"][index % 3]},t${index % 4},x`).join("\n")}\n`;
    const files = { "sartor.yml": yaml, "data/letters.csv": csv, "pages/a.md": "# Page A", "extra.txt": "more", "m.gguf": "GGUF" };
    const { task, notices } = await read(files, "sartor.yml", 7);
    expect(task).toMatchObject({
      name: "letters",
      instruction: "Sort the letter.",
      output: { kind: "labels", labels: ["billing", "repair", "3"] },
      metrics: ["macro-f1"],
      models: [
        "small",
        join(folder, "m.gguf"),
        { url: "http://localhost:8080/v1", model: "big", keyVariable: "KEY", contextLength: 4096, price: { input: 0.1, output: 0.4 } },
      ],
      strategies: ["few-shot", "rag-bm25 > lora"],
      objective: "latency",
      tolerance: 0,
      constraints: { p95: 0.5, costPer1k: 0.5, memory: 4e9, local: true },
      usage: { requestsPerMonth: 0, updatesPerMonth: 4, months: 6 },
      prices: { machineHour: 0.2, source: "our bill" },
      seed: 7,
      abstention: "-",
    });
    expect(task.documents.map(({ id, title }) => [id, title])).toEqual([
      ["a.md", "Page A"],
      ["extra.txt", "extra"],
    ]);
    expect(task.examples[1]).toEqual({ id: expect.stringMatching(/^[0-9a-f]{12}$/), input: "letter 1", output: "repair", group: "t1" });
    expect(notices).toEqual(["Fields of the examples that are not read: extra (12)."]);
  });

  test("may be JSON or a module", async () => {
    const { task } = await read({
      "sartor.json": '{\n\t"instruction": "From JSON.",\n\t"output": "text"\n}',
      "examples.jsonl": lines(plain),
    });
    expect(task.instruction).toBe("From JSON.");
    await rm(join(folder, "sartor.json"));
    expect((await read({ "sartor.mjs": 'export default { instruction: "From " + "code." };' })).task.instruction).toBe("From code.");
  });

  test("takes few outputs that repeat for labels, and says so", async () => {
    const { task, notices } = await read({ "sartor.yaml": "instruction: x", "examples.jsonl": lines(labelled) });
    expect([task.output, task.metrics]).toEqual([{ kind: "labels", labels: ["billing", "repair"] }, ["accuracy", "macro-f1"]]);
    expect(notices).toEqual(['The outputs are taken for labels (billing, repair). Write "output: text" if they are not.']);
    const inferred = await read({ "sartor.yaml": "instruction: x\noutput: { labels: infer }" });
    expect([inferred.task.output, inferred.notices]).toEqual([{ kind: "labels", labels: ["billing", "repair"] }, []]);
    expect((await read({ "sartor.yaml": "instruction: x\noutput: text" })).task.output).toEqual({ kind: "text" });
  });

  test("with a schema reads objects and JSON text alike", async () => {
    const schema = { type: "object", required: ["a"], additionalProperties: false, properties: { a: { type: ["integer", "null"] } } };
    const examples = plain.map((one, index) => ({ ...one, output: index % 2 === 0 ? { a: index } : '{"a": null}' }));
    const { task } = await read({
      "sartor.yaml": "instruction: x\noutput: { schema: schema.json }",
      "schema.json": JSON.stringify(schema),
      "examples.jsonl": lines(examples),
    });
    expect([task.output, task.metrics]).toEqual([{ kind: "schema", schema }, ["field-f1", "json-valid"]]);
    expect(task.examples.slice(0, 2).map(({ output }) => output)).toEqual(['{"a":0}', '{"a": null}']);
  });

  test("reads prompts with completions, and conversations", async () => {
    const turns = (...messages: [string, unknown][]): unknown => ({ messages: messages.map(([role, content]) => ({ role, content })) });
    const examples = [
      ...plain.slice(3).map(({ input, output }) => ({ prompt: input, completion: output })),
      turns(["system", "Be kind."], ["user", "Hi?"], ["assistant", "Hello."]),
      turns(["user", [{ type: "text", text: "One" }]], ["assistant", "Two"], ["user", "Three"], ["assistant", "Four"]),
    ];
    const { task, notices } = await read({ "sartor.yaml": "instruction: x", "examples.jsonl": lines(examples) });
    expect(task.examples.slice(-3).map(({ input, output }) => [input, output])).toEqual([
      ["question 11", "answer 11"],
      ["Hi?", "Hello."],
      ["User: One\nAssistant: Two\nUser: Three", "Four"],
    ]);
    expect(notices).toEqual(["Left out: the system messages of 1 example. The task's instruction takes their place."]);
  });

  test("keeps evidence, variants and groups, also from CSV", async () => {
    const evidence = [{ document: "a.md", start: 2, end: 6 }];
    const full = { ...plain[0], alternatives: ["as good"], group: 5, evidence, variants: ["other words"] };
    const files = {
      "sartor.yaml": "instruction: x\ndocuments: docs",
      "docs/a.md": "# Page A",
      "examples.jsonl": lines([full, ...plain.slice(1)]),
    };
    expect((await read(files)).task.examples[0]).toEqual({ ...full, group: "5" });
    const cell = (value: unknown): string => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
    const csv = `id,input,output,evidence,variants\ne,i,o,${cell(evidence)},${cell(["v"])}\n${plain
      .slice(1)
      .map(({ input, output }) => `,${input},${output},,`)
      .join("\n")}`;
    const { task } = await read({ "sartor.yaml": "instruction: x\ndocuments: docs\nexamples: e.csv", "e.csv": csv });
    expect(task.examples[0]).toEqual({ id: "e", input: "i", output: "o", evidence, variants: ["v"] });
  });

  test("reads UTF-16 and a byte order mark as if they were not there", async () => {
    const { task } = await read({
      "sartor.yaml": "\uFEFFinstruction: é",
      "examples.jsonl": Buffer.from(`\uFEFF${lines(plain)}`, "utf16le"),
    });
    expect([task.instruction, task.examples]).toEqual(["é", plain]);
  });

  test("numbers copies of an example that has no id, and counts one that repeats its id once", async () => {
    const copy = { input: "same", output: "thing" };
    const { task, notices } = await read({
      "sartor.yaml": "instruction: x",
      "examples.jsonl": lines([copy, copy, copy, ...plain, plain[0]]),
    });
    const [first] = task.examples;
    expect(task.examples.slice(0, 3).map(({ id }) => id)).toEqual([first?.id, `${first?.id}-2`, `${first?.id}-3`]);
    expect([task.examples.length, notices]).toEqual([15, ["Left out: 1 example with the id and the content of another."]]);
  });

  test("from several files has the sides that they give", async () => {
    const yaml = "instruction: x\nexamples: { train: a.jsonl, test: b.jsonl }";
    const { task, given } = await read({ "sartor.yaml": yaml, "a.jsonl": lines(plain.slice(0, 8)), "b.jsonl": lines(plain.slice(8)) });
    expect(task.examples).toEqual(plain);
    expect([...given.values()].filter((side) => side === "test")).toHaveLength(4);
    expect(given.get("e11")).toBe("test");
  });
});

const yaml = "instruction: x\n";
const task = (more: string): Files => ({ "sartor.yaml": yaml + more, "examples.jsonl": lines(plain) });
const examples = (content: string | Uint8Array, more = ""): Files => ({ "sartor.yaml": yaml + more, "examples.jsonl": content });
const evidence = (document: string, start: number, end: number): Files => ({
  ...examples(second({ ...plain[1], evidence: [{ document, start, end }] }), "documents: docs"),
  "docs/plans.md": "12345",
});

test.each<[string, Files, string]>([
  ["no task", {}, 'FOLDER holds no sartor.yaml. Make one with "sartor init FOLDER".'],
  [
    "two tasks",
    { "sartor.yaml": "", "sartor.json": "{}" },
    "FOLDER holds sartor.yaml and sartor.json. Keep one of them, or name the one you mean.",
  ],
  [
    "broken YAML",
    { "sartor.yaml": "instruction: x\noutput: {a\nseed: 0\n" },
    "sartor.yaml, line 3, column 1: Flow map in block collection must be sufficiently indented and end with a }. Mend the line.",
  ],
  [
    "the same field twice",
    { "sartor.yaml": "seed: 1\nseed: 2\n" },
    "sartor.yaml, line 2, column 1: Map keys must be unique. Mend the line.",
  ],
  [
    "broken JSON",
    { "sartor.json": '{\n"seed": 1\n"name": 2}' },
    'sartor.json, line 3, column 1: this is no JSON: "name": 2}. Mend the line.',
  ],
  [
    "a module without a task",
    { "sartor.mjs": "export const task = {};" },
    'sartor.mjs has no default export. Write "export default { instruction: ... }".',
  ],
  [
    "a text for a task",
    { "sartor.yaml": "just words" },
    'sartor.yaml: The task is "just words"; it must be a list of fields such as instruction, output, examples.',
  ],
  ["an unknown field", task("metrcs: [accuracy]"), 'sartor.yaml, line 2: "metrcs" is no field of a task. Did you mean "metrics"?'],
  [
    "a database without a query",
    task("documents: { sqlite: shop.db }"),
    "sartor.yaml, line 2: documents.query is missing. Give a query such as select * from products.",
  ],
  [
    "a source of two kinds",
    task("documents: [{ sqlite: shop.db, graph: a.ttl, query: x }]"),
    'sartor.yaml, line 2: documents[0] is {"sqlite":"shop.db","graph":"a.ttl","query":"x"}; it must be a path, a pattern, an address, { sqlite, query }, { postgres, query }, { graph }, or a list of them.',
  ],
  [
    "an unknown field of a database",
    task("documents: { sqlite: shop.db, qery: x }"),
    'sartor.yaml, line 2: "qery" is no field of documents. Did you mean "query"?',
  ],
  [
    "an unknown field within",
    task("usage:\n  updatesPerMonth: 4\n  requestPerMonth: 5"),
    'sartor.yaml, line 4: "requestPerMonth" is no field of usage. Did you mean "requestsPerMonth"?',
  ],
  [
    "an unknown field of a server",
    task("models:\n  - { url: http://x/v1, modle: m }"),
    'sartor.yaml, line 3: "modle" is no field of models[0]. Did you mean "model"?',
  ],
  [
    "an unknown metric",
    task("metrics:\n  - token-f1\n  - acuracy"),
    'sartor.yaml, line 4: there is no metric "acuracy". Did you mean "accuracy"?',
  ],
  [
    "a value outside a closed set",
    task("objective: fast"),
    'sartor.yaml, line 2: objective is "fast"; it must be cost, latency or update.',
  ],
  [
    "a duration that is none",
    task("constraints:\n  p95: soon"),
    'sartor.yaml, line 3: constraints.p95 is "soon"; it must be a duration such as 2s or 500ms.',
  ],
  [
    "a size that is none",
    task("constraints: { memory: 4 elephants }"),
    'sartor.yaml, line 2: constraints.memory is "4 elephants"; it must be a size such as 4GB.',
  ],
  [
    "an output that is none",
    task("output: labels"),
    'sartor.yaml, line 2: output is "labels"; it must be text, { labels: [...] }, { labels: infer } or { schema: {...} }.',
  ],
  [
    "one label alone",
    task("output: { labels: [a] }"),
    'sartor.yaml, line 2: output.labels is ["a"]; it must be infer, or a list of at least two labels.',
  ],
  ["a tolerance above 1", task("tolerance: 5"), "sartor.yaml, line 2: tolerance is 5; it must be a number from 0 to 1."],
  [
    "an address that is none",
    task("models: [{ url: localhost, model: m }]"),
    'sartor.yaml, line 2: models[0].url is "localhost"; it must be the address of a server, such as http://localhost:8080/v1.',
  ],
  [
    "a server without a model",
    task("models: [{ url: http://x/v1 }]"),
    "sartor.yaml, line 2: models[0].model is missing. Give the name of a model of that server.",
  ],
  [
    "a model file that is not there",
    task("models: [no.gguf]"),
    'sartor.yaml, line 2: there is no model file FOLDER/no.gguf. Name a file, or a model of "sartor models".',
  ],
  [
    "no test file",
    task("examples: { train: examples.jsonl }"),
    "sartor.yaml, line 2: examples.test is missing. Give the path of a .jsonl or .csv file.",
  ],
  [
    "no examples named and none there",
    { "sartor.yaml": yaml },
    "sartor.yaml: examples is missing, and there is no examples.jsonl or examples.csv beside it. Name the file of examples.",
  ],
  ["a file of examples that is not there", task("examples: no.jsonl"), "There is no file no.jsonl. Check the path."],
  [
    "a folder of examples",
    { ...task("examples: data.jsonl"), "data.jsonl/x": "" },
    "data.jsonl is a folder, not a file. Name a file in it.",
  ],
  [
    "examples of another format",
    { ...task("examples: e.xlsx"), "e.xlsx": "" },
    "examples: e.xlsx can't be read: examples are .jsonl, .ndjson, .csv, .tsv files.",
  ],
  ["an empty file of examples", examples("\n"), 'examples.jsonl holds no examples. Write one { "input": ..., "output": ... } a line.'],
  [
    "3 examples",
    examples(lines(plain.slice(0, 3))),
    "examples.jsonl holds 3 examples; at least 10 are needed, and 60 for a recommendation. Add more.",
  ],
  [
    "a broken line",
    examples(`${lines(plain.slice(0, 4))}{"input": "a", "output": }\n`),
    'Line 5 of examples.jsonl is no JSON: column 26, at "}". Mend the line, or take it out.',
  ],
  [
    "another encoding",
    examples(Buffer.from('{"input":"a"}\n{"input":"caf\xe9 au lait","output":"x"}\n', "latin1")),
    'Line 2 of examples.jsonl is not UTF-8 (as Windows-1252 it would read "{"input":"café au lait","output":…"). Save the file as UTF-8.',
  ],
  [
    "UTF-16 without its mark",
    examples(Buffer.from(lines(plain), "utf16le")),
    "Line 1 of examples.jsonl holds a NUL byte: it is a binary file, or UTF-16 without a byte order mark. Save it as UTF-8 text.",
  ],
  [
    "a missing field",
    examples(second({ input: "a", answr: "b" })),
    'Line 2 of examples.jsonl has no "output" (fields: input, answr). Give every example "input" and "output" (or "prompt" and "completion", or "messages").',
  ],
  [
    "fields of other names",
    examples(second({ question: "a", answer: "b" })),
    'Line 2 of examples.jsonl has no "input" (fields: question, answer). Add "fields: { input: question, output: answer }" to sartor.yaml, or rename the fields.',
  ],
  [
    "a misspelt field name",
    task("fields: { input: inptu }"),
    'Line 1 of examples.jsonl has no "inptu" (fields: id, input, output). sartor.yaml names it under "fields": Did you mean "input"?',
  ],
  [
    "an output that is null",
    examples(second({ input: "a", output: null })),
    'Line 2 of examples.jsonl has no "output" (fields: input, output). Give every example "input" and "output" (or "prompt" and "completion", or "messages").',
  ],
  [
    "an input that is a list",
    examples(second({ input: ["a"], output: "b" })),
    'Line 2 of examples.jsonl: "input" is ["a"]; it must be text.',
  ],
  [
    "an empty output",
    examples(second({ input: "a", output: " " })),
    'Line 2 of examples.jsonl: "output" is empty. Fill it, or take the line out.',
  ],
  [
    "a conversation without an answer",
    examples(second({ messages: [{ role: "user", content: "a" }] })),
    'Line 2 of examples.jsonl: the last of its messages is by "user". End with the assistant\'s answer: it is the output.',
  ],
  [
    "a message without content",
    examples(second({ messages: [{ role: "user" }] })),
    'Line 2 of examples.jsonl: messages[0] is {"role":"user"}; it must be { role, content } with text as content.',
  ],
  [
    "variants that are no list",
    examples(second({ ...plain[1], variants: "a" })),
    'Line 2 of examples.jsonl: "variants" is "a"; it must be a list of texts.',
  ],
  [
    "evidence that is none",
    examples(second({ ...plain[1], evidence: [{ document: "a.md" }] })),
    'Line 2 of examples.jsonl: "evidence" is [{"document":"a.md"}]; it must be a list of { document, start, end }.',
  ],
  [
    "one id for two examples",
    examples(second({ ...plain[1], id: "e0" })),
    'Line 2 of examples.jsonl: the id "e0" is that of line 1 of examples.jsonl, with another content. Give each example its own id, or leave ids out.',
  ],
  [
    "one class only",
    examples(lines(plain.map((one) => ({ ...one, output: "yes" }))), "output: { labels: infer }"),
    'All 12 examples have the output "yes": there is nothing to tell apart. Add examples of another label, or write "output: text".',
  ],
  [
    "a label outside the set",
    examples(lines([...labelled, { input: "x", output: "biling" }]), "output: { labels: [billing, repair] }"),
    'Line 13 of examples.jsonl: the output "biling" is none of the task\'s labels. Did you mean "billing"? Mend it, or add it to output.labels.',
  ],
  [
    "an output that is no JSON",
    task("output: { schema: { type: object } }"),
    'Line 1 of examples.jsonl: the output is no JSON: "answer 0". The task\'s output is JSON under a schema.',
  ],
  [
    "an output outside the schema",
    examples(
      lines(plain.map((one) => ({ ...one, output: { a: "x" } }))),
      "output: { schema: { type: object, properties: { a: { type: integer } } } }",
    ),
    'Line 1 of examples.jsonl: the output has a field "a" that is "x", not integer. Mend it, or change output.schema.',
  ],
  [
    "an output without a required field",
    examples(lines(plain.map((one) => ({ ...one, output: { a: "x" } }))), "output: { schema: { type: object, required: [b] } }"),
    'Line 1 of examples.jsonl: the output has no "b" (fields: a). Mend it, or change output.schema.',
  ],
  [
    "a schema that is no JSON",
    { ...task("output: { schema: s.json }"), "s.json": "{" },
    "output.schema: s.json is no JSON. Mend it, or write the schema into the task.",
  ],
  [
    "evidence in an unknown document",
    evidence("plan.md", 0, 3),
    'Line 2 of examples.jsonl: evidence names the document "plan.md", which is not there. Did you mean "plans.md"?',
  ],
  [
    "evidence outside its document",
    evidence("plans.md", 2, 6),
    "Line 2 of examples.jsonl: evidence spans characters 2 to 6 of plans.md, which has 5. Give 0 <= start < end <= 5.",
  ],
  [
    "evidence without documents",
    examples(second({ ...plain[1], evidence: [{ document: "a.md", start: 0, end: 1 }] })),
    'Line 2 of examples.jsonl: evidence names the document "a.md", which is not there. The task has none: name them under "documents".',
  ],
  [
    "an empty document",
    { ...task("documents: docs"), "docs/a.md": "" },
    'documents: "docs" holds no document that can be read: docs/a.md is an empty document. Write something into it, or remove it.',
  ],
])("%s gets one line and nothing is written", async (_name, files, message) => {
  const error = await read(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message.replaceAll(folder, "FOLDER")).toBe(message);
  expect(new Set(await readdir(folder))).toEqual(new Set(Object.keys(files).map((name) => name.split("/")[0])));
});

test("a path without a task says so", async () => {
  await expect(read({}, "nowhere")).rejects.toThrow(
    `There is no task at ${join(folder, "nowhere")}. Name a folder with a sartor.yaml, or make one with "sartor init".`,
  );
  await expect(read({ "a.txt": "x" }, "a.txt")).rejects.toThrow(
    `${join(folder, "a.txt")} is no task: a task is a .yaml, .yml, .json, .ts or .js file, or a folder with a sartor.yaml.`,
  );
});
