// Where Markdown may be cut, and what stands above each place. Offsets into the text itself; knows nothing of passages.

/** 1-6: before a heading of that level. Then before a block, and before an item, row or code line within one. */
export type CutRank = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const BLOCK_RANK = 7;
export const LINE_RANK = 8;

export interface Cut {
  readonly offset: number;
  readonly rank: CutRank;
}

export interface Heading {
  readonly offset: number;
  readonly level: number;
  readonly title: string;
  /** The nearest heading before it of a stronger level. */
  readonly parent?: Heading;
}

/** Rows from `body` to `end` belong under `header`. */
export interface Table {
  readonly body: number;
  readonly end: number;
  readonly header: string;
}

export interface Outline {
  /** In order of offset, none at 0. There is no cut between a heading and what it heads. */
  readonly cuts: readonly Cut[];
  readonly headings: readonly Heading[];
  readonly tables: readonly Table[];
}

interface Line {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type BlockKind = "none" | "paragraph" | "list" | "table" | "code";

const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$/;
const SETEXT = /^ {0,3}(={2,}|-{2,})[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s+\S/;
const DELIMITER_ROW = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** The cuts, headings and tables of a Markdown text, by line: CommonMark's leaf blocks as far as cutting needs them. */
export function outline(text: string): Outline {
  return new Scanner(linesOf(text)).run();
}

class Scanner {
  readonly #lines: readonly Line[];
  readonly #cuts: Cut[] = [];
  readonly #headings: Heading[] = [];
  readonly #tables: Table[] = [];
  #block: BlockKind = "none";
  /** After a blank line a list may go on; any other block ends. */
  #blank = false;
  /** The last thing seen was a heading: what follows stays with it. */
  #headed = false;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  run(): Outline {
    for (let index = 0; index < this.#lines.length;) index = this.#step(index);
    return { cuts: this.#cuts, headings: this.#headings, tables: this.#tables };
  }

  /** Reads what begins at a line and returns the index of the line after it. */
  #step(index: number): number {
    const line = this.#lines[index]!;
    if (line.text.trim() === "") {
      this.#blank = true;
      return index + 1;
    }
    const atx = ATX.exec(line.text);
    if (atx !== null) return this.#heading(line, atx[1]!.length, atx[2] ?? "", index + 1);
    const under = this.#lines[index + 1]?.text ?? "";
    const setext = this.#block === "paragraph" && !this.#blank ? null : SETEXT.exec(under);
    if (setext !== null && !ITEM.test(line.text) && !line.text.includes("|")) {
      return this.#heading(line, setext[1]!.startsWith("=") ? 1 : 2, line.text.trim(), index + 2);
    }
    if (FENCE.test(line.text)) return this.#code(index);
    if (line.text.includes("|") && under.includes("-") && DELIMITER_ROW.test(under)) return this.#table(index);
    this.#prose(line);
    return index + 1;
  }

  #heading(line: Line, level: number, title: string, next: number): number {
    // A run of headings with nothing between them is one place, cut as strongly as its strongest heading asks.
    const last = this.#cuts.at(-1);
    if (!this.#headed) this.#cut(line.start, level as CutRank);
    else if (last !== undefined && last.rank > level) this.#cuts[this.#cuts.length - 1] = { offset: last.offset, rank: level as CutRank };
    let parent = this.#headings.at(-1);
    while (parent !== undefined && parent.level >= level) parent = parent.parent;
    this.#headings.push({ offset: line.start, level, title, ...(parent && { parent }) });
    this.#enter("none", true);
    return next;
  }

  #code(index: number): number {
    const first = this.#lines[index]!;
    const fence = FENCE.exec(first.text)![1]!;
    this.#cut(first.start, BLOCK_RANK);
    this.#enter("code");
    for (let next = index + 1; next < this.#lines.length; next++) {
      const line = this.#lines[next]!;
      if (line.text.trim().startsWith(fence) && line.text.trim().replaceAll(fence[0]!, "") === "") return next + 1;
      if (line.text.trim() !== "") this.#cut(line.start, LINE_RANK);
    }
    return this.#lines.length;
  }

  #table(index: number): number {
    const first = this.#lines[index]!;
    this.#cut(first.start, BLOCK_RANK);
    this.#enter("table");
    let next = index + 2;
    for (; this.#lines[next]?.text.includes("|"); next++) this.#cut(this.#lines[next]!.start, LINE_RANK);
    const header = first.text
      .split("|")
      .map((cell) => cell.trim())
      .filter((cell) => cell !== "");
    if (next > index + 2)
      this.#tables.push({ body: this.#lines[index + 2]!.start, end: this.#lines[next - 1]!.end, header: header.join(" | ") });
    return next;
  }

  /** A line of a paragraph or list: it opens one or goes on with it. */
  #prose(line: Line): void {
    const item = ITEM.test(line.text);
    const inList = this.#block === "list" && (!this.#blank || item || /^\s/.test(line.text));
    const inParagraph = this.#block === "paragraph" && !this.#blank;
    if (inList || (inParagraph && item)) {
      if (item) this.#cut(line.start, LINE_RANK);
      this.#enter("list");
    } else if (inParagraph) {
      this.#enter("paragraph");
    } else {
      this.#cut(line.start, BLOCK_RANK);
      this.#enter(item ? "list" : "paragraph");
    }
  }

  #cut(offset: number, rank: CutRank): void {
    if (offset > 0 && !(this.#headed && rank === BLOCK_RANK)) this.#cuts.push({ offset, rank });
  }

  #enter(block: BlockKind, headed = false): void {
    this.#block = block;
    this.#blank = false;
    this.#headed = headed;
  }
}

/** Lines without their ends; `\r\n` counts as an end, its `\r` trimmed from `text` but not from the offsets. */
function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start <= text.length;) {
    const found = text.indexOf("\n", start);
    const end = found === -1 ? text.length : found;
    lines.push({ start, end, text: text.slice(start, end).replace(/\r$/, "") });
    start = end + 1;
  }
  return lines;
}
