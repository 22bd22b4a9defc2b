// The examples of a task's files, each with its place, and what holds for all of them together: ids, how many.
import { extname, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { groupBy } from "../util/group-by.ts";
import { exampleOf } from "./example-of.ts";
import type { FieldNames, PlacedExample } from "./example-of.ts";
import { recordFormats } from "./records.ts";
import { counted } from "./shown.ts";
import { readTextFile } from "./text-file.ts";

/** With fewer, no side of the split says anything. */
const fewestExamples = 10;

/** The examples in one file, ids as they stand there. Throws UserError. */
export async function readExampleFile(folder: string, name: string, fields: FieldNames): Promise<PlacedExample[]> {
  const read = Object.hasOwn(recordFormats, extname(name).toLowerCase()) ? recordFormats[extname(name).toLowerCase()] : undefined;
  if (read === undefined)
    throw new UserError(`examples: ${name} can't be read: examples are ${Object.keys(recordFormats).join(", ")} files.`);
  const text = await readTextFile({ path: resolve(folder, name), name });
  const examples = read(text, name).map((record) => exampleOf(record, name, fields));
  if (examples.length === 0) throw new UserError(`${name} holds no examples. Write one { "input": ..., "output": ... } a line.`);
  return examples;
}

/**
 * The examples with ids that are unique. The same id with another content is a mistake; an example without an id that stands
 * several times keeps all its copies, numbered. Throws UserError.
 */
export function withUniqueIds<P extends PlacedExample>(placed: readonly P[]): P[] {
  const taken = new Map<string, P>();
  return placed.flatMap((one) => {
    const before = taken.get(one.example.id);
    if (before === undefined) {
      taken.set(one.example.id, one);
      return [one];
    }
    if (one.named || before.named) {
      if (JSON.stringify(one.example) === JSON.stringify(before.example)) return [];
      throw new UserError(
        `${one.place}: the id "${one.example.id}" is that of ${lowerFirst(before.place)}, with another content. Give each example its own id, or leave ids out.`,
      );
    }
    let copy = 2;
    while (taken.has(`${one.example.id}-${copy}`)) copy++;
    const numbered = { ...one, example: { ...one.example, id: `${one.example.id}-${copy}` } };
    taken.set(numbered.example.id, numbered);
    return [numbered];
  });
}

/** Throws UserError when there are too few examples to split. */
export function checkCount(count: number, files: string): void {
  if (count >= fewestExamples) return;
  throw new UserError(
    `${files} holds ${counted(count, "example")}; at least ${fewestExamples} are needed, and 60 for a recommendation. Add more.`,
  );
}

/** What a person should know of how the files were read. */
export function readingNotices(placed: readonly PlacedExample[], kept: readonly PlacedExample[]): string[] {
  const notices: string[] = [];
  const dropped = placed.length - kept.length;
  if (dropped > 0) notices.push(`Left out: ${counted(dropped, "example")} with the id and the content of another.`);
  const systems = placed.filter(({ system }) => system).length;
  if (systems > 0)
    notices.push(`Left out: the system messages of ${counted(systems, "example")}. The task's instruction takes their place.`);
  const unread = groupBy(
    placed.flatMap((one) => one.unread),
    (field) => field,
  );
  if (unread.size > 0)
    notices.push(
      `Fields of the examples that are not read: ${[...unread].map(([field, { length }]) => `${field} (${length})`).join(", ")}.`,
    );
  return notices;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
