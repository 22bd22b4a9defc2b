// JSONL and CSV as records with their line numbers. Knows nothing of what the fields mean.
import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "../errors.ts";
import { jsonErrorOffset } from "./json-error.ts";
import { counted } from "./shown.ts";

export interface Record {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly fields: { readonly [name: string]: unknown };
}

/** Every format of examples, by the end of the file's name. `name` is what errors call the file. */
export const recordFormats: { readonly [extension: string]: (text: string, name: string) => readonly Record[] } = {
  ".jsonl": readJsonLines,
  ".ndjson": readJsonLines,
  ".csv": readCsv,
  ".tsv": readCsv,
};

/** One JSON object a line; empty lines are passed over. Throws UserError naming line and column. */
export function readJsonLines(text: string, name: string): readonly Record[] {
  return text
    .split(/\r\n?|\n/)
    .flatMap((line, index) => (line.trim() === "" ? [] : [{ line: index + 1, fields: parseLine(line, `Line ${index + 1} of ${name}`) }]));
}

function parseLine(line: string, place: string): { readonly [name: string]: unknown } {
  const broken = jsonErrorOffset(line);
  if (broken !== undefined) {
    const rest = line.slice(broken, broken + 20);
    const found = rest === "" ? "the line ends too soon" : `at ${JSON.stringify(rest)}`;
    throw new UserError(`${place} is no JSON: column ${broken + 1}, ${found}. ${hintFor(line)}`);
  }
  const value = JSON.parse(line) as unknown;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as { readonly [name: string]: unknown };
  throw new UserError(
    `${place} is ${Array.isArray(value) ? "a list" : JSON.stringify(value)}, not an object. Write one { "input": ..., "output": ... } a line.`,
  );
}

function hintFor(line: string): string {
  if (/^\s*\[/.test(line)) return "Write one object a line, without brackets around them and commas between them.";
  if (/^\s*\{?\s*$/.test(line)) return "Write each object on a line of its own.";
  if (/[,}]\s*,\s*$/.test(line)) return "Take out the comma at the end of the line.";
  return "Mend the line, or take it out.";
}

/** A first line of names, then a record a row. Commas, semicolons or tabs: the one that stands most often in the first line. */
export function readCsv(written: string, name: string): readonly Record[] {
  // The parser counts "\r\n" within quotes as two lines.
  const text = written.replaceAll(/\r\n?/g, "\n");
  const header = /^[^\n]*/.exec(text)?.[0] ?? "";
  const outside = header.replaceAll(/"(?:[^"]|"")*"/g, "");
  const delimiter = [",", ";", "\t"].reduce((best, one) => (outside.split(one).length > outside.split(best).length ? one : best));
  const rows = parseRows(text, delimiter, name);
  const [names, ...records] = rows;
  if (names === undefined) throw new UserError(`${name} is empty. Its first line must name the fields: input${delimiter}output.`);
  const twice = names.values.find((field, index) => names.values.indexOf(field) !== index);
  if (twice !== undefined) throw new UserError(`Line ${names.line} of ${name} names the field "${twice}" twice. Rename one.`);
  return records.map(({ line, values }) => {
    if (values.length === names.values.length)
      return { line, fields: Object.fromEntries(names.values.map((field, index) => [field, values[index]])) };
    throw new UserError(
      `Line ${line} of ${name} has ${counted(values.length, "field")} where the first line names ${names.values.length}. Put quotes ("...") around text that holds a "${delimiter === "\t" ? "tab" : delimiter}".`,
    );
  });
}

interface Row {
  readonly line: number;
  readonly values: readonly string[];
}

function parseRows(text: string, delimiter: string, name: string): Row[] {
  try {
    const rows = parse(text, { delimiter, relax_column_count: true, skip_empty_lines: true, info: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return rows.map(({ record, info }) => {
      // `info.lines` is where the row ends; each line end within a quoted field puts its beginning one further up.
      const within = record.reduce((lines, value) => lines + (value.match(/\n/g)?.length ?? 0), 0);
      return { line: info.lines - within, values: record };
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = typeof cause["lines"] === "number" ? `Line ${cause["lines"]} of ` : "";
    throw new UserError(`${line}${name} is no CSV: ${csvProblems[cause.code] ?? cause.message.split("\n")[0]}`, { cause });
  }
}

const csvProblems: { readonly [code: string]: string } = {
  CSV_QUOTE_NOT_CLOSED: 'a quote (") that was opened before it is never closed. Close it, or write "" for a quote within quotes.',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote ("). Write "" for a quote within quotes.',
  INVALID_OPENING_QUOTE: 'a quote (") stands within a field that is not quoted. Put quotes around the whole field and write "" within.',
};
