// A task on disk -> a Task: settings, examples and documents, checked together. Knows no metric, model or strategy: it is told the
// names of metrics, and how documents are read.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { JsonSchema, ModelReference } from "../model.ts";
import type { Document, DocumentSource, LabelledExample, OutputKind, Task } from "../task.ts";
import { didYouMean } from "../util/suggest.ts";
import { checkEvidence } from "./evidence.ts";
import type { PlacedExample } from "./example-of.ts";
import { checkOutputs, distinct, inferLabels } from "./output-kind.ts";
import { checkCount, readExampleFile, readingNotices, withUniqueIds } from "./read-examples.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings-file.ts";
import type { SettingsFile } from "./settings-file.ts";
import type { Side } from "./split.ts";
import { readTextFile } from "./text-file.ts";

/** How documents are read: `readDocuments` of document/, which stands below this folder. */
export type DocumentReader = (options: { readonly sources: readonly DocumentSource[]; readonly folder: string }) => Promise<{
  readonly documents: readonly Document[];
  readonly notices: readonly string[];
}>;

export interface ReadTaskOptions {
  /** A folder with a sartor.yaml, or the file itself. */
  readonly path: string;
  /** Instead of the seed that the task names. */
  readonly seed?: number;
  /** The metrics there are: a task that names another is refused. */
  readonly metricNames: readonly string[];
  readonly readDocuments: DocumentReader;
}

export interface ReadTask {
  readonly task: Task;
  /** Sides that the task's files give, by example id, where `examples` names several files. */
  readonly given: ReadonlyMap<string, Side>;
  /** What a person should know: guesses, what was left out. One line each. */
  readonly notices: readonly string[];
}

export const defaultMetrics: { readonly [K in OutputKind["kind"]]: readonly string[] } = {
  text: ["token-f1", "exact-match"],
  labels: ["accuracy", "macro-f1"],
  schema: ["field-f1", "json-valid"],
};

export const defaultInstructions: { readonly [K in OutputKind["kind"]]: string } = {
  text: "Answer briefly.",
  labels: "Choose the label that fits the input.",
  schema: "Extract the fields from the input as JSON.",
};

const exampleNames = ["examples.jsonl", "examples.csv"];

/** The task at a path. Throws UserError, in one line, for whatever is wrong with its files; reads only. */
export async function readTask({ path, ...options }: ReadTaskOptions): Promise<ReadTask> {
  return taskFrom({ file: await readSettings(path), ...options });
}

/** As {@link readTask}, for settings that are read already. */
export async function taskFrom({
  file,
  seed,
  metricNames,
  readDocuments,
}: Omit<ReadTaskOptions, "path"> & { readonly file: SettingsFile }): Promise<ReadTask> {
  const { settings, folder } = file;
  checkMetrics(file, metricNames);
  const { placed, given, notices } = await readExamples(file);
  const { output, notices: outputNotices } = await outputKindOf(settings, folder, placed);
  const checked = checkOutputs(placed, output);
  const read = await readDocuments({ sources: settings.documents, folder });
  checkEvidence(checked, read.documents);
  const instruction = settings.instruction ?? defaultInstructions[output.kind];
  const unsaid =
    settings.instruction === undefined
      ? [`The task has no instruction; prompts say "${instruction}" Write what you want under "instruction".`]
      : [];
  const task = taskOf({
    settings,
    folder,
    output,
    instruction,
    models: await modelsOf(file),
    seed: seed ?? settings.seed,
    documents: read.documents,
    examples: checked.map(({ example }) => example),
  });
  return { task, given, notices: [...notices, ...outputNotices, ...unsaid, ...read.notices] };
}

interface Parts {
  readonly settings: Settings;
  readonly folder: string;
  readonly output: OutputKind;
  readonly instruction: string;
  readonly models: readonly ModelReference[];
  readonly seed: number;
  readonly documents: readonly Document[];
  readonly examples: readonly LabelledExample[];
}

function taskOf({ settings, folder, output, instruction, models, seed, documents, examples }: Parts): Task {
  const { name, metrics, strategies, objective, tolerance, constraints, usage, prices, abstention } = settings;
  return {
    name: name ?? basename(folder),
    folder,
    instruction,
    output,
    examples,
    documents,
    metrics: metrics ?? defaultMetrics[output.kind],
    models,
    strategies,
    objective,
    tolerance,
    constraints,
    usage,
    ...(prices === undefined ? {} : { prices }),
    seed,
    ...(abstention === undefined ? {} : { abstention }),
  };
}

function checkMetrics({ settings, placeOf }: SettingsFile, known: readonly string[]): void {
  settings.metrics?.forEach((metric, index) => {
    if (!known.includes(metric))
      throw new UserError(`${placeOf(["metrics", index])}: there is no metric "${metric}". ${didYouMean(metric, known)}`);
  });
}

interface ReadExamples {
  readonly placed: readonly PlacedExample[];
  readonly given: ReadonlyMap<string, Side>;
  readonly notices: readonly string[];
}

async function readExamples(file: SettingsFile): Promise<ReadExamples> {
  const { settings, folder } = file;
  const files = typeof settings.examples === "object" ? settings.examples : { all: settings.examples ?? (await findExamples(file)) };
  const all: (PlacedExample & { readonly side: string })[] = [];
  for (const [side, name] of Object.entries(files)) {
    all.push(...(await readExampleFile(folder, name, settings.fields)).map((one) => ({ ...one, side })));
  }
  const placed = withUniqueIds(all);
  checkCount(placed.length, Object.values(files).join(" + "));
  const given = new Map("all" in files ? [] : placed.map(({ example, side }) => [example.id, side as Side]));
  return { placed, given, notices: readingNotices(all, placed) };
}

async function findExamples({ folder, placeOf }: SettingsFile): Promise<string> {
  for (const name of exampleNames) if (await isFile(join(folder, name))) return name;
  throw new UserError(
    `${placeOf([])}: examples is missing, and there is no ${exampleNames.join(" or ")} beside it. Name the file of examples.`,
  );
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function outputKindOf(
  settings: Settings,
  folder: string,
  placed: readonly PlacedExample[],
): Promise<{ readonly output: OutputKind; readonly notices: readonly string[] }> {
  const { output } = settings;
  const outputs = placed.map(({ example }) => example.output);
  const told = (kind: OutputKind): { readonly output: OutputKind; readonly notices: readonly string[] } => ({ output: kind, notices: [] });
  if (output === "text") return told({ kind: "text" });
  if (output !== undefined && "schema" in output) return told({ kind: "schema", schema: await schemaOf(output.schema, folder) });
  if (output !== undefined)
    return told({ kind: "labels", labels: output.labels === "infer" ? distinct(outputs) : [...new Set(output.labels)] });
  const labels = inferLabels(outputs);
  if (labels === undefined) return told({ kind: "text" });
  return {
    output: { kind: "labels", labels },
    notices: [`The outputs are taken for labels (${labels.join(", ")}). Write "output: text" if they are not.`],
  };
}

async function schemaOf(schema: string | JsonSchema, folder: string): Promise<JsonSchema> {
  if (typeof schema !== "string") return schema;
  const text = await readTextFile({ path: resolve(folder, schema), name: schema });
  try {
    return JSON.parse(text) as JsonSchema;
  } catch (cause) {
    throw new UserError(`output.schema: ${schema} is no JSON. Mend it, or write the schema into the task.`, { cause });
  }
}

/** Paths of model files as absolute paths: a task may be run from anywhere. */
async function modelsOf({ settings, folder, placeOf }: SettingsFile): Promise<ModelReference[]> {
  const references: ModelReference[] = [];
  for (const [index, model] of settings.models.entries()) {
    if (typeof model !== "string" || !model.toLowerCase().endsWith(".gguf")) {
      references.push(model);
      continue;
    }
    const path = resolve(folder, model);
    if (!(await isFile(path))) {
      throw new UserError(`${placeOf(["models", index])}: there is no model file ${path}. Name a file, or a model of "sartor models".`);
    }
    references.push(path);
  }
  return references;
}
