// Which of the passages found go into a prompt, and in which order.
import type { Passage } from "../evaluation.ts";
import { placesWithin } from "../task.ts";
import { countWords, wordStarts } from "./chunk-source.ts";

export interface FitOptions {
  /** Tokens of passages, together, as `count` counts them. */
  readonly budget: number;
  /** Tokens of a text. Default: its words. */
  readonly count?: (text: string) => number;
  /** best-last puts the best passage next to the question. */
  readonly order: "best-first" | "best-last";
}

/**
 * The passages that fit, taken in the order given (best first). What a better passage already shows is not shown again: a passage
 * that overlaps one is cut to what is new, one wholly within it is dropped. One that is too long for what is left of the budget is
 * passed over for a shorter one; the first is cut short instead, so that there is never nothing. Offsets stay exact.
 */
export function fitPassages(passages: readonly Passage[], { budget, order, count = countWords }: FitOptions): Passage[] {
  const fitted: Passage[] = [];
  let left = budget;
  for (const passage of passages) {
    const fresh = newPart(passage, fitted);
    if (fresh === undefined) continue;
    const size = count(fresh.text);
    if (size <= left) fitted.push(fresh);
    else if (fitted.length > 0) continue;
    else fitted.push(...shortened(fresh, left, count));
    left -= Math.min(size, left);
  }
  return order === "best-last" ? fitted.reverse() : fitted;
}

/** The longest stretch of a passage that no passage of `shown` holds. */
function newPart(passage: Passage, shown: readonly Passage[]): Passage | undefined {
  let stretches: Stretch[] = [passage];
  for (const other of shown) if (other.document === passage.document) stretches = stretches.flatMap((stretch) => without(stretch, other));
  const [longest] = stretches.toSorted((a, b) => b.end - b.start - (a.end - a.start));
  return longest === undefined ? undefined : slice(passage, longest.start, longest.end);
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

function without({ start, end }: Stretch, other: Stretch): Stretch[] {
  if (other.end <= start || other.start >= end) return [{ start, end }];
  return [
    { start, end: other.start },
    { start: other.end, end },
  ].filter((rest) => rest.start < rest.end);
}

/** A passage's first words, as many as fit; none where not one does. */
function shortened(passage: Passage, budget: number, count: (text: string) => number): Passage[] {
  const starts = wordStarts(passage.text);
  const upTo = (words: number): Passage | undefined =>
    slice(passage, passage.start, passage.start + (starts[words] ?? passage.text.length));
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (count(upTo(middle)?.text ?? "") <= budget) low = middle;
    else high = middle - 1;
  }
  const fitting = low === 0 ? undefined : upTo(low);
  return fitting === undefined ? [] : [fitting];
}

/** A passage cut to [start, end), space at its ends left out; none when nothing else is left. */
function slice(passage: Passage, start: number, end: number): Passage | undefined {
  if (start === passage.start && end === passage.end) return passage;
  const piece = passage.text.slice(start - passage.start, end - passage.start);
  const from = start + piece.length - piece.trimStart().length;
  const text = piece.trim();
  if (text === "") return undefined;
  const to = from + text.length;
  return { ...passage, start: from, end: to, text, ...(passage.pages && { pages: placesWithin(passage.pages, from, to) }) };
}
