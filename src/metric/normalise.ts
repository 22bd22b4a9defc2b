// How texts are made comparable before they are compared. Knows nothing of examples or scores.

const punctuation = /[!-/:-@[-`{-~]/g;
const article = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
const unspaced = String.raw`[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]`;
const unspacedCharacter = new RegExp(unspaced, "gu");
const word = new RegExp(`${unspaced}|(?:(?!${unspaced})[\\p{L}\\p{M}\\p{N}])+`, "gu");

/**
 * Lower case, no ASCII punctuation, no English articles, single spaces: the normalisation of SQuAD's evaluation script
 * (Rajpurkar et al. 2016), after Unicode composition (NFC).
 */
export function normaliseAnswer(text: string): string {
  return text.normalize("NFC").toLowerCase().replace(punctuation, "").replace(article, " ").trim().split(/\s+/).join(" ");
}

/** Tokens of a normalised answer; scripts written without spaces are split into characters, as MLQA (Lewis et al. 2020) does. */
export function answerTokens(text: string): readonly string[] {
  const spaced = normaliseAnswer(text).replace(unspacedCharacter, " $& ").trim();
  return spaced === "" ? [] : spaced.split(/\s+/);
}

/** Lower-case runs of letters and digits: the tokens of the rouge-score package on ASCII, and of any script beyond it. */
export function wordTokens(text: string): readonly string[] {
  return text.normalize("NFC").toLowerCase().match(word) ?? [];
}

/** One value of a field: lower case, single spaces, no quotes or punctuation around it. Inner punctuation stays: 12.50 is not 1250. */
export function normaliseValue(text: string): string {
  const spaced = text.normalize("NFC").toLowerCase().trim().split(/\s+/).join(" ");
  const bare = spaced.replace(/^[\s"'“”‘’`.,;:!?()]+|[\s"'“”‘’`.,;:!?()]+$/gu, "");
  return bare === "" ? spaced : bare;
}

/** The label that an answer names: itself, or the only one that is equal but for case, spaces and punctuation around it. */
export function labelOf(text: string, labels: readonly string[]): string | undefined {
  const trimmed = text.trim();
  if (labels.includes(trimmed)) return trimmed;
  const value = normaliseValue(text);
  const equal = labels.filter((label) => normaliseValue(label) === value);
  return equal.length === 1 ? equal[0] : undefined;
}

/** The text for a line of reasons: at most `length` characters, on one line, quoted. */
export function quote(text: string, length = 60): string {
  const line = text.trim().split(/\s+/).join(" ");
  const characters = Array.from(line);
  return `"${characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : line}"`;
}
