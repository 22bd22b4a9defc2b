// Word documents as Markdown: headings, lists, tables, formulas, text boxes, notes (ECMA-376, part 1, section 17). Pages are where Word
// last broke them.
import { chartBlocks } from "./chart.ts";
import { type Converted, PAGE_BREAK, type RawFile, type Reading, withPages } from "./converted.ts";
import { emphasisOf, paragraphRoles } from "./docx-lists.ts";
import { type Cell, cellText, gridOf, tableLines } from "./grid.ts";
import { isOn, type OfficePackage, openOffice, propertiesOf } from "./office.ts";
import { latexOf } from "./omml.ts";
import { childOf, descendantsOf, elementsOf, isXmlElement, textOf, type XmlElement } from "./xml.ts";

const WIDEST_SPAN = 1000;

interface Context {
  readonly office: OfficePackage;
  readonly part: string;
  readonly roleOf: ReturnType<typeof paragraphRoles>;
  /** Blocks that stand in a paragraph but are none of its text: text boxes, charts. */
  readonly beside: string[];
  /** Notes that were referred to, by their sign. */
  readonly notes: Map<string, XmlElement>;
  readonly noteParts: ReadonlyMap<string, XmlElement>;
}

export async function docxToMarkdown(file: RawFile, reading: Reading): Promise<Converted> {
  const office = openOffice(file, reading);
  const part = office.main;
  const body = childOf(office.xml(part), "w:body");
  const related = (type: string): XmlElement | undefined => office.xml(office.related(part, type));
  const context: Context = {
    office,
    part,
    roleOf: paragraphRoles(related("styles"), related("numbering")),
    beside: [],
    notes: new Map(),
    noteParts: new Map([...notesIn(related("footnotes"), "w:footnote"), ...notesIn(related("endnotes"), "w:endnote")]),
  };
  const blocks = body === undefined ? [] : blocksOf(body, context);
  for (const [sign, note] of context.notes) blocks.push(`[^${sign}]: ${joined(blocksOf(note, context)).replaceAll(/\s+/g, " ")}`);
  const { title, date } = propertiesOf(office);
  return { ...withPages(joined(blocks)), ...date, ...(title !== "" && { title }) };
}

function notesIn(root: XmlElement | undefined, name: string): (readonly [string, XmlElement])[] {
  return root === undefined ? [] : elementsOf(root, name).map((note) => [`${name}${note.attributes["w:id"]}`, note] as const);
}

interface Block {
  readonly text: string;
  /** Items of a list stand without an empty line between them. */
  readonly item: boolean;
}

function joined(blocks: readonly (string | Block)[]): string {
  return blocks
    .map((block) => (typeof block === "string" ? { text: block, item: false } : block))
    .reduce((text, block, index, all) => text + (index === 0 ? "" : block.item && all[index - 1]!.item ? "\n" : "\n\n") + block.text, "");
}

type Blocks = (element: XmlElement, context: Context) => (string | Block)[];

const blockRules: { readonly [name: string]: Blocks } = {
  "w:p": paragraph,
  "w:tbl": table,
  "w:sectPr": () => [],
  "w:del": () => [],
  "w:moveFrom": () => [],
};

function blocksOf(element: XmlElement, context: Context): (string | Block)[] {
  return elementsOf(element).flatMap((child) => blockRules[child.name]?.(child, context) ?? blocksOf(child, context));
}

function paragraph(element: XmlElement, context: Context): (string | Block)[] {
  const properties = childOf(element, "w:pPr");
  const role = context.roleOf(properties);
  const text = tidy(inlineOf(element, context));
  const beside = context.beside.splice(0);
  // Where a page ends between paragraphs, its mark stands first in the next.
  const [mark, rest] = text.startsWith(PAGE_BREAK) ? [PAGE_BREAK, text.slice(1).trim()] : ["", text];
  if (rest === "") return mark === "" ? beside : [mark, ...beside];
  return [{ text: mark + withRole(rest, role), item: role.heading === undefined && role.item !== undefined }, ...beside];
}

function withRole(text: string, { heading, item }: ReturnType<Context["roleOf"]>): string {
  const number = item?.number === undefined ? "" : `${item.number} `;
  if (heading !== undefined) return `${"#".repeat(heading)} ${number}${text.replaceAll(/\s+/g, " ").replaceAll("**", "")}`;
  if (item === undefined) return text;
  const mark = number === "" ? "- " : /^\d+[.)] $/.test(number) ? number : `- ${number}`;
  const indent = "  ".repeat(item.depth);
  return `${indent}${mark}${text.replaceAll("\n", `\n${indent}  `)}`;
}

function tidy(text: string): string {
  return text
    .replaceAll(/\*\*\*\*|(?<=\S)\*\*(\s+)\*\*(?=\S)/g, "$1")
    .replaceAll(/[ \t\u00a0]+/g, " ")
    .replaceAll(/ ?\n ?/g, "\n")
    .trim();
}

type Inline = (element: XmlElement, context: Context) => string;

const nothing: Inline = () => "";
const inlineRules: { readonly [name: string]: Inline } = {
  "w:pPr": nothing,
  "w:rPr": nothing,
  "w:del": nothing,
  "w:moveFrom": nothing,
  "w:instrText": nothing,
  "w:delText": nothing,
  "w:r": run,
  "w:t": textOf,
  "w:tab": () => " ",
  "w:br": () => "\n",
  "w:cr": () => "\n",
  "w:noBreakHyphen": () => "-",
  "w:lastRenderedPageBreak": () => PAGE_BREAK,
  "w:sym": ({ attributes }) => symbol(attributes["w:char"] ?? ""),
  "w:hyperlink": link,
  "w:sdt": control,
  "w:footnoteReference": noteSign("w:footnote"),
  "w:endnoteReference": noteSign("w:endnote"),
  "m:oMathPara": (element) => `\n\n$$${elementsOf(element, "m:oMath").map(formula).join(" ")}$$\n\n`,
  "m:oMath": (element) => `$${formula(element)}$`,
  "mc:AlternateContent": (element, context) => {
    const chosen = childOf(element, "mc:Choice") ?? childOf(element, "mc:Fallback");
    return chosen === undefined ? "" : inlineOf(chosen, context);
  },
  "w:drawing": drawing,
  "w:txbxContent": (element, context) => {
    const inner = { ...context, beside: [] };
    context.beside.push(joined(blocksOf(element, inner)));
    return "";
  },
};

const formula = (element: XmlElement): string => latexOf(element).replaceAll(/ {2,}/g, " ").trim();

function inlineOf(element: XmlElement, context: Context): string {
  return element.children
    .filter(isXmlElement)
    .map((child) => inlineRules[child.name]?.(child, context) ?? inlineOf(child, context))
    .join("");
}

/** Symbol fonts keep their signs at F0xx of the private area. */
function symbol(code: string): string {
  const point = Number.parseInt(code, 16);
  return Number.isNaN(point) ? "" : point >= 0xf000 && point <= 0xf0ff ? "•" : String.fromCodePoint(Math.min(point, 0x10ffff));
}

function run(element: XmlElement, context: Context): string {
  const text = inlineOf(element, context);
  const mark = emphasisOf(childOf(element, "w:rPr"));
  const inner = text.trim();
  return mark === "" || inner === "" || inner.includes("\n") || inner.includes(PAGE_BREAK)
    ? text
    : text.replace(inner, () => mark + inner + mark);
}

function link(element: XmlElement, context: Context): string {
  const text = inlineOf(element, context);
  const target = context.office.relationships(context.part).get(element.attributes["r:id"] ?? "");
  const label = text.trim();
  if (target?.external !== true || label === "" || label === target.target || !/^(https?:|mailto:)/i.test(target.target)) return text;
  return text.replace(label, () => `[${label}](${target.target})`);
}

/** A content control: a checkbox says whether it is checked. */
function control(element: XmlElement, context: Context): string {
  const box = childOf(element, "w:sdtPr", "w14:checkbox");
  if (box !== undefined) return isOn(childOf(box, "w14:checked"), "w14:val") ? "[x]" : "[ ]";
  const content = childOf(element, "w:sdtContent");
  return content === undefined ? "" : inlineOf(content, context);
}

function noteSign(name: string): Inline {
  return ({ attributes }, { notes, noteParts }) => {
    const note = noteParts.get(`${name}${attributes["w:id"]}`);
    if (note === undefined) return "";
    const sign = String(notes.size + 1);
    notes.set(sign, note);
    return `[^${sign}]`;
  };
}

/** A picture's description stays in the text; a chart's figures and the text in shapes stand after the paragraph. */
function drawing(element: XmlElement, context: Context): string {
  for (const { attributes } of descendantsOf(element, "c:chart")) {
    const chart = context.office.xml(context.office.relationships(context.part).get(attributes["r:id"] ?? "")?.target);
    if (chart !== undefined) context.beside.push(...chartBlocks(chart));
  }
  for (const { attributes } of descendantsOf(element, "dgm:relIds")) {
    const data = context.office.xml(context.office.relationships(context.part).get(attributes["r:dm"] ?? "")?.target);
    if (data !== undefined) context.beside.push(...diagramBlocks(data));
  }
  const description = descendantsOf(element, "wp:docPr").map(({ attributes }) => (attributes["descr"] ?? "").trim());
  const shown = description.filter((text) => text !== "").map((text) => `![${text.replaceAll(/\s+/g, " ")}]`);
  return shown.join(" ") + inlineOf(element, context);
}

/** The texts of a SmartArt drawing, an item each. */
export function diagramBlocks(data: XmlElement): string[] {
  const items = descendantsOf(data, "dgm:pt").map((point) => descendantsOf(point, "a:t").map(textOf).join("").trim());
  const shown = items.filter((text) => text !== "").map((text) => `- ${text}`);
  return shown.length === 0 ? [] : [shown.join("\n")];
}

function table(element: XmlElement, context: Context): (string | Block)[] {
  const rows = rowsOf(element).map((row) => cellsOf(row));
  // A table of single cells only places things on the page.
  if (rows.every((cells) => cells.length <= 1)) return rows.flat().flatMap((cell) => blocksOf(cell, context));
  const above: Cell[][] = [];
  const grid = rows.map((cells) => {
    let column = 0;
    const line = cells.map((cell) => {
      const columns = Math.min(WIDEST_SPAN, Math.max(1, Number(childOf(cell, "w:tcPr", "w:gridSpan")?.attributes["w:val"] ?? 1) || 1));
      const merge = childOf(cell, "w:tcPr", "w:vMerge");
      const goesOn = merge !== undefined && merge.attributes["w:val"] !== "restart";
      const text = cellText(joined(blocksOf(cell, context)).replaceAll(PAGE_BREAK, " "));
      const carried = goesOn ? cellAt(above.at(-1), column) : undefined;
      column += columns;
      return { text: carried ?? text, columns, rows: 1 };
    });
    above.push(line);
    return line;
  });
  const lines = gridOf(grid);
  return lines.length === 0 ? [] : [tableLines(lines)];
}

const rowsOf = (element: XmlElement): XmlElement[] => through(element, "w:tr");
const cellsOf = (element: XmlElement): XmlElement[] => through(element, "w:tc");

/** Children of a name, also those within content controls and revisions. */
function through(element: XmlElement, name: string): XmlElement[] {
  return elementsOf(element).flatMap((child) => {
    if (child.name === name) return [child];
    return ["w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag"].includes(child.name) ? through(child, name) : [];
  });
}

function cellAt(cells: readonly Cell[] | undefined, column: number): string | undefined {
  let at = 0;
  for (const cell of cells ?? []) {
    at += cell.columns;
    if (column < at) return cell.text;
  }
  return undefined;
}
