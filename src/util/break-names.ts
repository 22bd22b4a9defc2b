// Names that steer whoever reads a text (a control token, the mark of a prompt's next part), broken so that they are text again.

/** Nobody sees it; a name with it behind its first character is no longer that name. */
const INVISIBLE = "\u200B";

export type BreakNames = (text: string) => string;

/**
 * Leaves none of the names whole, overlapping ones included. A text without any is returned as it is, and any other reads as before.
 * A name of a single character can't be broken.
 */
export function nameBreaker(names: Iterable<string>): BreakNames {
  const breakable = [...new Set(names)].filter((name) => Array.from(name).length > 1);
  return breakable.length === 0 ? (text) => text : patternBreaker(breakable.map(escaped).join("|"));
}

/** The same for whatever the source of a regular expression (flags i and u) matches. The first character of a match must not stand again in it. */
export function patternBreaker(source: string, flags: "" | "i" = ""): BreakNames {
  const first = new RegExp(`(?=${source})[\\s\\S]`, `gu${flags}`);
  return (text) => text.replace(first, `$&${INVISIBLE}`);
}

/** A text as what a regular expression matches literally. */
export function escaped(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
}
