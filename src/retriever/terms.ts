// Text as the terms of a lexical index: words without accents, possessives and stop words, stemmed. English; words in other scripts pass as they are.
import { stemmer } from "@orama/stemmers/english";
import { words } from "../util/words.ts";

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
