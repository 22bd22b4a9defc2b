// Presentations as Markdown: a slide a page, its title as a heading, then its text, tables, charts, notes and comments (ECMA-376, part 1,
// section 19).
import { chartBlocks } from "./chart.ts";
import { commentLine } from "./comment.ts";
import { type Converted, joinPages, type RawFile, type Reading } from "./converted.ts";
import { diagramBlocks } from "./docx.ts";
import { type Cell, cellText, gridOf, tableLines } from "./grid.ts";
import { isOn, type OfficePackage, openOffice, propertiesOf } from "./office.ts";
import { childOf, descendantsOf, elementsOf, textOf, type XmlElement } from "./xml.ts";

interface Slide {
  readonly office: OfficePackage;
  readonly part: string;
}

export async function pptxToMarkdown(file: RawFile, reading: Reading): Promise<Converted> {
  const office = openOffice(file, reading);
  const parts = office.relationships(office.main);
  const slides = elementsOf(childOf(office.xml(office.main), "p:sldIdLst") ?? { name: "", attributes: {}, children: [] });
  const authors = authorsOf(office);
  const pages = slides.map(({ attributes }) => {
    const part = parts.get(attributes["r:id"] ?? "")?.target;
    return part === undefined ? "" : slideText({ office, part }, authors);
  });
  return { ...joinPages(pages), ...propertiesOf(office).date };
}

function slideText(slide: Slide, authors: ReadonlyMap<string, string>): string {
  const root = slide.office.xml(slide.part);
  const tree = childOf(root, "p:cSld", "p:spTree");
  if (tree === undefined) return "";
  const shapes = leaves(tree);
  const title = shapes.find(isTitle);
  const heading = title === undefined ? "" : descendantsOf(title, "a:p").map(paragraphText).join(" ").replaceAll(/\s+/g, " ").trim();
  const rest = shapes.filter((shape) => shape !== title).flatMap((shape) => shapeBlocks(shape, slide));
  return [heading === "" ? "" : `# ${heading}`, ...rest, ...notesOf(slide), ...commentsOf(slide, authors)]
    .filter((block) => block !== "")
    .join("\n\n");
}

/** Shapes in the order of the file, groups opened. */
function leaves(tree: XmlElement): XmlElement[] {
  return elementsOf(tree).flatMap((child) => {
    if (child.name === "p:grpSp") return leaves(child);
    if (child.name === "mc:AlternateContent") return leaves(childOf(child, "mc:Choice") ?? child);
    return [child];
  });
}

function placeholderOf(shape: XmlElement): string | undefined {
  const placeholder = childOf(shape, "p:nvSpPr", "p:nvPr", "p:ph");
  return placeholder && (placeholder.attributes["type"] ?? "body");
}

const isTitle = (shape: XmlElement): boolean => ["title", "ctrTitle"].includes(placeholderOf(shape) ?? "");

/** What every slide repeats. */
const furniture = ["sldNum", "dt", "ftr", "hdr"];

function shapeBlocks(shape: XmlElement, { office, part }: Slide): string[] {
  const placeholder = placeholderOf(shape);
  if (placeholder !== undefined && furniture.includes(placeholder)) return [];
  const related = (id: string | undefined): XmlElement | undefined => office.xml(office.relationships(part).get(id ?? "")?.target);
  const charts = descendantsOf(shape, "c:chart").flatMap(({ attributes }) => blocksIn(related(attributes["r:id"]), chartBlocks));
  const diagrams = descendantsOf(shape, "dgm:relIds").flatMap(({ attributes }) => blocksIn(related(attributes["r:dm"]), diagramBlocks));
  const tables = descendantsOf(shape, "a:tbl").map(tableText);
  const body = childOf(shape, "p:txBody");
  const text = body === undefined ? [] : [paragraphsText(body, placeholder === "body")];
  const description = shape.name === "p:pic" ? (childOf(shape, "p:nvPicPr", "p:cNvPr")?.attributes["descr"] ?? "").trim() : "";
  return [...text, ...tables, ...charts, ...diagrams, description === "" ? "" : `![${description.replaceAll(/\s+/g, " ")}]`];
}

function blocksIn(root: XmlElement | undefined, read: (root: XmlElement) => string[]): string[] {
  return root === undefined ? [] : read(root);
}

/** Paragraphs with bullets are items; in a slide's body that is what they are unless they say otherwise. */
function paragraphsText(body: XmlElement, bulleted: boolean): string {
  const lines = elementsOf(body, "a:p")
    .map((paragraph) => ({ text: paragraphText(paragraph), ...roleOf(childOf(paragraph, "a:pPr"), bulleted) }))
    .filter(({ text }) => text !== "");
  // A body of one paragraph is no list.
  const listed = lines.length > 1 || !bulleted;
  const numbers: number[] = [];
  return lines
    .map(({ text, item, numbered, depth }, index) => {
      const between = index === 0 ? "" : item && lines[index - 1]!.item ? "\n" : "\n\n";
      numbers.length = item ? depth + 1 : 0;
      const number = numbered ? (numbers[depth] = (numbers[depth] ?? 0) + 1) : undefined;
      const mark = number === undefined ? "- " : `${number}. `;
      return between + (item && listed ? `${"  ".repeat(depth)}${mark}${text.replaceAll("\n", `\n${"  ".repeat(depth + 1)}`)}` : text);
    })
    .join("");
}

function roleOf(properties: XmlElement | undefined, bulleted: boolean): { item: boolean; numbered: boolean; depth: number } {
  const numbered = childOf(properties, "a:buAutoNum") !== undefined;
  const marked = numbered || childOf(properties, "a:buChar") !== undefined;
  return {
    item: childOf(properties, "a:buNone") === undefined && (marked || bulleted),
    numbered,
    depth: Math.min(8, Number(properties?.attributes["lvl"] ?? 0)),
  };
}

function paragraphText(paragraph: XmlElement): string {
  return elementsOf(paragraph)
    .map((part) => (part.name === "a:br" ? "\n" : part.name === "a:pPr" || part.name === "a:endParaRPr" ? "" : textOf(part)))
    .join("")
    .replaceAll(/[ \t\v\u00a0]+/g, " ")
    .trim();
}

function tableText(table: XmlElement): string {
  const rows: Cell[][] = [];
  for (const row of elementsOf(table, "a:tr")) {
    const cells: Cell[] = [];
    for (const cell of elementsOf(row, "a:tc")) {
      // A cell that another covers stands there without text of its own.
      const covering =
        isOn(cell, "hMerge") && "hMerge" in cell.attributes
          ? cells.at(-1)
          : "vMerge" in cell.attributes
            ? rows.at(-1)?.[cells.length]
            : undefined;
      const text = cellText(descendantsOf(cell, "a:p").map(paragraphText).join(" "));
      cells.push({ text: covering?.text ?? text, columns: 1, rows: 1 });
    }
    rows.push(cells);
  }
  const lines = gridOf(rows);
  return lines.length === 0 ? "" : tableLines(lines);
}

function notesOf({ office, part }: Slide): string[] {
  const root = office.xml(office.related(part, "notesSlide"));
  const tree = childOf(root, "p:cSld", "p:spTree");
  const body = tree && leaves(tree).find((shape) => placeholderOf(shape) === "body");
  const text = childOf(body, "p:txBody");
  return text === undefined ? [] : [paragraphsText(text, false)];
}

/** Names by id, of comments of both kinds. */
function authorsOf(office: OfficePackage): ReadonlyMap<string, string> {
  const roots = ["commentAuthors", "authors"].map((type) => office.xml(office.related(office.main, type)));
  return new Map(
    roots.flatMap((root) =>
      root === undefined
        ? []
        : elementsOf(root).map(
            ({ attributes: { id = "", name = "", initials } }) => [id, initials ? `${name} (${initials})` : name] as const,
          ),
    ),
  );
}

function commentsOf({ office, part }: Slide, authors: ReadonlyMap<string, string>): string[] {
  const parts = [...office.relationships(part).values()].filter(({ type }) => type === "comments").map(({ target }) => target);
  return parts.flatMap((name) => {
    const root = office.xml(name);
    return root === undefined ? [] : comments(root, authors);
  });
}

/** Comments and the replies to them, in order. */
function comments(root: XmlElement, authors: ReadonlyMap<string, string>): string[] {
  return elementsOf(root).flatMap((comment) => {
    if (!/(^|:)(cm|reply)$/.test(comment.name)) return comments(comment, authors);
    const { authorId = "", dt, created } = comment.attributes;
    const body = elementsOf(comment).filter(({ name }) => /(^|:)(txBody|text)$/.test(name));
    return [
      commentLine({ author: authors.get(authorId) ?? "", time: created ?? dt, text: body.map(textOf).join(" ") }),
      ...elementsOf(comment).flatMap((part) => (/(^|:)replyLst$/.test(part.name) ? comments(part, authors) : [])),
    ];
  });
}
