// What of the passages goes into a prompt: those of their sentences that match the question. No model needed.
import type { Passage } from "../evaluation.ts";
import { type ScoredSentence, scoreSentences } from "./sentence-scores.ts";

export interface CompressOptions {
  readonly question: string;
  /** Best first. */
  readonly passages: readonly Passage[];
  /** Tokens of sentences, together. */
  readonly tokens: number;
  readonly count: (text: string) => number;
}

export interface Compressed {
  /** The passages of which anything is kept, in the order given. */
  readonly passages: readonly Passage[];
  /** What is kept of each. */
  readonly texts: readonly string[];
}

/**
 * The sentences that match the question best, as many as fit, in the order of their passages (extractive compression: Xu et al. 2024,
 * "RECOMP", with words in the place of a trained selector). What was left out between two is marked.
 */
export async function compress({ question, passages, tokens, count }: CompressOptions): Promise<Compressed> {
  const best = (await scoreSentences({ question, passages })).toSorted((a, b) => b.score - a.score);
  const kept: ScoredSentence[] = [];
  let left = tokens;
  for (const sentence of best) {
    const size = count(sentence.text);
    if (size > left) continue;
    kept.push(sentence);
    left -= size;
  }
  const ofPassage = passages.flatMap((passage, index) => {
    const own = kept.filter((one) => one.passage === index).toSorted((a, b) => a.start - b.start);
    return own.length === 0 ? [] : [{ passage, text: joined(passage.text, own) }];
  });
  return { passages: ofPassage.map(({ passage }) => passage), texts: ofPassage.map(({ text }) => text) };
}

function joined(text: string, sentences: readonly ScoredSentence[]): string {
  return sentences.reduce((written, sentence, index) => {
    const before = sentences[index - 1];
    if (before === undefined) return sentence.text;
    const between = text.slice(before.start + before.text.length, sentence.start);
    return `${written}${between.trim() === "" ? between : " ... "}${sentence.text}`;
  }, "");
}
