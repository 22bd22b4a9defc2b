// Forms that a local metric of faithfulness could take: features of a sentence, what is made of them, and how sentences become an answer's score.
import { claimsOf } from "../../src/metric/grounding.ts";
import { supportOf } from "../../src/metric/support.ts";
import { sentences } from "../../src/util/sentences.ts";
import { contentTerms, stemmedTerms } from "../../src/util/terms.ts";
import { wordsHeld } from "../words-held.ts";
import type { Rated } from "./rated.ts";

export interface SentenceFeatures {
  /** In content words. */
  readonly length: number;
  /** Share of content words that the passages together hold. */
  readonly words: number;
  /** The same, rarer words counting more. */
  readonly rareWords: number;
  /** The same of the best single passage. */
  readonly onePassage: number;
  /** The same of the best sentence of a passage, rarer words counting more. */
  readonly oneSentence: number;
  /** Of two neighbouring sentences, as citations are judged. */
  readonly stretch: number;
  /** The same of all passages, with what was said in the conversation. */
  readonly withTalk: number;
  /** 1 where no number and no name is missing. */
  readonly exact: number;
  /** Share of pairs of neighbouring words, and of threes, that stand so in the passages. */
  readonly pairs: number;
  readonly threes: number;
  /** Cosine with the nearest sentence of the passages. */
  readonly near: number;
  /** 1 where supported as citations have to be. */
  readonly supported: number;
}

/** The embedding of a text that was embedded before. */
export type VectorOf = (text: string) => Float32Array;

export function featuresOf(
  { answer, passages, question, history }: Rated,
  weight: (term: string) => number,
  vectorOf: VectorOf,
): SentenceFeatures[] {
  const texts = passages.map(({ title, text }) => `${title}\n\n${text}`);
  const all = texts.join("\n\n");
  const talk = [all, ...history, question].join("\n\n");
  const runs = [2, 3].map((length) => new Set(texts.flatMap((text) => runsOf(stemmedTerms(text), length))));
  const sources = sourceSentences(passages);
  const vectors = sources.map(vectorOf);
  return claimsOf(answer).map(({ text: sentence }) => {
    const plain = supportOf({ sentence, passage: all });
    const shareOfRuns = (length: number, held: ReadonlySet<string>): number => {
      const own = runsOf(stemmedTerms(sentence), length);
      return own.length === 0 ? wordsHeld(sentence, all) : own.filter((run) => held.has(run)).length / own.length;
    };
    const vector = vectorOf(sentence);
    return {
      length: contentTerms(sentence).length,
      words: wordsHeld(sentence, all),
      rareWords: wordsHeld(sentence, all, weight),
      onePassage: Math.max(0, ...texts.map((passage) => wordsHeld(sentence, passage))),
      oneSentence: Math.max(0, ...sources.map((source) => wordsHeld(sentence, source, weight))),
      stretch: plain.score,
      withTalk: wordsHeld(sentence, talk),
      exact: Number(plain.missing.length === 0),
      pairs: shareOfRuns(2, runs[0]!),
      threes: shareOfRuns(3, runs[1]!),
      near: Math.max(0, ...vectors.map((other) => cosine(vector, other))),
      supported: Number(plain.supported),
    };
  });
}

/** What has to be embedded of an answer and its passages. */
export function textsOf({ answer, passages }: Rated): string[] {
  return [...claimsOf(answer).map(({ text }) => text), ...sourceSentences(passages)];
}

const sourceSentences = (passages: Rated["passages"]): string[] => passages.flatMap(({ text }) => sentences(text).map((one) => one.text));

const runsOf = (terms: readonly string[], length: number): string[] =>
  terms.slice(length - 1).map((_, at) => terms.slice(at, at + length).join(" "));

function cosine(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (const [at, value] of left.entries()) sum += value * right[at]!;
  return sum;
}

type OfSentence = (features: SentenceFeatures) => number;
type OfAnswer = (values: readonly number[], lengths: readonly number[]) => number;

const ofSentence: { readonly [form: string]: OfSentence } = {
  "supported, as citations are": ({ supported }) => supported,
  words: ({ words }) => words,
  "rare words": ({ rareWords }) => rareWords,
  "words in one passage": ({ onePassage }) => onePassage,
  "words in one sentence": ({ oneSentence }) => oneSentence,
  "words in two neighbouring sentences": ({ stretch }) => stretch,
  "words, conversation too": ({ withTalk }) => withTalk,
  "numbers and names": ({ exact }) => exact,
  pairs: ({ pairs }) => pairs,
  threes: ({ threes }) => threes,
  embedding: ({ near }) => near,
  "words and pairs": ({ words, pairs }) => (words + pairs) / 2,
  "words and embedding": ({ words, near }) => (words + near) / 2,
  "pairs and embedding": ({ pairs, near }) => (pairs + near) / 2,
  "words, pairs and embedding": ({ words, pairs, near }) => (words + pairs + near) / 3,
  "words, halved where one is missing": ({ words, exact }) => (words * (1 + exact)) / 2,
  "words and embedding, halved where one is missing": ({ words, near, exact }) => ((words + near) * (1 + exact)) / 4,
};
const thresholds = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const mean: OfAnswer = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const weighted: OfAnswer = (values, lengths) =>
  values.reduce((sum, value, at) => sum + value * lengths[at]!, 0) / lengths.reduce((sum, length) => sum + length, 0);
const lowest: OfAnswer = (values) => Math.min(...values);

export interface Form {
  readonly name: string;
  readonly score: (features: readonly SentenceFeatures[]) => number;
}

/** An answer that claims nothing can't be unfaithful. */
function form(name: string, sentence: OfSentence, answer: OfAnswer): Form {
  return {
    name,
    score: (features) =>
      features.length === 0
        ? 1
        : answer(
            features.map(sentence),
            features.map(({ length }) => length),
          ),
  };
}

export const forms: readonly Form[] = Object.entries(ofSentence).flatMap(([name, sentence]) => [
  form(`${name}, mean`, sentence, mean),
  form(`${name}, mean by length`, sentence, weighted),
  form(`${name}, lowest`, sentence, lowest),
  ...(name.startsWith("supported") || name.startsWith("numbers")
    ? []
    : thresholds.map((least) => form(`${name}, share from ${least}`, (features) => Number(sentence(features) >= least), mean))),
]);
