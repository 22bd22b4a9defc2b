// Whether a passage supports a sentence of an answer: its words, numbers and names, and how near their embeddings are. Pure; asks no model.
import { sentences } from "../util/sentences.ts";
import { contentTerms } from "../util/terms.ts";
import { words } from "../util/words.ts";
import { citations, citationsInside, withoutCitations } from "./citation-f1.ts";

export interface SupportOptions {
  readonly sentence: string;
  /** What is cited: text with its title. */
  readonly passage: string;
  /** What a term counts. Default: all the same. See {@link rarity}. */
  readonly weight?: (term: string) => number;
  /** Cosine of the sentence's embedding and that of the nearest sentence of the passage, where there are embeddings. */
  readonly similarity?: number;
}

export interface Support {
  readonly supported: boolean;
  /** In [0, 1]: the share of the sentence's content words in two sentences of the passage; with a similarity, the mean of both. */
  readonly score: number;
  /** Numbers that those two sentences and names that the passage does not hold. One is enough for it not to be supported. */
  readonly missing: readonly string[];
}

/** The score from which on a sentence without missing numbers and names counts as supported. */
const SUPPORTED = 0.55;
/** Sentences of a passage that may support one together: words strewn over a whole passage say little (docs/log.md). */
const TOGETHER = 2;

/**
 * Entailment by recall: a sentence is supported where neighbouring sentences of the passage hold enough of its content words, rarer ones
 * counting more, and all of its numbers, and the passage all of its names. Stands where ALCE (Gao et al. 2023) asks a trained entailment
 * model; a judge may be asked beside it. A sentence without a content word is not supported.
 */
export function supportOf({ sentence, passage, weight = () => 1, similarity }: SupportOptions): Support {
  const plain = withoutCitations(sentence).replace(/^\d{1,3}[.)]\s+/u, "");
  const asked = [...new Set(contentTerms(plain))];
  const total = asked.reduce((sum, term) => sum + weight(term), 0);
  const best = nearestStretch(passage, { asked, numbers: [...numbersOf(plain)], weight });
  const held = new Set(contentTerms(passage));
  const missing = [...best.missing, ...namesOf(plain).filter((name) => contentTerms(name).some((term) => !held.has(term)))];
  const recall = total === 0 ? 0 : best.found / total;
  const score = similarity === undefined ? recall : (recall + Math.min(1, Math.max(0, similarity))) / 2;
  return { supported: missing.length === 0 && total > 0 && score >= SUPPORTED, score, missing };
}

interface Asked {
  readonly asked: readonly string[];
  readonly numbers: readonly string[];
  readonly weight: (term: string) => number;
}

interface Stretch {
  /** Weight of the terms asked for that it holds. */
  readonly found: number;
  /** Numbers asked for that it does not hold. */
  readonly missing: readonly string[];
}

/** The neighbouring sentences that hold the most of what is asked, those that lack fewer numbers before others. */
function nearestStretch(passage: string, { asked, numbers, weight }: Asked): Stretch {
  const read = sentences(passage).map(({ text }) => ({ terms: new Set(contentTerms(text)), numbers: numbersOf(text) }));
  return read.reduce<Stretch>(
    (best, _, first) => {
      const together = read.slice(first, first + TOGETHER);
      const found = asked.reduce((sum, term) => sum + (together.some(({ terms }) => terms.has(term)) ? weight(term) : 0), 0);
      const missing = numbers.filter((number) => !together.some((one) => one.numbers.has(number)));
      const order = best.missing.length - missing.length || found - best.found;
      return order > 0 ? { found, missing } : best;
    },
    { found: 0, missing: numbers },
  );
}

/** The weight of a term by how few of the texts hold it: ln(1 + texts / (1 + those that hold it)). */
export function rarity(texts: readonly string[]): (term: string) => number {
  const holding = new Map<string, number>();
  for (const text of texts) for (const term of new Set(contentTerms(text))) holding.set(term, (holding.get(term) ?? 0) + 1);
  return (term) => Math.log(1 + texts.length / (1 + (holding.get(term) ?? 0)));
}

export interface AnswerSentence {
  /** Without its citations. */
  readonly text: string;
  /** Numbers of passages, from 1, in the order written. */
  readonly cited: readonly number[];
}

/** An answer's sentences with what each cites; a citation behind the full stop belongs to the sentence before it. */
export function answerSentences(answer: string): AnswerSentence[] {
  return sentences(citationsInside(answer)).map(({ text }) => ({ text: withoutCitations(text), cited: citations(text) }));
}

/** `one` is left out: it is a pronoun as often as a number. */
const NUMBER_WORDS =
  "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(
    " ",
  );
const TENS = "thirty forty fifty sixty seventy eighty ninety hundred".split(" ");
const spelled = new Map<string, string>([
  ...NUMBER_WORDS.map((word, index) => [word, String(index + 2)] as const),
  ...TENS.map((word, index) => [word, String(10 * (index + 3))] as const),
]);

/** Numbers by value, in digits or in words: 1,200.50 is 1200.5 and two is 2. */
function numbersOf(text: string): Set<string> {
  const found = words(text).flatMap(
    (word) => spelled.get(word) ?? Array.from(word.matchAll(/\d+(?:[.,]\d+)*/g), ([digits]) => valueOf(digits)),
  );
  return new Set(found);
}

function valueOf(digits: string): string {
  const plain = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(digits) ? digits.replaceAll(",", "") : digits.replaceAll(",", ".");
  const value = Number(plain);
  return Number.isNaN(value) ? digits : String(value);
}

/**
 * Words with a capital letter that are no mere beginning of a sentence: within it, or with another capital behind the first letter.
 * Single letters are none.
 */
function namesOf(sentence: string): string[] {
  return Array.from(sentence.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]*\p{Lu}[\p{L}\p{M}\p{N}]*/gu))
    .filter(({ 0: word, index }) => word.length > 1 && (/.\p{Lu}/u.test(word) || !BEGINS.test(sentence.slice(0, index))))
    .map(([word]) => word);
}

/** What stands before a first word: nothing, the end of a sentence, an opening quote or bracket, the mark of a list. */
const BEGINS = /(?:^|[.!?:]["'”’)]*\s+|["'“‘(*#|-]\s*)$/u;
