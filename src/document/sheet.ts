// The cells of a spreadsheet as Markdown tables: one for each group of cells with no empty row or column between them. Knows no format.
import { tableLines } from "./grid.ts";

/** Rows and columns count from 1; both ends are within. */
export interface Area {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface Sheet {
  /** Texts by row and column; cells without text are left out. */
  readonly rows: ReadonlyMap<number, ReadonlyMap<number, string>>;
  readonly merged: readonly Area[];
}

/** `AB12` -> 28 */
export function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,3}/i.exec(reference)?.[0].toUpperCase() ?? "") column = column * 26 + letter.charCodeAt(0) - 64;
  return column;
}

/** The tables, from the top down. Merged cells are repeated, so that every row can be read by itself. */
export function blocksOfSheet(sheet: Sheet): string[] {
  const rows = filled(sheet);
  return runs([...rows.keys()].sort((a, b) => a - b)).flatMap((band) => {
    const columns = new Set(band.flatMap((row) => [...rows.get(row)!.keys()]));
    return runs([...columns].sort((a, b) => a - b)).map((group) => {
      const lines = band
        .map((row) => group.map((column) => rows.get(row)!.get(column) ?? ""))
        .filter((line) => line.some((text) => text !== ""));
      return lines.length === 1 && group.length === 1 ? lines[0]![0]! : tableLines(lines);
    });
  });
}

/** Merged cells take the text of their first, as far as the sheet goes. */
function filled({ rows, merged }: Sheet): ReadonlyMap<number, ReadonlyMap<number, string>> {
  const copy = new Map([...rows].map(([row, cells]) => [row, new Map(cells)]));
  const lastColumn = Math.max(0, ...[...rows.values()].map((cells) => (cells.size === 0 ? 0 : Math.max(...cells.keys()))));
  for (const { top, bottom, left, right } of merged) {
    const text = rows.get(top)?.get(left);
    if (text === undefined) continue;
    for (let row = top; row <= bottom; row++) {
      // A merged area alone makes no new rows: below what is filled there is nothing to tell apart.
      const cells = row === top ? copy.get(row) : rows.has(row) ? copy.get(row) : undefined;
      for (let column = left; cells !== undefined && column <= Math.min(right, lastColumn); column++) cells.set(column, text);
    }
  }
  return copy;
}

/** Numbers in order as runs without a gap. */
function runs(sorted: readonly number[]): number[][] {
  const found: number[][] = [];
  for (const number of sorted) {
    const last = found.at(-1);
    if (last !== undefined && last.at(-1) === number - 1) last.push(number);
    else found.push([number]);
  }
  return found;
}
