// Whether a passage supports a sentence of an answer: its words, numbers and names, and how near their embeddings are. Pure; asks no model.
import { sentences } from "../util/sentences.ts";
import { contentTerms } from "../util/terms.ts";
import { words } from "../util/words.ts";
import { citations } from "./citation-f1.ts";

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
  /** In [0, 1]: the share of the sentence's content words that the passage holds; with a similarity, the mean of both. */
  readonly score: number;
  /** Numbers and names of the sentence that the passage does not hold. One is enough for it not to be supported. */
  readonly missing: readonly string[];
}

/**
 * The score from which on a sentence without missing numbers and names counts as supported: where the shares of supported sentences agree
 * best with people's ratings of answers (`bench -- faithfulness`).
 */
export const SUPPORTED = 0.6;

/**
 * Entailment by recall: a sentence is supported where the passage holds enough of its content words, rarer ones counting more, and all
 * of its numbers and names. Stands where ALCE (Gao et al. 2023) asks a trained entailment model; a judge may be asked beside it.
 * A sentence without a content word is not supported.
 */
export function supportOf({ sentence, passage, weight = () => 1, similarity }: SupportOptions): Support {
  const plain = withoutCitations(sentence);
  const held = new Set(termsByValue(passage));
  const asked = [...new Set(termsByValue(plain))];
  const total = asked.reduce((sum, term) => sum + weight(term), 0);
  const found = asked.reduce((sum, term) => sum + (held.has(term) ? weight(term) : 0), 0);
  const recall = total === 0 ? 0 : found / total;
  const numbers = numbersOf(passage);
  const missing = [
    ...Array.from(numbersOf(plain)).filter((number) => !numbers.has(number)),
    ...namesOf(plain).filter((name) => contentTerms(name).some((term) => !held.has(term))),
  ];
  const score = similarity === undefined ? recall : (recall + Math.min(1, Math.max(0, similarity))) / 2;
  return { supported: missing.length === 0 && total > 0 && score >= SUPPORTED, score, missing };
}

/** Content words, numbers by value: 1,200.50 is 1200.5. */
const termsByValue = (text: string): string[] => contentTerms(text).map((term) => (/^\d/.test(term) ? valueOf(term) : term));

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
  return sentences(answer.replaceAll(BEHIND, "$2$1 ")).map(({ text }) => ({ text: withoutCitations(text), cited: citations(text) }));
}

const MARK = String.raw`\[\d{1,3}(?:\s*,\s*\d{1,3})*\]`;
const MARKS = new RegExp(String.raw`\s*${MARK}`, "gu");
const BEHIND = new RegExp(String.raw`([.!?]["'”’)]?)((?:\s*${MARK})+)`, "gu");

const withoutCitations = (text: string): string => text.replaceAll(MARKS, "").trim();

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

/** Words written with a capital within a sentence, or with more than one: a first word alone may be any. */
function namesOf(sentence: string): string[] {
  return Array.from(sentence.matchAll(/\p{Lu}[\p{L}\p{M}\p{N}]*(?:['’-]\p{L}+)*/gu))
    .filter(
      ({ 0: word, index }) => /\p{Lu}.*\p{Lu}/u.test(word) || !/(?:^|[.!?:]["'”’)]*\s+|["'“‘(*#|-]\s*)$/u.test(sentence.slice(0, index)),
    )
    .map(([word]) => word);
}
