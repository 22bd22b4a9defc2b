// What an answer cites, checked sentence by sentence: citations that the passages do not bear out go, and sentences that cite nothing
// are given the passage that supports them. Knows nothing of how the answer was written.
import type { Passage } from "../evaluation.ts";
import { citations, citationsInside, withoutCitations } from "../metric/citation-f1.ts";
import { rarity, type Support, supportOf } from "../metric/support.ts";
import { innerProduct } from "../retriever/similarity.ts";
import { sentences } from "../util/sentences.ts";

export interface CitedSentence {
  /** Without citations. */
  readonly text: string;
  /** Numbers of passages, from 1, each of which supports it, or all of which do together. */
  readonly citations: readonly number[];
}

export interface CitedAnswer {
  /** The answer with its citations as they held: `... for a Skiff [1][3].` */
  readonly output: string;
  readonly sentences: readonly CitedSentence[];
  /** `given`: those the model wrote itself; `dropped`: those of them that did not hold. */
  readonly citations: { readonly given: number; readonly dropped: number };
}

/** Whether a passage supports a sentence, by something that reads both. */
export type SupportJudge = (sentence: string, passage: Passage, signal?: AbortSignal) => Promise<boolean>;

export interface CiteOptions {
  readonly output: string;
  /** As the model was shown them: `[1]` is the first. */
  readonly passages: readonly Passage[];
  /** Unit vectors of texts: what is said in other words is known by them. */
  readonly embed?: (text: string, signal?: AbortSignal) => Promise<Float32Array>;
  /** Asked where words, numbers and names leave it open; else these decide. */
  readonly judge?: SupportJudge;
  readonly signal?: AbortSignal;
}

/**
 * Checks an answer's citations, and gives sentences without any that holds the passage that supports them best (post-hoc attribution: Gao
 * et al. 2023, "RARR"; Bohnet et al. 2022). A sentence that nothing supports cites nothing.
 */
export async function cite(options: CiteOptions): Promise<CitedAnswer> {
  const inside = citationsInside(options.output.trim());
  const check = checker(options);
  const cited: CitedSentence[] = [];
  const counts = { given: 0, dropped: 0 };
  let [output, at] = ["", 0];
  for (const { text: written, start, end } of sentences(inside)) {
    const text = withoutCitations(written);
    const given = citations(written);
    const kept = await held(given, text, check);
    counts.given += given.length;
    counts.dropped += given.length - kept.length;
    const numbers = kept.length > 0 ? kept : await attributed(text, check);
    if (text !== "") cited.push({ text, citations: numbers });
    output += inside.slice(at, start) + withCitations(text, numbers);
    at = end;
  }
  return { output, sentences: cited, citations: counts };
}

interface Checker {
  readonly passages: number;
  /** By the passages of these numbers together. */
  readonly check: (text: string, numbers: readonly number[]) => Promise<Support>;
}

/** Those of the citations given that support the sentence by themselves; else all, where they do together. */
async function held(given: readonly number[], text: string, { check, passages }: Checker): Promise<readonly number[]> {
  const there = given.filter((number) => number >= 1 && number <= passages);
  const alone: number[] = [];
  for (const number of there) if ((await check(text, [number])).supported) alone.push(number);
  if (alone.length > 0 || there.length < 2) return alone;
  return (await check(text, there)).supported ? there : [];
}

async function attributed(text: string, { check, passages }: Checker): Promise<readonly number[]> {
  const found: { number: number; support: Support }[] = [];
  for (let number = 1; number <= passages; number++) found.push({ number, support: await check(text, [number]) });
  found.sort((a, b) => Number(b.support.supported) - Number(a.support.supported) || b.support.score - a.support.score);
  const [best] = found;
  return best?.support.supported === true ? [best.number] : [];
}

function checker({ passages, embed, judge, signal }: CiteOptions): Checker {
  const weight = rarity(passages.map(({ text }) => text));
  const check: Checker["check"] = async (sentence, numbers) => {
    const shown = numbers.map((number) => passages[number - 1]!);
    const passage = shown.map(({ title, text }) => `${title}\n${text}`).join("\n");
    const words = supportOf({ sentence, passage, weight });
    if (words.missing.length > 0 || words.score === 0) return words;
    if (judge !== undefined) return { ...words, supported: await some(shown, (one) => judge(sentence, one, signal)) };
    if (embed === undefined || words.score >= 1 || words.score <= LEAST) return words;
    return supportOf({ sentence, passage, weight, similarity: await nearest(sentence, passage, embed, signal) });
  };
  return { passages: passages.length, check };
}

/** A share of words below which embeddings are not asked: near in meaning is not yet said. */
const LEAST = 0.2;

async function some<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await holds(item)) return true;
  return false;
}

/** The cosine of a sentence and that of the passage's sentences which is nearest. */
async function nearest(
  sentence: string,
  passage: string,
  embed: NonNullable<CiteOptions["embed"]>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const own = await embed(sentence, signal);
  let best = 0;
  for (const { text } of sentences(passage)) best = Math.max(best, innerProduct(own, await embed(text, signal)));
  return best;
}

/** `... for a Skiff [1].` */
function withCitations(text: string, numbers: readonly number[]): string {
  if (numbers.length === 0) return text;
  const [end = ""] = /[.!?]?["'”’)]*$/u.exec(text) ?? [];
  return `${text.slice(0, text.length - end.length)} ${numbers.map((number) => `[${number}]`).join("")}${end}`;
}
