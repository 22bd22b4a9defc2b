// What a passage is part of: its section, its document. Knows nothing of how it was found.
import type { Span } from "./chunk-source.ts";
import { outline } from "./outline.ts";

/** What a search returns for a passage it found. */
export const units = ["passage", "section", "document"] as const;
export type Unit = (typeof units)[number];

/** The unit of a text that a span stands in, without the space at its ends. */
export function unitAround(text: string, span: Span, unit: Unit): Span {
  return trimmed(text, spans[unit](text, span));
}

const spans: { readonly [U in Unit]: (text: string, span: Span) => Span } = {
  passage: (_, span) => span,
  section: (text, span) => sectionAround(text, span),
  document: (text) => ({ start: 0, end: text.length }),
};

/**
 * From the last heading at or before a span's start to the next heading that is as strong; wider where the span reaches beyond. What
 * stands before the first heading is a section of its own.
 */
function sectionAround(text: string, { start, end }: Span): Span {
  const { headings } = outline(text);
  const last = headings.findLast(({ offset }) => offset <= start);
  const next = headings.find(({ offset, level }) => offset >= end && level <= (last?.level ?? Number.POSITIVE_INFINITY));
  return { start: last?.offset ?? 0, end: next?.offset ?? text.length };
}

function trimmed(text: string, { start, end }: Span): Span {
  const slice = text.slice(start, end);
  const from = start + slice.length - slice.trimStart().length;
  return { start: from, end: from + slice.trim().length };
}
