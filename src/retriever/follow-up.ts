// A follow-up made to stand by itself without a model: the questions before it are searched for with it.
import type { Turn } from "../util/transcript.ts";
import type { Rewritten } from "./query-work.ts";

export interface FollowUp {
  /** The questions together, for whoever reads: a judge, people. */
  readonly query: string;
  /** What is searched for. */
  readonly rewritten: Rewritten;
}

/** Questions before the last that it may refer to. */
const BACK = 2;
/** How many times the words of the last question count beside those of one before. */
const TIMES = 3;

/**
 * The last question with the two before it: its own words count three times, and what is embedded is the mean of it alone and of all
 * three together. Chosen on mtrag among 1 to 8 questions back, always or only behind pronouns and short questions (docs/log.md).
 */
export function followUp(turns: readonly Turn[]): FollowUp {
  const questions = turns.flatMap(({ role, content }) => (role === "user" ? [content] : []));
  const last = questions.at(-1) ?? "";
  const earlier = questions.slice(-1 - BACK, -1);
  const query = [...earlier, last].join(" ");
  return { query, rewritten: { text: [...earlier, ...Array<string>(TIMES).fill(last)].join(" "), embedded: [last, query] } };
}
