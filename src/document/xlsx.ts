// Workbooks as Markdown: a sheet a page, a table for each group of cells that touch, charts and comments (ECMA-376, part 1, section 18).
import { chartBlocks } from "./chart.ts";
import { commentLine } from "./comment.ts";
import { type Converted, joinPages, type RawFile, type Reading } from "./converted.ts";
import { cellText } from "./grid.ts";
import { type OfficePackage, openOffice, propertiesOf } from "./office.ts";
import { type Area, blocksOfSheet, columnOf, type Sheet } from "./sheet.ts";
import { childOf, descendantsOf, elementsOf, isXmlElement, readXml, textOf, type XmlElement } from "./xml.ts";

interface Workbook {
  readonly office: OfficePackage;
  readonly reading: Reading;
  readonly strings: readonly string[];
  /** Whether a cell of that style shows a date. */
  readonly dates: readonly boolean[];
  /** Days count from 1904. */
  readonly from1904: boolean;
  /** Names of authors of threaded comments, by id. */
  readonly persons: ReadonlyMap<string, string>;
}

export async function xlsxToMarkdown(file: RawFile, reading: Reading): Promise<Converted> {
  const office = openOffice(file, reading);
  const root = office.xml(office.main);
  const related = (type: string): XmlElement | undefined => office.xml(office.related(office.main, type));
  const persons = related("person");
  const workbook: Workbook = {
    office,
    reading,
    strings: stringsOf(related("sharedStrings")),
    dates: datesOf(related("styles")),
    from1904: ["1", "true"].includes(childOf(root, "x:workbookPr")?.attributes["date1904"] ?? ""),
    persons: new Map(persons && elementsOf(persons).map(({ attributes: { id = "", displayName = "" } }) => [id, displayName])),
  };
  const sheets = childOf(root, "x:sheets");
  const parts = office.relationships(office.main);
  const pages = joinPages(
    (sheets === undefined ? [] : elementsOf(sheets, "x:sheet")).map(({ attributes }) => {
      const part = parts.get(attributes["r:id"] ?? "")?.target;
      const blocks = part === undefined ? [] : partBlocks(part, workbook);
      return blocks.length === 0 ? "" : [`## ${attributes["name"] ?? ""}`, ...blocks].join("\n\n");
    }),
  );
  return { ...pages, ...propertiesOf(office).date };
}

/** Texts that cells share; phonetic hints are left out. */
function stringsOf(root: XmlElement | undefined): string[] {
  return root === undefined ? [] : elementsOf(root, "x:si").map(richText);
}

function richText(element: XmlElement): string {
  return element.children
    .filter(isXmlElement)
    .map((child) => (child.name === "x:t" ? textOf(child) : child.name === "x:r" ? textOf(childOf(child, "x:t")) : ""))
    .join("");
}

const builtInDates = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);

function datesOf(root: XmlElement | undefined): boolean[] {
  const own = new Map(
    descendantsOf(childOf(root, "x:numFmts") ?? { name: "", attributes: {}, children: [] }, "x:numFmt").map(({ attributes }) => [
      Number(attributes["numFmtId"]),
      isDateFormat(attributes["formatCode"] ?? ""),
    ]),
  );
  const formats = childOf(root, "x:cellXfs");
  return (formats === undefined ? [] : elementsOf(formats, "x:xf")).map(({ attributes }) => {
    const id = Number(attributes["numFmtId"] ?? 0);
    return own.get(id) ?? builtInDates.has(id);
  });
}

/** Letters of days, months, years, hours and seconds outside quotes, colours and literals. */
function isDateFormat(code: string): boolean {
  return /[dmyhs]/i.test(code.replaceAll(/"[^"]*"|\[[^\]]*\]|\\.|_./g, "")) && !/general/i.test(code);
}

function partBlocks(part: string, workbook: Workbook): string[] {
  const { office } = workbook;
  const bytes = office.bytes(part);
  if (bytes === undefined) return [];
  const drawings = [...office.relationships(part).values()].filter(({ type }) => type === "drawing");
  const charts = drawings.flatMap(({ target }) =>
    [...office.relationships(target).values()]
      .filter(({ type }) => type === "chart")
      .flatMap((chart) => {
        const root = office.xml(chart.target);
        return root === undefined ? [] : chartBlocks(root);
      }),
  );
  return [
    ...blocksOfSheet(sheetOf(bytes, workbook)),
    ...charts,
    ...shapesOf(drawings.map(({ target }) => office.xml(target))),
    ...commentsOf(part, workbook),
  ];
}

/** What is written on drawn shapes. */
function shapesOf(drawings: readonly (XmlElement | undefined)[]): string[] {
  const shapes = drawings.flatMap((drawing) => (drawing === undefined ? [] : descendantsOf(drawing, "xdr:txBody")));
  return shapes.map((shape) => descendantsOf(shape, "a:t").map(textOf).join(" ").trim()).filter((text) => text !== "");
}

/** The cells of a sheet, read as they come: a sheet of a million rows is never a tree. */
function sheetOf(bytes: Uint8Array, workbook: Workbook): Sheet {
  const rows = new Map<number, Map<number, string>>();
  const merged: Area[] = [];
  let [row, column, type, style, value, inside] = [0, 0, "", 0, "", false];
  readXml(bytes, workbook.reading.limits, {
    open: (name, { r, t, s, ref }) => {
      if (name === "x:row") [row, column] = [r === undefined ? row + 1 : Number(r), 0];
      else if (name === "x:c") {
        column = r === undefined ? column + 1 : columnOf(r);
        [type, style, value] = [t ?? "n", Number(s ?? 0), ""];
      } else if (name === "x:v" || name === "x:t") inside = true;
      else if (name === "x:rPh") inside = false;
      else if (name === "x:mergeCell") merged.push(areaOf(ref ?? ""));
    },
    text: (text) => {
      if (inside) value += text;
    },
    close: (name) => {
      if (name === "x:v" || name === "x:t") inside = false;
      if (name !== "x:c" || value === "") return;
      const shown = cellText(types[type]?.(value, workbook) ?? numberText(value, workbook.dates[style] === true, workbook.from1904));
      if (shown === "") return;
      const cells = rows.get(row) ?? new Map<number, string>();
      rows.set(row, cells.set(column, shown));
    },
  });
  return { rows, merged };
}

const types: { readonly [type: string]: ((value: string, workbook: Workbook) => string) | undefined } = {
  s: (value, { strings }) => strings[Number(value)] ?? "",
  str: (value) => value,
  inlineStr: (value) => value,
  e: (value) => value,
  d: (value) => value,
  b: (value) => (value === "1" ? "TRUE" : "FALSE"),
};

function numberText(value: string, date: boolean, from1904: boolean): string {
  const number = Number(value);
  if (!Number.isFinite(number) || value.trim() === "") return value;
  // Excel shows 15 digits; the file holds what binary arithmetic left.
  return date ? dateText(number, from1904) : String(Number(number.toPrecision(15)));
}

const DAY = 86_400;

/** Days since the end of 1899, of which Excel counts one in 1900 that there never was. */
function dateText(days: number, from1904: boolean): string {
  const epoch = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  const date = new Date(epoch + Math.round(days * DAY) * 1000);
  if (Number.isNaN(date.getTime()) || days < 0) return String(days);
  const [day, time] = date.toISOString().slice(0, 19).split("T") as [string, string];
  if (days < 1 && !from1904) return time;
  return time === "00:00:00" ? day : `${day} ${time}`;
}

function areaOf(reference: string): Area {
  const [from = "", to = from] = reference.split(":");
  const row = (cell: string): number => Number(/\d+/.exec(cell)?.[0] ?? 0);
  return { top: row(from), bottom: row(to), left: columnOf(from), right: columnOf(to) };
}

function commentsOf(part: string, { office, persons }: Workbook): string[] {
  const related = [...office.relationships(part).values()];
  const roots = (type: string): XmlElement[] =>
    related.filter((one) => one.type === type).flatMap(({ target }) => office.xml(target) ?? []);
  const threads = roots("threadedComment").flatMap((root) => elementsOf(root));
  const threaded = new Set(threads.map(({ attributes }) => attributes["ref"]));
  const plain = roots("comments").flatMap((root) => {
    const authors = descendantsOf(root, "x:author").map(textOf);
    const own = descendantsOf(root, "x:comment").filter(({ attributes }) => !threaded.has(attributes["ref"]));
    return own.map((comment) => {
      const text = childOf(comment, "x:text");
      return commentLine({ author: authors[Number(comment.attributes["authorId"])] ?? "", text: text === undefined ? "" : richText(text) });
    });
  });
  const answered = threads.map((comment) =>
    commentLine({
      author: persons.get(comment.attributes["personId"] ?? "") ?? "",
      time: comment.attributes["dT"],
      text: elementsOf(comment)
        .filter(({ name }) => /(^|:)text$/.test(name))
        .map(textOf)
        .join(" "),
    }),
  );
  return [...plain, ...answered];
}
