// Rows of a query as documents: a row each, or a table for each group of rows. Knows no database.
import type { RowFields } from "../task.ts";
import type { Part } from "./converted.ts";
import { cellText, tableLines } from "./grid.ts";
import { Unreadable } from "./limits.ts";

/** Rows of one query that are read. */
const MOST_ROWS = 1_000_000;

export interface Rows {
  readonly columns: readonly string[];
  readonly values: AsyncIterable<readonly unknown[]>;
}

/** The documents, in the order of the rows. Throws Unreadable for a column that is not there and for more rows than are read. */
export async function* documentsOfRows({ columns, values }: Rows, fields: RowFields): AsyncIterable<Part> {
  const at = (name: string | undefined): number => (name === undefined ? -1 : indexOf(columns, name));
  const [id, title, group] = [at(fields.id), at(fields.title), at(fields.group)];
  const groups = new Map<string, string[][]>();
  let count = 0;
  for await (const row of values) {
    if (++count > MOST_ROWS) throw new Unreadable(`gives more than ${MOST_ROWS} rows. Limit the query.`);
    const texts = row.map(valueText);
    const known = group < 0 ? undefined : groups.get(texts[group]!);
    if (known !== undefined) known.push(texts);
    else if (group >= 0) groups.set(texts[group]!, [texts]);
    else yield rowDocument({ columns, texts, inner: id < 0 ? String(count) : texts[id]!, title: texts[title] });
  }
  for (const [name, rows] of groups) yield groupDocument({ columns, rows, name, group, title: rows[0]![title] });
}

function indexOf(columns: readonly string[], name: string): number {
  const index = columns.indexOf(name);
  if (index < 0) throw new Unreadable(`gives no column "${name}": its columns are ${columns.join(", ")}. Name one of them.`);
  return index;
}

interface RowDocument {
  readonly columns: readonly string[];
  readonly texts: readonly string[];
  readonly inner: string;
  readonly title: string | undefined;
}

/** A line for each column that says something; a single column is the text itself. */
function rowDocument({ columns, texts, inner, title }: RowDocument): Part {
  const lines = columns.flatMap((column, index) => (texts[index] === "" ? [] : [`${column}: ${texts[index]}`]));
  const text = columns.length === 1 ? texts[0]! : lines.join("\n");
  return { kind: "document", inner: innerOf(inner), text, ...(title && { title }) };
}

interface GroupDocument {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly name: string;
  readonly group: number;
  readonly title: string | undefined;
}

function groupDocument({ columns, rows, name, group, title }: GroupDocument): Part {
  const kept = columns.map((_, index) => index).filter((index) => index !== group);
  const table = tableLines([columns, ...rows].map((row) => kept.map((index) => cellText(row[index]!))));
  return { kind: "document", inner: innerOf(name), title: title ?? name, text: `# ${name}\n\n${table}` };
}

/** A name within an id: slashes would look like folders. */
const innerOf = (name: string): string => name.replaceAll(/[/\s]+/g, "_") || "_";

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | bigint | boolean).trim();
}
