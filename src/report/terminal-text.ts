// Text in a terminal: how wide it is, cut, wrapped and padded. Control characters in data never reach the screen.
import { stripVTControlCharacters } from "node:util";

const wide =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|\p{Extended_Pictographic}/u;
const noWidth = /\p{M}|\p{Cf}/u;

/** One line of plain text: escape sequences and control characters out, white space single. */
export function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/gu, " ")
    .replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, "")
    .trim();
}

/** Columns that plain text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

const widthOfCharacter = (character: string): number => (noWidth.test(character) ? 0 : wide.test(character) ? 2 : 1);

/** Lines of at most `width` columns, broken at spaces; a word that is longer is cut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of clean(text)
    .split(" ")
    .flatMap((one) => pieces(one, Math.max(2, width)))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (const character of word) {
    if (widthOf(part + character) > width) {
      parts.push(part);
      part = "";
    }
    part += character;
  }
  return [...parts, part];
}

/** Wrapped, the first line after `first`, the others indented as far. */
export function hang(first: string, text: string, width: number): readonly string[] {
  const indent = widthOf(first);
  return wrap(text, Math.max(8, width - indent)).map((line, index) => (index === 0 ? first : " ".repeat(indent)) + line);
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}
