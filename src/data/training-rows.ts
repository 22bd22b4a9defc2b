// Texts to train on, a record each, under the column names of TRL (https://huggingface.co/docs/trl/dataset_formats) and this project's own.
// Knows no model: how a row is written for one is decided elsewhere.
import { extname } from "node:path";
import { UserError } from "../errors.ts";
import type { Message, Role } from "../model.ts";
import { turnOf } from "./example-of.ts";
import { type Record, recordFormats } from "./records.ts";
import { shown } from "./shown.ts";
import { readTextFile } from "./text-file.ts";

export type TrainingRow =
  /** Learnt from the first word to the last. */
  | { readonly kind: "text"; readonly text: string }
  /** The completion is learnt. */
  | { readonly kind: "pair"; readonly prompt: string; readonly completion: string }
  /** The assistant's turns from `from` on are learnt. */
  | { readonly kind: "conversation"; readonly messages: readonly Message[]; readonly from: number };

/**
 * The rows of a JSONL or CSV file: `messages`, `prompt` and `completion` (texts, or messages each), `input` and `output`, or `text`.
 * @throws {UserError} naming line, field and way out, and for a file without rows.
 */
export async function readTrainingRows(path: string): Promise<readonly TrainingRow[]> {
  const extension = extname(path).toLowerCase();
  const read = Object.hasOwn(recordFormats, extension) ? recordFormats[extension] : undefined;
  if (read === undefined) throw new UserError(`${path} can't be read: training data are ${Object.keys(recordFormats).join(", ")} files.`);
  const rows = read(await readTextFile({ path }), path).map((record) => rowOf(record, `Line ${record.line} of ${path}`));
  if (rows.length === 0) throw new UserError(`${path} holds no rows. Write one { "prompt": ..., "completion": ... } a line.`);
  return rows;
}

interface Shape {
  readonly fields: readonly [string] | readonly [string, string];
  readonly read: (values: readonly unknown[], place: (index: number) => string) => TrainingRow;
}

/** Tried in order. */
const shapes: readonly Shape[] = [
  {
    fields: ["messages"],
    read: ([messages], place) => answered({ kind: "conversation", messages: messagesOf(messages, place(0)), from: 0 }, place(0)),
  },
  { fields: ["prompt", "completion"], read: pairOf },
  { fields: ["input", "output"], read: pairOf },
  { fields: ["text"], read: ([text], place) => ({ kind: "text", text: textOf(text, place(0)) }) },
];

function rowOf({ fields }: Record, place: string): TrainingRow {
  const has = (name: string): boolean => fields[name] !== undefined && fields[name] !== null;
  const shape = shapes.find(({ fields: names }) => names.every(has));
  if (shape === undefined) {
    const wanted = shapes.map(({ fields: names }) => names.map((name) => `"${name}"`).join(" and ")).join(", ");
    throw new UserError(`${place} has none of: ${wanted} (fields: ${Object.keys(fields).join(", ") || "none"}). Rename its fields.`);
  }
  return shape.read(
    shape.fields.map((name) => fields[name]),
    (index) => `${place}: "${shape.fields[index]}"`,
  );
}

function pairOf([prompt, completion]: readonly unknown[], place: (index: number) => string): TrainingRow {
  if (!Array.isArray(prompt) && !Array.isArray(completion))
    return { kind: "pair", prompt: textOf(prompt, place(0)), completion: textOf(completion, place(1)) };
  const before = messagesOf(prompt, place(0));
  return answered({ kind: "conversation", messages: [...before, ...messagesOf(completion, place(1))], from: before.length }, place(1));
}

function textOf(value: unknown, place: string): string {
  // Labels may be numbers, answers may be objects.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.trim() === "") throw new UserError(`${place} is empty. Fill it, or take the line out.`);
  return text;
}

const roles: { readonly [name: string]: Role } = { system: "system", developer: "system", user: "user", assistant: "assistant" };

function messagesOf(value: unknown, place: string): readonly Message[] {
  if (!Array.isArray(value)) throw new UserError(`${place} is ${shown(value)}; it must be a list of { role, content }.`);
  return value.map((message, index) => {
    const { role, content } = turnOf(message, `${place}[${index}]`);
    const known = Object.hasOwn(roles, role) ? roles[role] : undefined;
    if (known === undefined) throw new UserError(`${place}[${index}] has the role "${role}". Roles are ${Object.keys(roles).join(", ")}.`);
    return { role: known, content };
  });
}

/** The conversation, if there is a turn in it to learn, with something before it. */
function answered(row: TrainingRow & { readonly kind: "conversation" }, place: string): TrainingRow {
  const learnt = row.messages.findIndex(({ role }, index) => role === "assistant" && index >= row.from);
  if (learnt < 1)
    throw new UserError(`${place} holds no turn of the assistant after another's: nothing to learn. Add one, or take the line out.`);
  return row;
}
