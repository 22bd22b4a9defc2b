// Cuts text into windows that slide over it: of whole sentences, or of a fixed number of words. Knows nothing of headings.
import { cutAt, sentenceStarts, type Source, type Span, wordBoundaries, wordsIn } from "./chunk-source.ts";
import type { SpanSizes } from "./chunk-structure.ts";

/** As many whole sentences as fit; the next window begins with those last ones that `overlap` has room for. */
export function sentenceWindows(source: Source, { words, overlap }: SpanSizes): Span[] {
  const sentences = sentencesOf(source, words);
  const sizes = sentences.map((sentence) => wordsIn(source, sentence));
  const windows: Span[] = [];
  for (let first = 0; first < sentences.length;) {
    let [next, size] = [first, 0];
    while (next < sentences.length && size + sizes[next]! <= words) size += sizes[next++]!;
    windows.push({ start: sentences[first]!.start, end: sentences[next - 1]!.end });
    if (next === sentences.length) break;
    let [begin, repeated] = [next, 0];
    while (begin - 1 > first && repeated + sizes[begin - 1]! <= overlap && repeated + sizes[begin - 1]! + sizes[next]! <= words)
      repeated += sizes[--begin]!;
    first = begin;
  }
  return windows;
}

/** Every sentence of a text, those too long cut between words. */
export function sentencesOf(source: Source, words: number): Span[] {
  const whole = { start: 0, end: source.text.length };
  return cutAt(whole, sentenceStarts(source, whole)).flatMap((sentence) =>
    wordsIn(source, sentence) <= words ? [sentence] : cutAt(sentence, wordBoundaries(source, sentence, words)),
  );
}

/** `words` words each, beginning `words - overlap` words after the one before. */
export function fixedWindows({ text, words: starts }: Source, { words, overlap }: SpanSizes): Span[] {
  const windows: Span[] = [];
  for (let first = 0; first < starts.length; first += words - overlap) {
    windows.push({ start: starts[first]!, end: starts[first + words] ?? text.length });
    if (first + words >= starts.length) break;
  }
  return windows;
}
