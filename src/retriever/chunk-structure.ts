// Cuts Markdown where its structure allows: headings first, then blocks, items and rows, sentences, words.
import { cutAt, lowerBound, sentenceStarts, type Source, type Span, wordBoundaries, wordsIn } from "./chunk-source.ts";
import { BLOCK_RANK, LINE_RANK } from "./outline.ts";

const SENTENCE_RANK = LINE_RANK + 1;
const WORD_RANK = LINE_RANK + 2;

export interface SpanSizes {
  /** At most. */
  readonly words: number;
  /** Words of the span before that one may repeat. */
  readonly overlap: number;
}

/**
 * Spans cut at the strongest boundaries that make them small enough; small neighbours under one parent are joined. One that does not
 * begin at a heading repeats up to `overlap` words of the one before.
 */
export function structuralSpans(source: Source, { words, overlap }: SpanSizes): Span[] {
  const whole = { start: 0, end: source.text.length };
  const sections = divide(source, whole, { limit: words, rank: 1, last: BLOCK_RANK - 1 });
  return sections.flatMap((section) =>
    wordsIn(source, section) <= words
      ? [section]
      : divide(source, section, { limit: words - overlap, rank: BLOCK_RANK, last: WORD_RANK }).map((part, index, parts) =>
          reach(source, part, parts[index - 1], overlap),
        ),
  );
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
