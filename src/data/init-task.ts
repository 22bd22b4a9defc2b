// A folder of data -> its sartor.yaml, with what was guessed and why. Writes one file, whole, or nothing.
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { Document, stringify, visit } from "yaml";
import { UserError } from "../errors.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import { exampleOf } from "./example-of.ts";
import type { FieldNames } from "./example-of.ts";
import { guessAbstention, guessDocuments, guessExamples, guessFields, guessOutput } from "./guess.ts";
import type { ExamplesGuess, Guess, OutputGuess } from "./guess.ts";
import { defaultInstructions, defaultMetrics, taskFrom } from "./read-task.ts";
import type { DocumentReader } from "./read-task.ts";
import { recordFormats } from "./records.ts";
import type { Record } from "./records.ts";
import { settingsSchema } from "./settings.ts";
import { parseSettings, settingsNames } from "./settings-file.ts";
import { readTextFile } from "./text-file.ts";

export interface InitTaskOptions {
  readonly folder: string;
  /** Whether a file is of a format that documents are read from. */
  readonly isDocument: (path: string) => boolean;
  readonly readDocuments: DocumentReader;
}

/** A guess as it is told: `output: text - 60 different outputs in 64 examples`. */
export interface ToldGuess {
  readonly field: string;
  readonly value: string;
  readonly why: string;
}

export interface InitTask {
  /** Absolute path of the sartor.yaml that was written. */
  readonly path: string;
  readonly guesses: readonly ToldGuess[];
  /** What reading the new task had to tell. */
  readonly notices: readonly string[];
}

interface Guesses {
  readonly examples: Guess<ExamplesGuess>;
  readonly fields: Guess<FieldNames> | undefined;
  readonly output: Guess<OutputGuess>;
  readonly documents: Guess<string> | undefined;
  readonly abstention: Guess<string> | undefined;
}

/**
 * Makes a task of a folder that holds a file of examples and perhaps a folder of documents. Throws UserError when the folder has a task
 * already, when there are no examples or several files of them, and for whatever `readTask` would refuse; nothing is written then.
 */
export async function initTask({ folder, isDocument, readDocuments }: InitTaskOptions): Promise<InitTask> {
  const root = resolve(folder);
  const guesses = await guessAll(root, folder, isDocument);
  const text = yamlOf(guesses);
  const name = "sartor.yaml";
  const file = { ...parseSettings(text, name), folder: root };
  const { notices } = await taskFrom({ file, metricNames: Object.values(defaultMetrics).flat(), readDocuments });
  const path = join(root, name);
  await writeFileAtomic(path, text);
  return { path, guesses: told(guesses), notices };
}

async function guessAll(root: string, written: string, isDocument: (path: string) => boolean): Promise<Guesses> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new UserError(`There is no folder ${written}. Name the folder that holds your examples.`, { cause });
  });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
  const existing = settingsNames.find((name) => names.includes(name));
  if (existing !== undefined) throw new UserError(`${join(written, existing)} is there already. Edit it, or remove it to start anew.`);
  const examples = guessExamples(names.filter((name) => Object.hasOwn(recordFormats, extname(name).toLowerCase())));
  if ("candidates" in examples) throw new UserError(noExamples(written, examples.candidates));
  const first = typeof examples.value === "string" ? examples.value : examples.value.train;
  const records = await recordsOf(root, first);
  const fields = guessFields(records);
  const outputs = records.map((record) => exampleOf(record, first, fields?.value ?? {}).example.output);
  const output = guessOutput(outputs);
  const documents = await documentsIn(root, isDocument);
  const abstention = output.value === "text" && documents !== undefined ? guessAbstention(outputs) : undefined;
  return { examples, fields, output, documents, abstention };
}

/** The folder below `root` that looks like the documents; none where no folder holds any. */
export async function documentsIn(root: string, isDocument: (path: string) => boolean): Promise<Guess<string> | undefined> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !/^[.~]|^node_modules$/.test(entry.name)).map((entry) => entry.name);
  return guessDocuments(await documentCounts(root, folders, isDocument));
}

function noExamples(folder: string, candidates: readonly string[]): string {
  if (candidates.length === 0)
    return `${folder} holds no file of examples. Put an examples.jsonl there, one { "input": ..., "output": ... } a line, or an examples.csv.`;
  return `${folder} holds several files that may be the examples: ${candidates.join(", ")}. Call the one you mean examples${extname(candidates[0] ?? "")}.`;
}

async function recordsOf(root: string, name: string): Promise<readonly Record[]> {
  const read = recordFormats[extname(name).toLowerCase()];
  const records = read?.(await readTextFile({ path: join(root, name), name }), name) ?? [];
  if (records.length === 0) throw new UserError(`${name} holds no examples. Write one { "input": ..., "output": ... } a line.`);
  return records;
}

async function documentCounts(
  root: string,
  folders: readonly string[],
  isDocument: (path: string) => boolean,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const folder of folders) {
    const count = (await readdir(join(root, folder), { recursive: true })).filter(isDocument).length;
    if (count > 0) counts.set(folder, count);
  }
  return counts;
}

const flow = (value: unknown): string => stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trimEnd();

/** Maps a field a line, lists in one line. */
function blockOf(value: unknown): string {
  const document = new Document(value);
  visit(document, { Seq: (_key, list) => void (list.flow = true) });
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function kindOf(output: OutputGuess): keyof typeof defaultMetrics {
  if (output === "text") return "text";
  return "labels" in output ? "labels" : "schema";
}

/** The file's text: what was guessed, then the fields one is likely to change, with their defaults. */
function yamlOf({ examples, fields, output, documents, abstention }: Guesses): string {
  const { models, strategies, objective, tolerance, usage, seed } = settingsSchema.parse({});
  const kind = kindOf(output.value);
  const schema = typeof output.value === "object" && "schema" in output.value ? blockOf({ output: output.value }) : undefined;
  const abstaining = abstention === undefined ? "" : ` If the documents do not say, answer: ${abstention.value}`;
  const optional = [
    ...(fields === undefined ? [] : [`fields: ${flow(fields.value)}`]),
    ...(documents === undefined
      ? []
      : ["", "# Files, folders or patterns that answers can be found in.", `documents: ${flow(documents.value)}`]),
    ...(abstention === undefined ? [] : ["# The answer that means: the documents do not say.", `abstention: ${flow(abstention.value)}`]),
  ];
  return `${[
    "# What the model is to do, in your words: every prompt begins with it.",
    `instruction: ${flow(`${defaultInstructions[kind]}${abstaining}`)}`,
    "",
    "# What an answer looks like: text, { labels: [...] } or { schema: {...} }.",
    schema ?? `output: ${flow(output.value)}`,
    "",
    `examples: ${flow(examples.value)}`,
    ...optional,
    "",
    "# What is measured. The first decides.",
    `metrics: ${flow(defaultMetrics[kind])}`,
    '# Names from "sartor models", .gguf files, or { url, model } of a server that speaks the OpenAI protocol.',
    `models: ${flow(models)}`,
    '# all, or a list such as [few-shot, rag-bm25, "rag-bm25 > lora"].',
    `strategies: ${flow(strategies)}`,
    "",
    "# What cheapest means (cost, latency or update), and how much of the score may be given up for it.",
    `objective: ${flow(objective)}`,
    `tolerance: ${flow(tolerance)}`,
    "# Limits that a candidate must keep. Take out the # and leave those that matter.",
    "# constraints: { p95: 2s, costPer1k: 0.50, memory: 4GB, local: true }",
    `usage: ${flow(usage)}`,
    `seed: ${flow(seed)}`,
  ].join("\n")}\n`;
}

function told({ examples, fields, output, documents, abstention }: Guesses): ToldGuess[] {
  const kind = kindOf(output.value);
  const shownOutput = kind === "schema" ? "{ schema }" : flow(output.value);
  const all = { examples, fields, output: { ...output, value: shownOutput }, documents, abstention };
  return Object.entries(all).flatMap(([field, guess]) =>
    guess === undefined ? [] : [{ field, value: typeof guess.value === "string" ? guess.value : flow(guess.value), why: guess.why }],
  );
}
