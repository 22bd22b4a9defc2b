// How an answer stands on passages: what it claims, what it cites, what was expected and what was asked. Knows not how support is found.
import type { Passage } from "../evaluation.ts";
import { sentences } from "../util/sentences.ts";
import { contentTerms } from "../util/terms.ts";
import { type AnswerSentence, answerSentences } from "./support.ts";

export type Shown = Pick<Passage, "title" | "text">;

/** How far passages together support a sentence, in [0, 1]. */
export type SupportOf = (sentence: string, passages: readonly Shown[]) => number;

/** Whether passages together support a sentence. */
export type Supports = (sentence: string, passages: readonly Shown[]) => boolean;

/** A count out of a count. */
export type Share = readonly [part: number, whole: number];

/** The sentences of an answer that say something: "Yes." alone does not. */
export function claimsOf(answer: string): AnswerSentence[] {
  return answerSentences(answer).filter(({ text }) => contentTerms(text).length > 0);
}

/**
 * How far the passages support the claims, longer ones counting more, by their content words: faithfulness of Ragas (Es et al. 2023, section 3)
 * with sentences as statements. Degrees and lengths agree better with people than a count of supported sentences (`bench -- faithfulness`).
 */
export function faithful(answer: string, passages: readonly Shown[], supportOf: SupportOf): Share {
  const claims = claimsOf(answer).map(({ text }) => ({ support: supportOf(text, passages), length: contentTerms(text).length }));
  return [claims.reduce((sum, { support, length }) => sum + support * length, 0), claims.reduce((sum, { length }) => sum + length, 0)];
}

/** Claims whose cited passages together support them, of all claims: citation recall of ALCE (Gao et al. 2023, section 3.3). */
export function citedClaims(answer: string, passages: readonly Shown[], supports: Supports): Share {
  const claims = claimsOf(answer);
  return [claims.filter((claim) => supportedByCited(claim, passages, supports)).length, claims.length];
}

/**
 * Citations that are needed, of all citations: citation precision of ALCE. One is where what its sentence cites supports the sentence, and
 * it does so alone, or the others do not without it.
 */
export function preciseCitations(answer: string, passages: readonly Shown[], supports: Supports): Share {
  let [precise, all] = [0, 0];
  for (const sentence of answerSentences(answer)) {
    all += sentence.cited.length;
    if (!supportedByCited(sentence, passages, supports)) continue;
    precise += sentence.cited.filter((one) => {
      const others = sentence.cited.filter((other) => other !== one);
      return supports(sentence.text, namedBy([one], passages)) || !supports(sentence.text, namedBy(others, passages));
    }).length;
  }
  return [precise, all];
}

function supportedByCited({ text, cited }: AnswerSentence, passages: readonly Shown[], supports: Supports): boolean {
  const named = namedBy(cited, passages);
  return named.length > 0 && supports(text, named);
}

const namedBy = (numbers: readonly number[], passages: readonly Shown[]): Shown[] =>
  numbers.flatMap((number) => passages[number - 1] ?? []);

/** The mean precision at the ranks of useful passages (context precision of Ragas); 0 where none is useful. */
export function meanPrecision(useful: readonly boolean[]): number {
  let [found, sum] = [0, 0];
  for (const [index, one] of useful.entries()) if (one) sum += ++found / (index + 1);
  return found === 0 ? 0 : sum / found;
}

/**
 * The share of the question's content words in the answer and in the sentence of the passages that shares most with it: what stands beside an
 * answer says what it answers. In the place of the questions that Ragas has a model write from the answer (Es et al. 2023).
 */
export function questionHeld(question: string, answer: string, passages: readonly Shown[]): number {
  const asked = new Set(contentTerms(question));
  const said = new Set(contentTerms(answer));
  const [source] = passages
    .flatMap(({ title, text }) => sentences(text).map((sentence) => new Set(contentTerms(`${title} ${sentence.text}`))))
    .map((terms) => ({ terms, shared: sharedOf(said, terms) + sharedOf(asked, terms) / (1 + asked.size) }))
    .toSorted((a, b) => b.shared - a.shared);
  const held = new Set([...said, ...(source !== undefined && sharedOf(said, source.terms) > 0 ? source.terms : [])]);
  return asked.size === 0 ? 0 : sharedOf(asked, held) / asked.size;
}

const sharedOf = (some: ReadonlySet<string>, others: ReadonlySet<string>): number =>
  Array.from(some).filter((term) => others.has(term)).length;
