// What an answer looks like: text, one of a few labels, or JSON under a schema; and whether every example's output is that.
import { UserError } from "../errors.ts";
import type { JsonSchema } from "../model.ts";
import type { OutputKind } from "../task.ts";
import { didYouMean } from "../util/suggest.ts";
import type { PlacedExample } from "./example-of.ts";
import { shown } from "./shown.ts";

/** Longer outputs are answers, not names of classes. */
const longestLabel = 60;
/** Each label must stand this often on average to be taken for one. */
const examplesPerLabel = 5;

/** The distinct outputs, sorted, where they look like labels: short, few, each several times. Undefined where they do not. */
export function inferLabels(outputs: readonly string[]): readonly string[] | undefined {
  const labels = distinct(outputs);
  const short = labels.every((label) => label.length <= longestLabel && !label.includes("\n") && !label.startsWith("{"));
  return short && labels.length * examplesPerLabel <= outputs.length ? labels : undefined;
}

/** Trimmed, without repetition, sorted. */
export function distinct(outputs: readonly string[]): readonly string[] {
  return [...new Set(outputs.map((output) => output.trim()))].sort();
}

/**
 * The examples with outputs as the kind wants them (labels trimmed). Throws UserError at the first output outside the closed set or
 * the schema, and when all examples have one label.
 */
export function checkOutputs(placed: readonly PlacedExample[], output: OutputKind): readonly PlacedExample[] {
  if (output.kind === "schema") for (const one of placed) checkAgainstSchema(one, output.schema);
  return output.kind === "labels" ? checkLabels(placed, output.labels) : placed;
}

function checkLabels(placed: readonly PlacedExample[], labels: readonly string[]): readonly PlacedExample[] {
  const known = new Set(labels);
  const trimmed = placed.map((one) => ({ ...one, example: { ...one.example, output: one.example.output.trim() } }));
  const outside = trimmed.find(({ example }) => !known.has(example.output));
  if (outside !== undefined) {
    const { place, example } = outside;
    throw new UserError(
      `${place}: the output ${shown(example.output)} is none of the task's labels. ${didYouMean(example.output, labels)} Mend it, or add it to output.labels.`,
    );
  }
  const used = distinct(trimmed.map(({ example }) => example.output));
  if (used.length > 1) return trimmed;
  throw new UserError(
    `All ${placed.length} examples have the output ${shown(used[0])}: there is nothing to tell apart. Add examples of another label, or write "output: text".`,
  );
}

function checkAgainstSchema({ place, example }: PlacedExample, schema: JsonSchema): void {
  let value: unknown;
  try {
    value = JSON.parse(example.output);
  } catch (cause) {
    throw new UserError(`${place}: the output is no JSON: ${shown(example.output)}. The task's output is JSON under a schema.`, { cause });
  }
  const problem = schemaProblem(value, schema);
  if (problem !== undefined) throw new UserError(`${place}: the output ${problem}. Mend it, or change output.schema.`);
}

/** The fields of an object and what they may be, as far as the schema says it plainly: required, additionalProperties, type, enum. */
function schemaProblem(value: unknown, schema: JsonSchema): string | undefined {
  const wrong = typeProblem(value, schema);
  if (wrong !== undefined) return wrong;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const properties = (schema["properties"] ?? {}) as { readonly [name: string]: JsonSchema };
  const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly string[]) : [];
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `has no "${missing}" (fields: ${Object.keys(value).join(", ") || "none"})`;
  for (const [name, field] of Object.entries(value)) {
    const rule = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (rule === undefined && schema["additionalProperties"] === false)
      return `has a field "${name}" that the schema does not know. ${didYouMean(name, Object.keys(properties))}`.replace(/[.?]$/, "");
    const problem = rule === undefined ? undefined : typeProblem(field, rule);
    if (problem !== undefined) return `has a field "${name}" that ${problem}`;
  }
  return undefined;
}

const hasType: { readonly [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

function typeProblem(value: unknown, schema: JsonSchema): string | undefined {
  const { type } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one): one is string => typeof one === "string");
  if (types.length > 0 && !types.some((type) => hasType[type]?.(value) ?? true)) return `is ${shown(value)}, not ${types.join(" or ")}`;
  const { enum: allowed } = schema;
  if (Array.isArray(allowed) && !allowed.some((one) => JSON.stringify(one) === JSON.stringify(value)))
    return `is ${shown(value)}, none of ${shown(allowed)}`;
  return undefined;
}
