// The levels above passages: documents and their sections, each known by a summary.
import type { Document } from "../task.ts";
import type { Chunk, Span } from "./chunk-source.ts";
import { outline } from "./outline.ts";
import { keySentences, type Summarise } from "./summary.ts";

/** From the top. */
export const levels = ["document", "section"] as const;
export type Level = (typeof levels)[number];

const SUMMARY_WORDS = 60;

/** Key sentences: the default. */
export const extractive: Summarise = async (text) => keySentences(text, SUMMARY_WORDS);

/** A document's units of a level, with what they are indexed by. */
export async function unitsOf(document: Document, level: Level, summarise: Summarise, signal?: AbortSignal): Promise<Chunk[]> {
  const units: Chunk[] = [];
  for (const { start, end, context } of spans[level](document.text)) {
    const text = document.text.slice(start, end);
    if (text.trim() !== "") units.push({ start, end, context, summary: await summarise(text, signal) });
  }
  return units;
}

type Unit = Span & { readonly context: readonly string[] };

const spans: { readonly [L in Level]: (text: string) => Unit[] } = {
  document: (text) => [{ start: 0, end: text.length, context: outline(text).headings.map(({ title }) => title) }],
  section: (text) => {
    const { headings } = outline(text);
    // From each heading to the next, whatever their levels: every place of a text is in one section.
    const starts = [...new Set([0, ...headings.map(({ offset }) => offset)])];
    return starts.map((start, index) => ({ start, end: starts[index + 1] ?? text.length, context: titlesAt(headings, start) }));
  },
};

/** The headings that a section's own stands under, from the top; its own is in its text. */
function titlesAt(headings: ReturnType<typeof outline>["headings"], start: number): string[] {
  const titles: string[] = [];
  let heading = headings.find(({ offset }) => offset === start)?.parent;
  for (; heading !== undefined; heading = heading.parent) titles.unshift(heading.title);
  return titles;
}
