// Files as text: UTF-8, or UTF-16 with a byte order mark. Knows nothing of what the text says.
import { readFile } from "node:fs/promises";
import { TextDecoder } from "node:util";
import { messageOf, UserError } from "../errors.ts";

export interface ReadTextOptions {
  readonly path: string;
  /** What errors call the file: its path as the user wrote it. */
  readonly name?: string;
  /** The encoding a file declares, given its first 1024 bytes as Latin-1. Believed where there is no byte order mark. */
  readonly declaredEncoding?: (head: string) => string | undefined;
}

/**
 * The text of a file, its byte order mark removed and its line ends as they are. Throws UserError when there is no such file, when
 * its bytes are no valid text (naming the line), or when it holds NUL characters.
 */
export async function readTextFile({ path, name = path, declaredEncoding }: ReadTextOptions): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new UserError(unreadable(name, cause), { cause });
  }
  return decodeText(bytes, name, declaredEncoding?.(bytes.subarray(0, 1024).toString("latin1")));
}

function decodeText(bytes: Uint8Array, name: string, declared?: string): string {
  const encoding = byteOrderMark(bytes) ?? supportedEncoding(declared) ?? "utf-8";
  let text: string;
  try {
    text = decode(bytes, encoding);
  } catch (cause) {
    throw new UserError(undecodable(bytes, name, encoding), { cause });
  }
  const nul = text.indexOf("\0");
  if (nul < 0) return text;
  throw new UserError(
    `Line ${lineAt(text, nul)} of ${name} holds a NUL byte: it is a binary file, or UTF-16 without a byte order mark. Save it as UTF-8 text.`,
  );
}

/** What Windows-1252 holds at 0x80 to 0x9f; a dot where it holds nothing. */
const windows1252 = "€.‚ƒ„…†‡ˆ‰Š‹Œ.Ž..‘’“”•–—˜™š›œ.žŸ";

/** Throws where the bytes are not of the encoding. A byte order mark is left out. */
export function decode(bytes: Uint8Array, encoding: string): string {
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  if (encoding !== "windows-1252") return text;
  // Node 20 reads Windows-1252 as Latin-1 and so turns its quotation marks and dashes into control characters.
  return text.replaceAll(/[\u0080-\u009f]/g, (control) => windows1252.charAt(control.charCodeAt(0) - 0x80));
}

/** The number, from 1, of the line that holds the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < offset; end = text.indexOf("\n", end + 1)) line++;
  return line;
}

export function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? "utf-8" : undefined;
}

/** Its name in the Encoding standard; undefined where there is none. */
export function supportedEncoding(encoding: string | undefined): string | undefined {
  if (encoding === undefined) return undefined;
  try {
    return new TextDecoder(encoding).encoding;
  } catch {
    return undefined;
  }
}

const problems: { readonly [code: string]: (name: string) => string } = {
  ENOENT: (name) => `There is no file ${name}. Check the path.`,
  EISDIR: (name) => `${name} is a folder, not a file. Name a file in it.`,
  EACCES: (name) => `${name} may not be read. Change its permissions.`,
};

function unreadable(name: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return problems[code]?.(name) ?? `${name} can't be read: ${messageOf(error)}.`;
}

/** In UTF-8 no sequence spans a line, so the first line that does not decode is the one that is broken. */
function undecodable(bytes: Uint8Array, name: string, encoding: string): string {
  if (encoding !== "utf-8") return `${name} is broken ${encoding.toUpperCase()}. Save it as UTF-8.`;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      const guess = decode(bytes.subarray(start, end), "windows-1252").trim();
      return `Line ${line} of ${name} is not UTF-8 (as Windows-1252 it would read "${excerpt(guess)}"). Save the file as UTF-8.`;
    }
    start = end;
  }
  return `${name} is not UTF-8. Save it as UTF-8.`;
}

/** The part of the line around its first character beyond ASCII. */
function excerpt(line: string): string {
  const first = Math.max(0, line.search(/[^\x20-\x7e]/));
  const start = Math.max(0, first - 20);
  return `${start > 0 ? "…" : ""}${line.slice(start, first + 20)}${line.length > first + 20 ? "…" : ""}`;
}
