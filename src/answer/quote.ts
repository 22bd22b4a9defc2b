// An answer without a language model: the sentences of the passages that answer best. Knows nothing of prompts.
import { scoreSentences, type ScoreSentencesOptions } from "./sentence-scores.ts";

export interface QuoteOptions extends ScoreSentencesOptions {
  /** Sentences at most. */
  readonly most: number;
}

/** A further sentence is quoted where its score is at least this share of the best one's. */
const NEARLY = 0.8;

/** The best sentences, best first, each on one line without the marks of lists and tables. None where no passage has any. */
export async function quote({ most, ...options }: QuoteOptions): Promise<string[]> {
  const best = (await scoreSentences(options)).toSorted((a, b) => b.score - a.score);
  const lowest = NEARLY * (best[0]?.score ?? 0);
  const texts = best.filter(({ score }) => score >= lowest).map(({ text }) => withoutMarks(text));
  return [...new Set(texts)].slice(0, most);
}

const withoutMarks = (text: string): string =>
  text
    .replace(/^\s*(?:[-*+•>]|\d{1,3}[.)])\s+/u, "")
    .replace(/^\|\s*|\s*\|$/gu, "")
    .replace(/\s*\|\s*/gu, ", ")
    .replace(/\s+/gu, " ")
    .trim();
