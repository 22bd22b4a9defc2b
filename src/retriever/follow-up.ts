// A follow-up as a query that stands by itself, without a model: what it leaves unsaid is taken from earlier turns.
import { contentTerms } from "../util/terms.ts";
import type { Turn } from "../util/transcript.ts";

/** Words that stand for something said before. */
const REFERS =
  /\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|that|this|these|those|there|one|ones|same|both|such|other|others|else|another|then)\b/iu;
/** Content words below which a question is no whole one. */
const FEW = 4;
/** Turns of the user before the last that are looked back on. */
const BACK = 2;

/**
 * The last question, with the questions before it in front where it refers to something said before, or is too short to stand alone.
 * Each of the earlier words counts in search: what was asked of before is what a follow-up is about.
 */
export function carriedOver(turns: readonly Turn[]): string {
  const last = turns.at(-1)?.content ?? "";
  if (!REFERS.test(last) && contentTerms(last).length >= FEW) return last;
  const earlier = turns
    .slice(0, -1)
    .filter(({ role }) => role === "user")
    .slice(-BACK);
  return [...earlier.map(({ content }) => content), last].join(" ");
}
