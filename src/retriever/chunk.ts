// A Markdown document as passages: slices of its text at most so many words long, cut where the structure allows.
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";
import { BLOCK_RANK, LINE_RANK, type Outline, outline } from "./outline.ts";

/** `text.slice(start, end)` of a document, and the headings (and table header) it stands under but does not hold. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly context: readonly string[];
}

export interface ChunkOptions {
  readonly words: number;
  readonly overlap: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Everything a recursion needs to know of the text. */
interface Source {
  readonly text: string;
  readonly outline: Outline;
  /** Offset of every word's first character. */
  readonly words: Int32Array;
}

const SENTENCE_RANK = LINE_RANK + 1;
const WORD_RANK = LINE_RANK + 2;

/**
 * Passages of a document in order, each of at most `words` words, together holding every word of it. Cut at the strongest
 * boundaries that make them small enough (headings, then blocks, items and rows, sentences, words); small neighbours under one
 * parent are joined. A passage that does not begin at a heading repeats up to `overlap` words of the one before.
 *
 * A word is a run of characters that are no space, or one Chinese character or hiragana.
 * @throws {UserError} unless words >= 1 and 0 <= overlap < words.
 */
export function chunkDocument({ text }: Pick<Document, "text">, { words, overlap }: ChunkOptions): Chunk[] {
  if (!(words >= 1)) throw new UserError(`chunk.words is ${words}. Set it to 1 or more; 200 suits most documents.`);
  if (!(overlap >= 0 && overlap < words))
    throw new UserError(`chunk.overlap is ${overlap}, chunk.words ${words}. Set overlap to at least 0 and less than words.`);
  const source: Source = { text, outline: outline(text), words: wordStarts(text) };
  const sections = divide(source, { start: 0, end: text.length }, { limit: words, rank: 1, last: BLOCK_RANK - 1 });
  const passages = sections.flatMap((section) =>
    wordsIn(source, section) <= words
      ? [section]
      : divide(source, section, { limit: words - overlap, rank: BLOCK_RANK, last: WORD_RANK }).map((part, index, parts) =>
          reach(source, part, parts[index - 1], overlap),
        ),
  );
  return passages.flatMap((span) => trimmed(text, span)).map((span) => ({ ...span, context: contextAt(source.outline, span.start) }));
}

const WORD = /[\p{sc=Han}\p{sc=Hiragana}]|[^\s\p{sc=Han}\p{sc=Hiragana}]+/gu;

/** Offset of every word's first character. */
export function wordStarts(text: string): Int32Array {
  return Int32Array.from(text.matchAll(WORD), ({ index }) => index);
}

/** How many words a text has, as chunk sizes and budgets count them. */
export function countWords(text: string): number {
  return wordStarts(text).length;
}

/**
 * What an index reads of a passage: the document's title, the headings above it, its text. One text of joined fields
 * stands for BM25F's weighted ones (Robertson, Zaragoza and Taylor 2004, with all weights 1).
 */
export function indexText({ title, text }: Pick<Document, "title" | "text">, { start, end, context }: Chunk): string {
  const slice = text.slice(start, end);
  const opening = slice
    .slice(0, slice.search(/\n|$/))
    .replace(/^#+\s*/, "")
    .trim();
  const above = [...new Set([title, ...context])].filter((line) => line !== "" && line !== opening);
  return [...above, slice].join("\n");
}

interface Division {
  readonly limit: number;
  readonly rank: number;
  /** No cuts weaker than this: what is still too long stays so. */
  readonly last: number;
}

function divide(source: Source, span: Span, { limit, rank, last }: Division): Span[] {
  if (rank > last || wordsIn(source, span) <= limit) return [span];
  const parts = cutAt(span, boundaries(source, span, rank, limit));
  if (parts.length === 1) return divide(source, span, { limit, rank: rank + 1, last });
  return joinSmall(source, parts, limit).flatMap((part) => divide(source, part, { limit, rank: rank + 1, last }));
}

function boundaries(source: Source, span: Span, rank: number, limit: number): readonly number[] {
  if (rank === SENTENCE_RANK) return sentenceStarts(source, span);
  if (rank === WORD_RANK) return wordBoundaries(source, span, limit);
  const { cuts } = source.outline;
  const offsets: number[] = [];
  for (let index = lowerBound(cuts, span.start + 1, (cut) => cut.offset); index < cuts.length && cuts[index]!.offset < span.end; index++) {
    if (cuts[index]!.rank <= rank) offsets.push(cuts[index]!.offset);
  }
  return offsets;
}

function cutAt(span: Span, offsets: readonly number[]): Span[] {
  const starts = [span.start, ...offsets];
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? span.end }));
}

/** Joins neighbours while they fit, aiming at parts of equal size, so that no crumb is left at the end. */
function joinSmall(source: Source, parts: readonly Span[], limit: number): Span[] {
  const joined: Span[] = [];
  let remaining = parts.reduce((sum, part) => sum + wordsIn(source, part), 0);
  let current: Span | undefined;
  const close = (): void => {
    if (current === undefined) return;
    remaining -= wordsIn(source, current);
    joined.push(current);
    current = undefined;
  };
  for (const part of parts) {
    if (current !== undefined && !belongs(source, current, part, { limit, remaining })) close();
    current = { start: (current ?? part).start, end: part.end };
  }
  close();
  return joined;
}

function belongs(source: Source, current: Span, part: Span, { limit, remaining }: { limit: number; remaining: number }): boolean {
  const now = wordsIn(source, current);
  const together = now + wordsIn(source, part);
  if (together > limit) return false;
  const target = remaining / Math.ceil(remaining / limit);
  return together <= target || together - target <= target - now;
}

/** Moves a part's start back into the part before by up to `overlap` words, never all of it: to a sentence's start where one lies there. */
function reach(source: Source, part: Span, previous: Span | undefined, overlap: number): Span {
  if (overlap === 0 || previous === undefined) return part;
  const first = lowerBound(source.words, part.start, (offset) => offset);
  const second = lowerBound(source.words, previous.start, (offset) => offset) + 1;
  const earliest = source.words[Math.max(second, first - overlap)] ?? part.start;
  if (earliest >= part.start) return part;
  const before = { start: earliest, end: part.start };
  const inner = [...boundaries(source, before, LINE_RANK, overlap), ...sentenceStarts(source, before)];
  const start = inner.length === 0 ? earliest : Math.min(...inner);
  return { start, end: part.end };
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** First words of sentences after the first, by Unicode's rules (UAX 29); a line end alone ends no sentence. */
function sentenceStarts({ text, words }: Source, { start, end }: Span): readonly number[] {
  const flat = text.slice(start, end).replace(/\r?\n(?!\s*\n)/g, (lineEnd) => " ".repeat(lineEnd.length));
  const sentences = Array.from(segmenter.segment(flat), ({ index }) => words[lowerBound(words, start + index, (offset) => offset)] ?? end);
  return [...new Set(sentences)].filter((offset) => offset > start && offset < end).slice(sentences[0] === start ? 0 : 1);
}

/** Every `limit`-th word, in parts of equal size. */
function wordBoundaries(source: Source, span: Span, limit: number): readonly number[] {
  const first = lowerBound(source.words, span.start, (offset) => offset);
  const count = wordsIn(source, span);
  const size = Math.ceil(count / Math.ceil(count / limit));
  const offsets: number[] = [];
  for (let index = first + size; index < first + count; index += size) offsets.push(source.words[index]!);
  return offsets;
}

function wordsIn({ words }: Source, { start, end }: Span): number {
  return lowerBound(words, end, (offset) => offset) - lowerBound(words, start, (offset) => offset);
}

function trimmed(text: string, { start, end }: Span): Span[] {
  const slice = text.slice(start, end);
  const from = start + slice.length - slice.trimStart().length;
  const to = from + slice.trim().length;
  return from < to ? [{ start: from, end: to }] : [];
}

function contextAt({ headings, tables }: Outline, offset: number): string[] {
  const last = headings[lowerBound(headings, offset + 1, (heading) => heading.offset) - 1];
  const path: string[] = [];
  // A heading at the offset itself is in the passage: only what stands above it is context.
  for (let heading = last?.offset === offset ? last.parent : last; heading !== undefined; heading = heading.parent)
    path.unshift(heading.title);
  const table = tables.find(({ body, end }) => offset >= body && offset < end);
  return [...path, ...(table === undefined ? [] : [table.header])].filter((line) => line !== "");
}

/** Index of the first element whose number is at least `value`. */
function lowerBound<T>(sorted: ArrayLike<T>, value: number, number: (element: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (number(sorted[middle]!) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
