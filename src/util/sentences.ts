// A text as its sentences, with their places. Lines of lists, tables and headings are sentences of their own.

export interface Sentence {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** A line that is no running text: a heading, a row of a table, an item of a list. */
const BLOCK = /^\s*(?:#{1,6}\s|\||[-*+•]\s|\d{1,3}[.)]\s)/u;

/** Sentences by Unicode's rules (UAX 29), within paragraphs; `text` is the slice `start` to `end`, without space at its ends. */
export function sentences(text: string): Sentence[] {
  return blocks(text)
    .flatMap(({ start, end }) => {
      const flat = text.slice(start, end).replace(/\r?\n/g, (lineEnd) => " ".repeat(lineEnd.length));
      return Array.from(segmenter.segment(flat), ({ segment, index }) => trimmed(text, start + index, start + index + segment.length));
    })
    .filter((sentence) => sentence.text !== "");
}

/** Paragraphs, and lines that stand for themselves. */
function blocks(text: string): { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  let open = false;
  for (const { 0: line, index: start } of text.matchAll(/[^\n]+/g)) {
    const end = start + line.length;
    const alone = BLOCK.test(line);
    const follows = open && !alone && /^\r?\n$/.test(text.slice(found.at(-1)!.end, start));
    if (line.trim() === "") open = false;
    else {
      if (follows) found.at(-1)!.end = end;
      else found.push({ start, end });
      // What follows a list's item without an empty line still belongs to it; a row of a table and a heading end with their line.
      open = !/^\s*(?:#|\|)/.test(line);
    }
  }
  return found;
}

function trimmed(text: string, start: number, end: number): Sentence {
  const slice = text.slice(start, end);
  const from = start + slice.length - slice.trimStart().length;
  return { text: slice.trim(), start: from, end: from + slice.trim().length };
}
