// A text with what every way of cutting it must know: its words, sentences and outline; and spans of it as passages.
import type { Document } from "../task.ts";
import { type Outline, outline } from "./outline.ts";

/** `text.slice(start, end)` of a document, and the headings (and table header) it stands under but does not hold. */
export interface Chunk extends Span {
  readonly context: readonly string[];
  /** What an index reads in place of the slice. */
  readonly summary?: string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Source {
  readonly text: string;
  readonly outline: Outline;
  /** Offset of every word's first character. */
  readonly words: Int32Array;
}

export function sourceOf(text: string): Source {
  return { text, outline: outline(text), words: wordStarts(text) };
}

/** Spans as passages: space at their ends goes, those of nothing else are left out. */
export function asChunks({ text, outline: found }: Source, spans: readonly Span[]): Chunk[] {
  return spans.flatMap((span) => trimmed(text, span)).map((span) => ({ ...span, context: contextAt(found, span.start) }));
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
export function indexText({ title, text }: Pick<Document, "title" | "text">, { start, end, context, summary }: Chunk): string {
  const slice = summary ?? text.slice(start, end);
  const opening = slice
    .slice(0, slice.search(/\n|$/))
    .replace(/^#+\s*/, "")
    .trim();
  const above = [...new Set([title, ...context])].filter((line) => line !== "" && line !== opening);
  return [...above, slice].join("\n");
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** First words of sentences after the first, by Unicode's rules (UAX 29); a line end alone ends no sentence. */
export function sentenceStarts({ text, words }: Source, { start, end }: Span): readonly number[] {
  const flat = text.slice(start, end).replace(/\r?\n(?!\s*\n)/g, (lineEnd) => " ".repeat(lineEnd.length));
  const sentences = Array.from(segmenter.segment(flat), ({ index }) => words[lowerBound(words, start + index, (offset) => offset)] ?? end);
  return [...new Set(sentences)].filter((offset) => offset > start && offset < end).slice(sentences[0] === start ? 0 : 1);
}

/** Every `limit`-th word, in parts of equal size. */
export function wordBoundaries(source: Source, span: Span, limit: number): readonly number[] {
  const first = lowerBound(source.words, span.start, (offset) => offset);
  const count = wordsIn(source, span);
  const size = Math.ceil(count / Math.ceil(count / limit));
  const offsets: number[] = [];
  for (let index = first + size; index < first + count; index += size) offsets.push(source.words[index]!);
  return offsets;
}

export function wordsIn({ words }: Source, { start, end }: Span): number {
  return lowerBound(words, end, (offset) => offset) - lowerBound(words, start, (offset) => offset);
}

export function cutAt(span: Span, offsets: readonly number[]): Span[] {
  const starts = [span.start, ...offsets];
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? span.end }));
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
export function lowerBound<T>(sorted: ArrayLike<T>, value: number, number: (element: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (number(sorted[middle]!) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
