// What a file holds -> documents: their ids, titles and hashes, and what was left out.
import type { Document } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import type { FoundFile } from "./find.ts";
import { formatNamed } from "./formats.ts";
import { titleOfHeading, titleOfName } from "./markdown.ts";
import type { Piece } from "./pieces.ts";

/** A file, or a part of one, that is no document. */
export interface Skipped {
  /** As the user would write it, with the path within it. */
  readonly name: string;
  /** Goes on after the name: `is encrypted. Save it without a password.` */
  readonly reason: string;
  /** Whether it is the whole file. */
  readonly whole: boolean;
}

export interface FileContents {
  readonly documents: readonly Document[];
  readonly skipped: readonly Skipped[];
  /** What was guessed, one line each. */
  readonly notices: readonly string[];
}

/** Whether a file's name promises a format that documents are read from. */
export function isReadable(path: string): boolean {
  return formatNamed(path) !== undefined;
}

interface NamedContents extends Pick<FoundFile, "id" | "name"> {
  /** The date of those that tell none themselves. */
  readonly modified?: string | undefined;
}

/** The documents among the pieces of a file. One without text is skipped. The title is the format's own, else the first heading of the
 * first level, else the file's name. */
export function contentsOf({ id, name, modified }: NamedContents, pieces: readonly Piece[]): FileContents {
  const [documents, skipped, notices]: [Document[], Skipped[], string[]] = [[], [], []];
  const unique = uniqueNames();
  for (const piece of pieces) {
    if (piece.kind === "begin") continue;
    const called = piece.inner === "" ? name : `${name}/${piece.inner}`;
    const skip = (reason: string): number => skipped.push({ name: called, reason, whole: piece.inner === "" });
    if (piece.kind === "skipped") skip(piece.reason);
    else if (piece.kind === "others") notices.push(`documents: ${called}${more(piece.count)} left out: of a format that is not read.`);
    else if (piece.text.trim() === "") skip("is an empty document. Write something into it, or remove it.");
    else {
      documents.push(documentOf({ id: unique(piece.inner === "" ? id : `${id}/${piece.inner}`), file: id, modified, piece }));
      notices.push(...(piece.notices ?? []).map((notice) => `documents: ${called} ${notice}`));
    }
  }
  return { documents, skipped, notices };
}

const more = (count: number): string => (count === 1 ? "" : ` and ${count - 1} more in it`);

interface DocumentOf {
  readonly id: string;
  /** Id of the file it comes from. */
  readonly file: string;
  readonly modified: string | undefined;
  readonly piece: Extract<Piece, { kind: "document" }>;
}

function documentOf({ id, file, modified: fileModified, piece }: DocumentOf): Document {
  const { title, text, pages, neighbours, modified = fileModified } = piece;
  return {
    id,
    title: title ?? titleOfHeading(text) ?? titleOfName(id),
    text,
    sha256: sha256(text),
    ...(pages && { pages }),
    ...(neighbours && { neighbours: neighbours.map((inner) => `${file}/${inner}`) }),
    ...(modified !== undefined && { modified }),
  };
}

/** An archive may hold two files of one name, a query give two rows of one id: the second is `a.md (2)`. */
function uniqueNames(): (name: string) => string {
  const times = new Map<string, number>();
  return (name) => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return time === 1 ? name : `${name} (${time})`;
  };
}
