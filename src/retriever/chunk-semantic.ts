// Cuts text where its subject changes, by the embeddings of neighbouring sentences. Knows nothing of headings.
import { cutAt, type Source, type Span, wordsIn } from "./chunk-source.ts";
import { sentencesOf } from "./chunk-windows.ts";

export type Embed = (texts: readonly string[], signal?: AbortSignal) => Promise<readonly Float32Array[]>;

export interface SemanticOptions {
  /** Of a span, at most. */
  readonly words: number;
  readonly embed: Embed;
  readonly signal?: AbortSignal | undefined;
}

/** Sentences on either side of a boundary that are compared. */
const BLOCK = 2;
/** Boundaries whose sides differ more than this share of all do are cuts. */
const CUT_ABOVE = 0.95;

/**
 * Spans between sentences whose surroundings are least alike: the two sentences before each boundary are compared with the two after,
 * by the cosine of their summed embeddings. The highest twentieth of distances are cuts, and what is still too long is cut at its own
 * largest distance, again and again. (Blocks and boundaries as in TextTiling, Hearst 1997; embeddings and the share as in Kamradt 2023,
 * "5 levels of text splitting".)
 */
export async function semanticSpans(source: Source, { words, embed, signal }: SemanticOptions): Promise<Span[]> {
  const sentences = sentencesOf(source, words).filter((sentence) => wordsIn(source, sentence) > 0);
  if (sentences.length === 0) return [];
  const vectors = await embed(
    sentences.map(({ start, end }) => source.text.slice(start, end).trim()),
    signal,
  );
  const cuts = sentences.slice(1).map(({ start }, index) => ({
    start,
    distance: 1 - cosine(sum(vectors.slice(Math.max(0, index + 1 - BLOCK), index + 1)), sum(vectors.slice(index + 1, index + 1 + BLOCK))),
  }));
  const sorted = cuts.map(({ distance }) => distance).sort((a, b) => a - b);
  const threshold = sorted[Math.floor(CUT_ABOVE * (sorted.length - 1))] ?? 0;
  const whole: Span = { start: sentences[0]!.start, end: sentences.at(-1)!.end };
  const strong = cuts.filter(({ distance }) => distance > threshold).map(({ start }) => start);
  return cutAt(whole, strong).flatMap((span) => divide(source, span, cuts, words));
}

interface Boundary {
  readonly start: number;
  readonly distance: number;
}

function divide(source: Source, span: Span, cuts: readonly Boundary[], words: number): Span[] {
  if (wordsIn(source, span) <= words) return [span];
  const inside = cuts.filter(({ start }) => start > span.start && start < span.end);
  const widest = inside.reduce((best, cut) => (cut.distance > best.distance ? cut : best));
  return cutAt(span, [widest.start]).flatMap((part) => divide(source, part, inside, words));
}

function sum(vectors: readonly Float32Array[]): Float32Array {
  return vectors.reduce((total, vector) => total.map((value, index) => value + vector[index]!));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = a.reduce((total, value, index) => total + value * b[index]!, 0);
  const lengths = Math.hypot(...a) * Math.hypot(...b);
  return lengths === 0 ? 0 : product / lengths;
}
