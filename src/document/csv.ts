// Comma-separated values as a Markdown table: rows of any length, separated by comma, semicolon, tab or bar.
import { parse } from "csv-parse/sync";
import type { Converted } from "./converted.ts";
import { cellText, tableLines } from "./grid.ts";

const separators = [",", ";", "\t", "|"];
/** Lines that tell which separator it is. */
const SAMPLE = 20;

/** The table; the first row is its header. */
export function csvToMarkdown(text: string): Converted {
  const rows = csvRows(text);
  const width = Math.max(0, ...rows.map((row) => row.length));
  const filled = rows.map((row) => Array.from({ length: width }, (_, column) => cellText(row[column] ?? "")));
  return { text: filled.length === 0 ? "" : tableLines(filled) };
}

/** The rows as texts; empty lines are left out. */
export function csvRows(text: string): string[][] {
  return parse(text, {
    delimiter: separatorOf(text),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    bom: true,
  });
}

/** The separator that splits the first lines into the same number of fields most often, and into more than one. */
function separatorOf(text: string): string {
  const lines = text
    .split("\n", SAMPLE)
    .map((line) => line.replaceAll(/"(?:[^"]|"")*"/g, ""))
    .filter((line) => line.trim() !== "");
  const scored = separators.map((separator) => {
    const counts = lines.map((line) => line.split(separator).length - 1);
    const usual = counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0;
    return { separator, score: usual === 0 ? 0 : counts.filter((count) => count === usual).length * 1000 + Math.min(999, usual) };
  });
  return scored.toSorted((a, b) => b.score - a.score)[0]!.separator;
}
