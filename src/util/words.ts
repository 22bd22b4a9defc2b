// Text as lower-cased words, in any script. Knows nothing of stemming or stop words.

/**
 * A word by Unicode's rules, simplified from UAX #29: letters, marks and digits, joined by an apostrophe between letters (don't)
 * or by a point or comma between digits (1,200.50). Chinese characters and hiragana, which are written without spaces, stand alone.
 */
const unspaced = "\\p{Script=Han}\\p{Script=Hiragana}";
const letter = `(?![${unspaced}])[\\p{L}\\p{M}\\p{N}]`;
const word = new RegExp(`[${unspaced}]|(?:${letter})+(?:(?:(?<=\\p{L})'(?=\\p{L})|(?<=\\p{N})[.,](?=\\p{N}))(?:${letter})+)*`, "gu");

/** The words of a text in order: compatibility-normalised (NFKC), lower-cased, apostrophes straight. */
export function words(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().replaceAll("’", "'").match(word) ?? [];
}
