// One record -> one example: the shapes that are understood, and what to say when a field is missing or of the wrong type.
import { UserError } from "../errors.ts";
import type { Evidence, LabelledExample } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import { didYouMean } from "../util/suggest.ts";
import { transcript, type Turn } from "../util/transcript.ts";
import type { Record } from "./records.ts";
import { shown } from "./shown.ts";

/** What the fields of an example are called in the file, where not by their own names. */
export type FieldNames = { readonly [field in "input" | "output" | "alternatives" | "id" | "group" | "evidence" | "variants"]?: string };

/** An example and where it stands: `Line 17 of train.jsonl`. */
export interface PlacedExample {
  readonly example: LabelledExample;
  readonly place: string;
  /** Whether the file names the id; else it is made of the content. */
  readonly named: boolean;
  /** Fields that are not read. */
  readonly unread: readonly string[];
  /** Whether a system message was left out. */
  readonly system: boolean;
}

interface Texts {
  readonly input: string;
  readonly output: string;
  readonly used: readonly string[];
  readonly system?: boolean;
}

interface Source {
  readonly record: Record;
  readonly place: string;
  readonly names: FieldNames;
}

/** Other names that inputs and outputs go by: for hints and for `init`, never taken silently. */
export const otherNames = {
  input: ["question", "text", "query", "message", "sentence", "utterance", "instruction", "source", "body"],
  output: ["answer", "answers", "label", "labels", "category", "class", "intent", "reply", "response", "target", "expected"],
};

/** The example in a record. Throws UserError naming place, field, value and way out. */
export function exampleOf(record: Record, file: string, names: FieldNames = {}): PlacedExample {
  const place = `Line ${record.line} of ${file}`;
  const source: Source = { record, place, names };
  const { input, output, used, system = false } = textsOf(source);
  if (input.trim() === "") throw new UserError(`${place}: "${used[0]}" is empty. Fill it, or take the line out.`);
  if (output.trim() === "") throw new UserError(`${place}: "${used.at(-1)}" is empty. Fill it, or take the line out.`);
  const id = scalar(source, "id");
  const group = scalar(source, "group");
  const evidence = listOf(source, "evidence", isEvidence, "a list of { document, start, end }");
  const variants = listOf(source, "variants", isText, "a list of texts");
  const alternatives = listOf(source, "alternatives", isText, "a list of texts");
  const example: LabelledExample = {
    id: id ?? sha256(`${input}\0${output}`).slice(0, 12),
    input,
    output,
    ...(alternatives === undefined ? {} : { alternatives: alternatives as string[] }),
    ...(group === undefined ? {} : { group }),
    ...(evidence === undefined ? {} : { evidence: (evidence as Evidence[]).map(({ document, start, end }) => ({ document, start, end })) }),
    ...(variants === undefined ? {} : { variants: variants as string[] }),
  };
  const known = new Set([...used, ...optionalFields.map((field) => names[field] ?? field)]);
  return { example, place, named: id !== undefined, system, unread: Object.keys(record.fields).filter((field) => !known.has(field)) };
}

const optionalFields = ["alternatives", "id", "group", "evidence", "variants"] as const;

function textsOf(source: Source): Texts {
  const { record, names } = source;
  const has = (field: string): boolean => record.fields[field] !== undefined && record.fields[field] !== null;
  const pair = (input: string, output: string): Texts => ({
    input: textOf(source, input),
    output: textOf(source, output),
    used: [input, output],
  });
  if (names.input !== undefined || names.output !== undefined) return pair(names.input ?? "input", names.output ?? "output");
  if (has("messages")) return conversation(source);
  if (has("prompt") && has("completion")) return pair("prompt", "completion");
  return pair("input", "output");
}

function textOf({ record, place, names }: Source, field: string): string {
  const value = record.fields[field];
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  // Data whose outputs are objects: the task's schema says what they must be.
  if (field === (names.output ?? "output") && typeof value === "object" && value !== null) return JSON.stringify(value);
  if (value !== undefined && value !== null) throw new UserError(`${place}: "${field}" is ${shown(value)}; it must be text.`);
  const fields = Object.keys(record.fields);
  throw new UserError(`${place} has no "${field}" (fields: ${fields.join(", ") || "none"}). ${wayOut(field, fields, names)}`);
}

/** What to do about a missing field, given the ones that are there. */
function wayOut(missing: string, fields: readonly string[], names: FieldNames): string {
  if (Object.values(names).includes(missing)) return `sartor.yaml names it under "fields": ${didYouMean(missing, fields)}`;
  const guess = (known: readonly string[]): string | undefined => fields.find((field) => known.includes(field.toLowerCase()));
  const input = fields.includes("input") ? "input" : guess(otherNames.input);
  const output = fields.includes("output") ? "output" : guess(otherNames.output.filter((name) => name !== input));
  if (input === undefined || output === undefined || (input === "input" && output === "output")) {
    return 'Give every example "input" and "output" (or "prompt" and "completion", or "messages").';
  }
  return `Add "fields: { input: ${input}, output: ${output} }" to sartor.yaml, or rename the fields.`;
}

/** The last turn is the output, the turns before it the input; a system message has its place in the task's instruction. */
function conversation({ record, place }: Source): Texts {
  const { messages } = record.fields;
  if (!Array.isArray(messages)) throw new UserError(`${place}: "messages" is ${shown(messages)}; it must be a list of { role, content }.`);
  const turns = messages.map((message, index) => turnOf(message, `${place}: messages[${index}]`));
  const spoken = turns.filter(({ role }) => role !== "system" && role !== "developer");
  const last = spoken.at(-1);
  if (last?.role !== "assistant")
    throw new UserError(
      `${place}: the last of its messages is by "${last?.role ?? "nobody"}". End with the assistant's answer: it is the output.`,
    );
  const before = spoken.slice(0, -1);
  if (before.length === 0)
    throw new UserError(`${place}: its messages hold no user turn. Put what is asked before the assistant's answer.`);
  return { input: transcript(before), output: last.content, used: ["messages"], system: spoken.length < turns.length };
}

/** A turn as text: content given as parts is joined. Throws UserError. */
export function turnOf(message: unknown, place: string): Turn {
  const { role, content } = (typeof message === "object" && message !== null ? message : {}) as {
    readonly role?: unknown;
    readonly content?: unknown;
  };
  const parts = Array.isArray(content)
    ? content.map((part: unknown) => (typeof part === "object" && part !== null && "text" in part ? part.text : undefined))
    : [content];
  if (typeof role === "string" && parts.every((part): part is string => typeof part === "string"))
    return { role, content: parts.join("\n") };
  throw new UserError(`${place} is ${shown(message)}; it must be { role, content } with text as content.`);
}

function scalar({ record, place, names }: Source, field: "id" | "group"): string | undefined {
  const value = record.fields[names[field] ?? field];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new UserError(`${place}: "${names[field] ?? field}" is ${shown(value)}; it must be text or a number.`);
}

/** In CSV a list stands as JSON in its cell. */
function listOf(
  { record, place, names }: Source,
  field: "alternatives" | "evidence" | "variants",
  isItem: (item: unknown) => boolean,
  expected: string,
): unknown[] | undefined {
  const name = names[field] ?? field;
  const written = record.fields[name];
  if (written === undefined || written === null || written === "") return undefined;
  const value = typeof written === "string" ? parsed(written) : written;
  if (Array.isArray(value) && value.every(isItem)) return value;
  throw new UserError(`${place}: "${name}" is ${shown(written)}; it must be ${expected}.`);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";

function isEvidence(value: unknown): boolean {
  const { document, start, end } = (typeof value === "object" && value !== null ? value : {}) as { readonly [name: string]: unknown };
  return typeof document === "string" && Number.isInteger(start) && Number.isInteger(end);
}
