// The same input worded otherwise, by named rules: for tasks whose examples come without variants. Meaning stays; surface changes, as
// in the invariance tests of CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442).
import { type Random, seededRandom } from "../util/random.ts";

type Rule = (input: string, random: Random) => string;

/** What each rule changes, by the name under which it is reported. */
const rules: { readonly [name: string]: Rule } = {
  "lower case": (input) => input.toLowerCase(),
  "no end mark": (input) => input.trimEnd().replace(/[.?!]+$/u, ""),
  "a greeting before": (input) => `Hello, ${input}`,
  "a typo": swapLetters,
};

export const rewordingRules: readonly string[] = Object.keys(rules);

/** The rewordings of an input that differ from it, in the order of the rules. The same seed gives the same typo. */
export function rewordings(input: string, seed: number): readonly string[] {
  const worded = Object.entries(rules).map(([name, rule]) => rule(input, seededRandom(`${name} ${seed} ${input}`)));
  return [...new Set(worded)].filter((one) => one !== input && one.trim() !== "");
}

/** Two neighbouring letters inside a word of four or more change places; first and last letters stay. */
function swapLetters(input: string, random: Random): string {
  const pairs = [...input.matchAll(/(?<=\p{L})(\p{L})(?!\1)(\p{L})(?=\p{L})/gu)];
  if (pairs.length === 0) return input;
  const { index, 0: pair, 1: first, 2: second } = pairs[random.integer(pairs.length)]!;
  return `${input.slice(0, index)}${second}${first}${input.slice(index + pair.length)}`;
}
