// A passage as data in a prompt: it can't end itself, begin another passage or pose as the question, and holds nothing that no reader sees.
// Knows neither models nor how a prompt is laid out.
import type { Passage } from "../evaluation.ts";
import { escaped, patternBreaker } from "../util/break-names.ts";

export type Fence = (passage: Pick<Passage, "title" | "text">) => { readonly title: string; readonly text: string };

const lineEnd = String.raw`[\n\v\f\r\u0085\u2028\u2029]`;

/**
 * `marks` are what lines of the prompt itself begin with ("Question:"). A passage's line that begins with one of them, or with a number in
 * brackets, gets an invisible space behind its first character; a title stays on its line. Any other text stays as it is, byte for byte,
 * but for what is hidden from readers: see {@link visible}.
 */
export function fence(marks: readonly string[]): Fence {
  const openers = [String.raw`\[\s*\d+\s*\]`, ...marks.map((mark) => mark.trim()).flatMap((mark) => (mark === "" ? [] : escaped(mark)))];
  // What comes first is rare, so that looking back is too.
  const broken = patternBreaker(String.raw`(?=${openers.join("|")})(?<=${lineEnd}[\s\p{Cf}]*)`, "i");
  const line = new RegExp(String.raw`\s*${lineEnd}\s*`, "gu");
  return ({ title, text }) => ({ title: visible(title).replace(line, " "), text: broken(visible(text)) });
}

/** Code, which is shown as it is written, or one of the ways to hide text. */
const hidden = new RegExp(
  [
    "(```[\\s\\S]*?(?:```|$)|`[^`\\n]*`)",
    "<!--[\\s\\S]*?-->",
    // A link's definition that leads nowhere: the comment of Markdown.
    String.raw`(?<=^|\n) {0,3}\[[^\]\n]+\]:[ \t]*(?:#|<>)[ \t]+["'(].*`,
    // Tags, but for the flags of countries' parts.
    String.raw`(\u{1F3F4}[\u{E0020}-\u{E007E}]{2,6}\u{E007F})|[\u{E0000}-\u{E007F}]+`,
    String.raw`[\u200B-\u200D\u2060\uFEFF]{4,}|[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]{2,}`,
  ].join("|"),
  "gu",
);

/** A text without comments of HTML and Markdown, Unicode's tags, and runs of characters without width, outside code. */
export function visible(text: string): string {
  return text.replace(hidden, (_, code?: string, flag?: string) => code ?? flag ?? "");
}
