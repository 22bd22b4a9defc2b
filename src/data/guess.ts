// What a file of examples and a folder look like: the guesses of `init`. Each says why.
import type { JsonSchema } from "../model.ts";
import { groupBy } from "../util/group-by.ts";
import { otherNames } from "./example-of.ts";
import type { FieldNames } from "./example-of.ts";
import { inferLabels } from "./output-kind.ts";
import type { Record } from "./records.ts";
import { counted, shown } from "./shown.ts";

export interface Guess<T> {
  readonly value: T;
  /** A phrase: `the only file of examples here`. */
  readonly why: string;
}

/** Which fields are input and output, where they go by other names. Undefined where they don't, or where nothing can be guessed. */
export function guessFields(records: readonly Record[]): Guess<FieldNames> | undefined {
  const fields = Object.keys(records[0]?.fields ?? {});
  const has = (...names: string[]): boolean => names.every((name) => fields.includes(name));
  if (has("input", "output") || has("prompt", "completion") || has("messages")) return undefined;
  const known = (names: readonly string[]): string | undefined =>
    names.flatMap((name) => fields.filter((field) => field.toLowerCase() === name))[0];
  const output = known(["output", "completion", ...otherNames.output]);
  const input = known(["input", "prompt", ...otherNames.input].filter((name) => name !== output?.toLowerCase()));
  if (input !== undefined && output !== undefined) return { value: { input, output }, why: `by their names, of ${fields.join(", ")}` };
  const [first, second] = fields;
  if (fields.length === 2 && first !== undefined && second !== undefined)
    return { value: { input: first, output: second }, why: "the only two fields, in this order" };
  return undefined;
}

export type OutputGuess = "text" | { readonly labels: readonly string[] | "infer" } | { readonly schema: JsonSchema };

/** More would not be read in a task's file. */
const mostListedLabels = 20;

/** What kind of output these are. */
export function guessOutput(outputs: readonly string[]): Guess<OutputGuess> {
  const objects = outputs.map(asObject);
  if (objects.every((one) => one !== undefined))
    return { value: { schema: inferSchema(objects) }, why: `all ${outputs.length} outputs are JSON objects; check the fields` };
  const labels = inferLabels(outputs);
  if (labels === undefined) return { value: "text", why: `${new Set(outputs).size} different outputs in ${outputs.length} examples` };
  return {
    value: { labels: labels.length > mostListedLabels || labels.length < 2 ? "infer" : labels },
    why: `only ${counted(labels.length, "different output")} in ${outputs.length} examples`,
  };
}

/** An answer that repeats while the others do not: what is said when the documents do not say. */
export function guessAbstention(outputs: readonly string[]): Guess<string> | undefined {
  const counts = [...groupBy(outputs, (output) => output)]
    .map(([output, { length }]) => ({ output, count: length }))
    .sort((a, b) => b.count - a.count);
  const [most, next] = counts;
  if (most === undefined || most.count < 3 || most.count < outputs.length * 0.05 || (next?.count ?? 0) * 4 > most.count) return undefined;
  return { value: most.output, why: `${most.count} of ${outputs.length} examples have this output; no other repeats so` };
}

function asObject(output: string): { readonly [field: string]: unknown } | undefined {
  if (!output.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(output) as { readonly [field: string]: unknown };
  } catch {
    return undefined;
  }
}

/** The fields that occur, with their types; those that are in every object are required. Texts that repeat become a closed set. */
function inferSchema(objects: readonly { readonly [field: string]: unknown }[]): JsonSchema {
  const fields = [...new Set(objects.flatMap(Object.keys))];
  const valuesOf = (field: string): unknown[] => objects.filter((one) => Object.hasOwn(one, field)).map((one) => one[field]);
  return {
    type: "object",
    additionalProperties: false,
    required: fields.filter((field) => valuesOf(field).length === objects.length),
    properties: Object.fromEntries(fields.map((field) => [field, fieldSchema(valuesOf(field))])),
  };
}

function fieldSchema(values: readonly unknown[]): JsonSchema {
  const types = [...new Set(values.map(typeOf))].sort();
  const texts = values.filter((value): value is string => typeof value === "string");
  const set = types.every((type) => type === "string" || type === "null") ? inferLabels(texts) : undefined;
  if (set !== undefined && set.length > 1) return { enum: types.includes("null") ? [...set, null] : set };
  // Every integer is a number.
  const plain = types.includes("number") ? types.filter((type) => type !== "integer") : types;
  return { type: plain.length === 1 ? plain[0] : plain };
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

const sideNames = { train: /^train(ing)?$/i, validation: /^(val(id(ation)?)?|dev)$/i, test: /^test$/i };

export type ExamplesGuess = string | { readonly train: string; readonly validation?: string; readonly test: string };

/** The file of examples among `names`, or the files of a given split. A list of candidates where it can't be told. */
export function guessExamples(names: readonly string[]): Guess<ExamplesGuess> | { readonly candidates: readonly string[] } {
  const stem = (name: string): string => name.replace(/\.[^.]*$/, "");
  const named = (pattern: RegExp): string | undefined => names.find((name) => pattern.test(stem(name)));
  const [train, validation, test] = [named(sideNames.train), named(sideNames.validation), named(sideNames.test)];
  if (train !== undefined && test !== undefined)
    return { value: { train, ...(validation === undefined ? {} : { validation }), test }, why: "the split that these files give" };
  const preferred = named(/^examples$/i) ?? train;
  const [only, ...others] = names;
  if (preferred !== undefined) return { value: preferred, why: "by its name" };
  return only !== undefined && others.length === 0 ? { value: only, why: "the only file of examples here" } : { candidates: names };
}

const documentNames = ["documents", "docs", "handbook", "pages", "knowledge", "corpus"];

/** The folder of documents: by its name, else the one that holds most. */
export function guessDocuments(folders: ReadonlyMap<string, number>): Guess<string> | undefined {
  const [most] = [...folders].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const name = documentNames.find((one) => folders.has(one)) ?? most?.[0];
  if (name === undefined) return undefined;
  const others = [...folders.keys()].filter((one) => one !== name);
  return {
    value: `${name}/`,
    why: `${counted(folders.get(name) ?? 0, "document")} in it${others.length === 0 ? "" : `; not taken: ${others.map(shown).join(", ")}`}`,
  };
}
