// Text as the terms of a lexical index: words without accents, possessives and stop words, stemmed. English; words in other scripts pass as they are.
import { stemmer } from "@orama/stemmers/english";
import { words } from "./words.ts";

/** The stop words of Lucene's EnglishAnalyzer. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split(
    " ",
  ),
);

/** Terms of a text in order, with repetition (Porter 1980). */
export function stemmedTerms(text: string): string[] {
  const terms: string[] = [];
  for (const word of words(text)) {
    const term = termOf(word);
    if (term !== undefined) terms.push(term);
  }
  return terms;
}

/** Words that say nothing by themselves, beyond the stop words: pronouns, auxiliaries, question words, particles. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    "i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers herself its itself them " +
    "themselves someone anyone everyone something anything everything what which who whom whose when where why how been being am has " +
    "have had having do does did doing done can could may might must shall should will would ought i'm i've i'd i'll we're we've " +
    "we'll you're you've you'll he's she's it's they're they've that's there's what's who's don't doesn't didn't isn't aren't wasn't " +
    "weren't can't cannot couldn't won't wouldn't shouldn't hasn't haven't so than too very just also only about above after again " +
    "against all any because before below between both down during each few from further here more most off once other out over own " +
    "same some still those through under until up while per via etc please tell yes"
  ).split(" "),
);

/** Terms of the words of a text that carry its content. */
export function contentTerms(text: string): string[] {
  return words(text).flatMap((word) => (FUNCTION_WORDS.has(word) ? [] : (termOf(word) ?? [])));
}

const known = new Map<string, string | undefined>();
const REMEMBERED = 100_000;

/** Stemming is most of the work of indexing and words repeat, so terms are remembered. */
function termOf(word: string): string | undefined {
  if (known.has(word)) return known.get(word);
  if (known.size >= REMEMBERED) known.clear();
  const plain = withoutAccents(word).replace(/'s$/, "").replaceAll("'", "");
  const term = STOP_WORDS.has(plain) ? undefined : /^[a-z]+$/.test(plain) ? stemmer(plain) : plain;
  known.set(word, term);
  return term;
}

/** Combining marks of Latin, Greek and Cyrillic alone: in other scripts a mark is part of the spelling. */
function withoutAccents(word: string): string {
  return /^[\x20-\x7e]*$/.test(word)
    ? word
    : word
        .normalize("NFD")
        .replaceAll(/[\u0300-\u036f]/g, "")
        .normalize("NFC");
}
