// An HTML table as a Markdown table. Cells that span columns or rows are repeated, so that every row can be read by itself.
import { all, childrenOf, isElement, tagOf } from "./dom.ts";
import type { Element } from "./dom.ts";

type BlocksOf = (element: Element) => string[];

interface Cell {
  readonly text: string;
  readonly columns: number;
  readonly rows: number;
}

/** The table's blocks: its caption, then the table. A table that only places things on a page gives the blocks of its cells. */
export function tableOf(table: Element, blocksOf: BlocksOf): string[] {
  const rows = all(table, "tr").filter((row) => row.closest("table") === table);
  const cells = rows.map(cellsOf);
  const caption = childrenOf(table).filter((child): child is Element => isElement(child) && tagOf(child) === "caption");
  const above = caption.flatMap(blocksOf);
  const layout = table.querySelector("table") !== null || cells.every((row) => row.length <= 1);
  if (layout) return [...above, ...cells.flat().flatMap(blocksOf)];
  const grid = gridOf(cells.map((row) => row.map((cell) => asCell(cell, blocksOf))));
  return grid.length === 0 ? above : [...above, linesOf(grid)];
}

function cellsOf(row: Element): Element[] {
  return childrenOf(row).filter((child): child is Element => isElement(child) && (tagOf(child) === "td" || tagOf(child) === "th"));
}

function asCell(cell: Element, blocksOf: BlocksOf): Cell {
  const span = (name: string): number => Math.min(1000, Math.max(1, Number.parseInt(cell.getAttribute(name) ?? "1", 10) || 1));
  const text = blocksOf(cell).join(" ").replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
  return { text, columns: span("colspan"), rows: span("rowspan") };
}

/** Each row's texts by column, all rows of one width. */
function gridOf(rows: readonly (readonly Cell[])[]): string[][] {
  const grid: string[][] = rows.map(() => []);
  rows.forEach((cells, top) => {
    let column = 0;
    for (const cell of cells) {
      while (grid[top]?.[column] !== undefined) column++;
      for (const row of grid.slice(top, top + cell.rows)) {
        for (let offset = 0; offset < cell.columns; offset++) row[column + offset] = cells.length === 1 && offset > 0 ? "" : cell.text;
      }
      column += cell.columns;
    }
  });
  const width = Math.max(0, ...grid.map((row) => row.length));
  return grid
    .map((row) => Array.from({ length: width }, (_, column) => row[column] ?? ""))
    .filter((row) => row.some((text) => text !== ""));
}

function linesOf([header = [], ...body]: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...body.map(line)].join("\n");
}
