// An HTML table as a Markdown table. Cells that span columns or rows are repeated, so that every row can be read by itself.
import { all, childrenOf, isElement, tagOf } from "./dom.ts";
import type { Element } from "./dom.ts";
import { type Cell, cellText, gridOf, tableLines } from "./grid.ts";

type BlocksOf = (element: Element) => string[];

/** The table's blocks: its caption, then the table. A table that only places things on a page gives the blocks of its cells. */
export function tableOf(table: Element, blocksOf: BlocksOf): string[] {
  const rows = all(table, "tr").filter((row) => row.closest("table") === table);
  const cells = rows.map(cellsOf);
  const caption = childrenOf(table).filter((child): child is Element => isElement(child) && tagOf(child) === "caption");
  const above = caption.flatMap(blocksOf);
  const layout = table.querySelector("table") !== null || cells.every((row) => row.length <= 1);
  if (layout) return [...above, ...cells.flat().flatMap(blocksOf)];
  const grid = gridOf(cells.map((row) => row.map((cell) => asCell(cell, blocksOf))));
  return grid.length === 0 ? above : [...above, tableLines(grid)];
}

function cellsOf(row: Element): Element[] {
  return childrenOf(row).filter((child): child is Element => isElement(child) && (tagOf(child) === "td" || tagOf(child) === "th"));
}

function asCell(cell: Element, blocksOf: BlocksOf): Cell {
  const span = (name: string): number => Math.min(1000, Math.max(1, Number.parseInt(cell.getAttribute(name) ?? "1", 10) || 1));
  return { text: cellText(blocksOf(cell).join(" ")), columns: span("colspan"), rows: span("rowspan") };
}
