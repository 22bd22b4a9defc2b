// What a reader of one format makes of a file, and what it is given.
import type { Place } from "../task.ts";
import type { Limits } from "./limits.ts";

/** A file as Markdown. */
export interface Converted {
  readonly title?: string;
  readonly text: string;
  readonly pages?: readonly Place[];
  readonly neighbours?: readonly string[];
  /** When it was last changed, where it says so itself: ISO 8601 in UTC. */
  readonly modified?: string;
  /** What was guessed or left out, as it goes on after the file's name. */
  readonly notices?: readonly string[];
}

/** A file, or a part of one. */
export interface RawFile {
  /** Name with its extension: of the file, or within the archive. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Shared by everything that is read of one file on disk. */
export interface Reading {
  readonly limits: Limits;
  /** Bytes that may still be unpacked. */
  readonly unpacked: { left: number };
}

/** What comes out of a file: documents, and files in it that are read in turn (archives, attachments). */
export type Part =
  | (Converted & {
      readonly kind: "document";
      /** Names one document of many in a file: an entity of a graph, a row of a table. */
      readonly inner?: string;
    })
  | {
      readonly kind: "file";
      readonly name: string;
      /** Throws Unreadable where this one alone can't be read. */
      readonly open: () => Uint8Array;
    };

/** Reads one format. Throws Unreadable for a file that is not read, whatever else for one that is broken. */
export type Read = (file: RawFile, reading: Reading) => AsyncIterable<Part>;

/** Marks where a page begins in a text that {@link withPages} reads: a character that Unicode promises to give no meaning. */
export const PAGE_BREAK = "\ufdd0";

/** The text without its page breaks, and the pages between them; without any break there are no pages. */
export function withPages(marked: string): Pick<Converted, "text" | "pages"> {
  const parts = marked.split(PAGE_BREAK);
  if (parts.length === 1) return { text: marked };
  const pages: Place[] = [];
  let start = 0;
  for (const [index, part] of parts.entries()) {
    if (part.trim() !== "") pages.push({ page: index + 1, start, end: start + part.length });
    start += part.length;
  }
  return { text: parts.join(""), pages };
}

/** Texts of pages, in order, as one text with its pages. */
export function joinPages(texts: readonly string[]): Required<Pick<Converted, "text" | "pages">> {
  const pages: Place[] = [];
  let text = "";
  for (const [index, part] of texts.entries()) {
    const trimmed = part.replaceAll(PAGE_BREAK, " ").trim();
    if (trimmed === "") continue;
    if (text !== "") text += "\n\n";
    pages.push({ page: index + 1, start: text.length, end: text.length + trimmed.length });
    text += trimmed;
  }
  return { text, pages };
}
