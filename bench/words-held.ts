// The plainest support there is, beside which others are measured.
import { contentTerms } from "../src/util/terms.ts";

/** The share of a sentence's content words that stand anywhere in a text, in [0, 1]. */
export function wordsHeld(sentence: string, text: string, weight: (term: string) => number = () => 1): number {
  const held = new Set(contentTerms(text));
  const asked = [...new Set(contentTerms(sentence))];
  const total = asked.reduce((sum, term) => sum + weight(term), 0);
  return total === 0 ? 0 : asked.reduce((sum, term) => sum + (held.has(term) ? weight(term) : 0), 0) / total;
}
