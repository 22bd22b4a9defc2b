// The label a freely written answer means.
import { distance } from "fastest-levenshtein";

/** The label that is the answer, else the longest that stands in it as whole words, else the one fewest edits away. */
export function closestLabel(answer: string, labels: readonly string[]): string {
  const text = plain(answer);
  const ranked = labels.map((label) => ({ label, words: plain(label) }));
  const same = ranked.find(({ words }) => words === text);
  if (same !== undefined) return same.label;
  const within = ranked.filter(({ words }) => words !== "" && ` ${text} `.includes(` ${words} `));
  if (within.length > 0) return within.reduce((a, b) => (b.words.length > a.words.length ? b : a)).label;
  const [first, ...others] = ranked.map(({ label, words }) => ({ label, edits: distance(words, text) }));
  if (first === undefined) return answer;
  return others.reduce((a, b) => (b.edits < a.edits ? b : a), first).label;
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
