// The sentences that best stand for a text: what the upper levels of an index are searched by. No model needed.
import { cutAt, sentenceStarts, sourceOf, type Span, wordsIn } from "./chunk-source.ts";
import { stemmedTerms } from "../util/terms.ts";

/** A text as a shorter one. */
export type Summarise = (text: string, signal?: AbortSignal) => Promise<string>;

/**
 * Sentences of a text of at most `words` words together, in its order. Each next one is that with the highest mean probability of its
 * terms; the probabilities of what it said are then squared, so that the next says something else (SumBasic: Nenkova and Vanderwende 2005).
 */
export function keySentences(text: string, words: number): string {
  const source = sourceOf(text);
  const whole: Span = { start: 0, end: text.length };
  if (wordsIn(source, whole) <= words) return text.trim();
  const sentences = cutAt(whole, sentenceStarts(source, whole)).map((span) => ({
    span,
    words: wordsIn(source, span),
    terms: stemmedTerms(text.slice(span.start, span.end)),
  }));
  const probabilities = shares(sentences.flatMap(({ terms }) => terms));
  const meanOf = (terms: readonly string[]): number =>
    terms.length === 0 ? 0 : terms.reduce((sum, term) => sum + probabilities.get(term)!, 0) / terms.length;
  const chosen: Span[] = [];
  for (let left = words, fitting = sentences; ;) {
    fitting = fitting.filter((sentence) => sentence.words <= left && !chosen.includes(sentence.span));
    const next = fitting.toSorted((a, b) => meanOf(b.terms) - meanOf(a.terms))[0];
    if (next === undefined || meanOf(next.terms) === 0) break;
    chosen.push(next.span);
    left -= next.words;
    for (const term of new Set(next.terms)) probabilities.set(term, probabilities.get(term)! ** 2);
  }
  return chosen
    .sort((a, b) => a.start - b.start)
    .map(({ start, end }) => text.slice(start, end).trim())
    .join(" ");
}

function shares(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1 / terms.length);
  return counts;
}
