// OpenDocument texts, presentations and spreadsheets as Markdown (OASIS OpenDocument 1.3, part 3). Slides and sheets are pages.
import { type Converted, joinPages, type RawFile, type Reading } from "./converted.ts";
import { firstDate } from "./date.ts";
import { type Cell, cellText, gridOf, tableLines } from "./grid.ts";
import { Unreadable } from "./limits.ts";
import { type Area, blocksOfSheet, type Sheet } from "./sheet.ts";
import { childOf, descendantsOf, elementsOf, parseXml, textOf, type XmlElement } from "./xml.ts";
import { zipEntries } from "./zip.ts";

const WIDEST_SPAN = 1000;
/** Spreadsheets repeat empty cells to the end of the sheet. */
const MOST_REPEATED = 10_000;

export async function odfToMarkdown(file: RawFile, reading: Reading): Promise<Converted> {
  const entries = new Map(zipEntries(file, reading).map((entry) => [entry.name, entry]));
  const part = (name: string): XmlElement | undefined => {
    const bytes = entries.get(name)?.read();
    return bytes && parseXml(bytes, reading.limits);
  };
  const manifest = part("META-INF/manifest.xml");
  if (manifest !== undefined && descendantsOf(manifest, "manifest:encryption-data").length > 0)
    throw new Unreadable("is encrypted. Save it without a password.");
  const body = childOf(part("content.xml"), "office:body");
  if (body === undefined) throw new Unreadable("holds no OpenDocument text. Open it with the program that made it, and save it again.");
  const meta = childOf(part("meta.xml"), "office:meta");
  const title = textOf(childOf(meta, "dc:title")).trim();
  return { ...converted(body), ...firstDate(textOf(childOf(meta, "dc:date"))), ...(title !== "" && { title }) };
}

function converted(body: XmlElement): Converted {
  const [slides, sheets] = [childOf(body, "office:presentation"), childOf(body, "office:spreadsheet")];
  if (slides !== undefined) return joinPages(elementsOf(slides, "draw:page").map((page) => blocksOf(page).join("\n\n")));
  if (sheets === undefined) return { text: blocksOf(body).join("\n\n") };
  return joinPages(
    elementsOf(sheets, "table:table").map((table) => {
      const blocks = [...blocksOfSheet(sheetOf(table)), ...elementsOf(table, "table:shapes").flatMap(blocksOf)];
      return blocks.length === 0 ? "" : [`## ${table.attributes["table:name"] ?? ""}`, ...blocks].join("\n\n");
    }),
  );
}

type Blocks = (element: XmlElement) => string[];

const blockRules: { readonly [name: string]: Blocks } = {
  "text:h": (element) => {
    const text = inlineOf(element).replaceAll(/\s+/g, " ").trim();
    const level = Math.min(6, Math.max(1, Number(element.attributes["text:outline-level"] ?? 1) || 1));
    return text === "" ? [] : [`${"#".repeat(level)} ${text}`, ...beside(element)];
  },
  "text:p": (element) => [tidy(inlineOf(element)), ...beside(element)].filter((text) => text !== ""),
  "text:list": (element) => {
    const lines = listLines(element, 0);
    return lines.length === 0 ? [] : [lines.join("\n")];
  },
  "table:table": table,
  "draw:frame": frame,
  "office:annotation": () => [],
  "text:tracked-changes": () => [],
  "text:sequence-decls": () => [],
  "office:forms": () => [],
};

function blocksOf(element: XmlElement): string[] {
  return elementsOf(element).flatMap((child) => blockRules[child.name]?.(child) ?? blocksOf(child));
}

/** A slide's title is its heading. */
function frame(element: XmlElement): string[] {
  const blocks = blocksOf(element);
  const description = textOf(childOf(element, "svg:desc")).trim();
  const shown = description === "" ? blocks : [...blocks, `![${description}]`];
  return element.attributes["presentation:class"] === "title" && shown.length > 0
    ? [`# ${shown.join(" ").replaceAll(/\s+/g, " ")}`]
    : shown;
}

/** What stands in a paragraph but is none of its text. */
function beside(element: XmlElement): string[] {
  return elementsOf(element).flatMap((child) => {
    if (child.name === "draw:frame" || child.name === "draw:custom-shape" || child.name === "draw:text-box") return frame(child);
    return child.name === "text:span" || child.name === "text:a" || child.name === "draw:g" ? beside(child) : [];
  });
}

const inlineRules: { readonly [name: string]: (element: XmlElement) => string } = {
  "text:s": ({ attributes }) => " ".repeat(Math.min(100, Number(attributes["text:c"] ?? 1) || 1)),
  "text:tab": () => " ",
  "text:line-break": () => "\n",
  "text:a": (element) => {
    const text = inlineOf(element);
    const target = Object.entries(element.attributes).find(([name]) => name.endsWith(":href"))?.[1] ?? "";
    return /^(https?:|mailto:)/i.test(target) && text.trim() !== "" && text !== target ? `[${text.trim()}](${target})` : text;
  },
  "text:note": (element) => ` (${inlineOf(childOf(element, "text:note-body") ?? element).trim()})`,
  "text:p": (element) => `${inlineOf(element)} `,
  "office:annotation": () => "",
  "draw:frame": () => "",
  "draw:custom-shape": () => "",
  "draw:g": () => "",
};

function inlineOf(element: XmlElement): string {
  return element.children
    .map((child) => (typeof child === "string" ? child.replaceAll(/\s+/g, " ") : (inlineRules[child.name]?.(child) ?? inlineOf(child))))
    .join("");
}

function tidy(text: string): string {
  return text
    .replaceAll(/[ \t\u00a0]+/g, " ")
    .replaceAll(/ ?\n ?/g, "\n")
    .trim();
}

function listLines(list: XmlElement, depth: number): string[] {
  const indent = "  ".repeat(depth);
  return elementsOf(list).flatMap((item) => {
    let marked = false;
    return elementsOf(item).flatMap((part) => {
      if (part.name === "text:list") return listLines(part, depth + 1);
      return (blockRules[part.name]?.(part) ?? blocksOf(part)).map((block) => {
        const mark = marked ? "  " : "- ";
        marked = true;
        return `${indent}${mark}${block.replaceAll("\n", `\n${indent}  `)}`;
      });
    });
  });
}

const count = (element: XmlElement, name: string, most: number): number =>
  Math.min(most, Math.max(1, Number(element.attributes[name] ?? 1) || 1));

function rowsOf(table: XmlElement): XmlElement[] {
  return elementsOf(table).flatMap((child) =>
    child.name === "table:table-row" ? [child] : /^table:table-(header-rows|rows|row-group)$/.test(child.name) ? rowsOf(child) : [],
  );
}

function table(element: XmlElement): string[] {
  const rows = rowsOf(element).map((row) => elementsOf(row, "table:table-cell"));
  if (rows.every((cells) => cells.length <= 1)) return rows.flat().flatMap(blocksOf);
  const lines = gridOf(
    rows.map((cells) =>
      cells.flatMap((cell): Cell[] => {
        const one: Cell = {
          text: cellText(blocksOf(cell).join(" ")),
          columns: count(cell, "table:number-columns-spanned", WIDEST_SPAN),
          rows: count(cell, "table:number-rows-spanned", WIDEST_SPAN),
        };
        return Array.from({ length: count(cell, "table:number-columns-repeated", WIDEST_SPAN) }, () => one);
      }),
    ),
  );
  return lines.length === 0 ? [] : [tableLines(lines)];
}

function sheetOf(table: XmlElement): Sheet {
  const rows = new Map<number, Map<number, string>>();
  const merged: Area[] = [];
  let row = 1;
  for (const element of rowsOf(table)) {
    const cells = new Map<number, string>();
    let column = 1;
    for (const cell of elementsOf(element)) {
      const repeated = Number(cell.attributes["table:number-columns-repeated"] ?? 1) || 1;
      const text = cell.name === "table:table-cell" ? cellText(blocksOf(cell).join(" ")) : "";
      if (text !== "") for (let offset = 0; offset < Math.min(repeated, MOST_REPEATED); offset++) cells.set(column + offset, text);
      const [columns, lines] = [
        count(cell, "table:number-columns-spanned", MOST_REPEATED),
        count(cell, "table:number-rows-spanned", MOST_REPEATED),
      ];
      if (text !== "" && columns * lines > 1) merged.push({ top: row, bottom: row + lines - 1, left: column, right: column + columns - 1 });
      column += repeated;
    }
    const repeated = Number(element.attributes["table:number-rows-repeated"] ?? 1) || 1;
    if (cells.size > 0) for (let offset = 0; offset < Math.min(repeated, MOST_REPEATED); offset++) rows.set(row + offset, cells);
    row += repeated;
  }
  return { rows, merged };
}
