// Tables as Markdown: rows of texts, cells over several rows and columns. Knows no format.

export interface Cell {
  readonly text: string;
  readonly columns: number;
  readonly rows: number;
}

/** What may stand in a cell: one line, with | escaped. */
export function cellText(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().replaceAll("|", "\\|");
}

/** Cells over several columns or rows are repeated, so that every row can be read by itself. Rows without text go. */
export function gridOf(rows: readonly (readonly Cell[])[]): string[][] {
  const grid: string[][] = rows.map(() => []);
  rows.forEach((cells, top) => {
    let column = 0;
    for (const cell of cells) {
      while (grid[top]?.[column] !== undefined) column++;
      // A row of one cell is a heading within the table.
      const alone = cells.length === 1 && column === 0;
      for (const row of grid.slice(top, top + cell.rows)) {
        for (let offset = 0; offset < cell.columns; offset++) row[column + offset] = alone && offset > 0 ? "" : cell.text;
      }
      column += cell.columns;
    }
  });
  const width = Math.max(0, ...grid.map((row) => row.length));
  return grid
    .map((row) => Array.from({ length: width }, (_, column) => row[column] ?? ""))
    .filter((row) => row.some((text) => text !== ""));
}

/** The rows, the first as header, as a Markdown table. */
export function tableLines([header = [], ...body]: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...body.map(line)].join("\n");
}
