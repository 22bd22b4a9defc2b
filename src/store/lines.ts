// The lines of an appended file: one JSON value each. A last line without its newline was cut short by a crash and does not count.
import { UserError } from "../errors.ts";

/** One value as a line. Throws TypeError for what has no JSON form (undefined, a function). */
export function asLine(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError(`A ${typeof value} has no JSON form and can't be appended`);
  return `${json}\n`;
}

/** The whole lines of `text`, parsed. Throws UserError naming `file` and the line where one is no JSON. */
export function parseLines(text: string, file: string): unknown[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (cause) {
      throw new UserError(
        `Line ${index + 1} of ${file} is no JSON: ${line.slice(0, 60)}. Delete the file; what it held is computed again.`,
        { cause },
      );
    }
  });
}
