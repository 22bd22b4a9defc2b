// All documents of a task.
import { extname } from "node:path";
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";
import { findFiles } from "./find.ts";
import type { FoundFile } from "./find.ts";
import { groupBy } from "../util/group-by.ts";
import { formatNames, isReadable, readDocument } from "./read.ts";

export interface ReadDocumentsOptions {
  /** Files, folders and patterns, relative to `folder`. */
  readonly paths: readonly string[];
  /** The task's folder, absolute. */
  readonly folder: string;
}

export interface ReadDocuments {
  /** By id. */
  readonly documents: readonly Document[];
  /** What a person should know: files left out, the same text twice. One line each. */
  readonly notices: readonly string[];
}

/**
 * The documents that `paths` name. Files of a format that is not read are left out with a notice when a folder or a pattern holds
 * them. Throws UserError when one is named itself, when a document is empty or no text, or when there is none at all.
 */
export async function readDocuments({ paths, folder }: ReadDocumentsOptions): Promise<ReadDocuments> {
  const files = await findFiles({ paths, folder });
  const readable = files.filter(({ path, named }) => named || isReadable(path));
  if (paths.length > 0 && readable.length === 0) {
    throw new UserError(`documents: "${paths.join('", "')}" holds no document. Documents are ${formatNames()} files so far.`);
  }
  const documents: Document[] = [];
  for (const { path, id, name } of readable) documents.push(await readDocument({ path, id, name }));
  return { documents, notices: [...leftOut(files.filter((file) => !readable.includes(file))), ...sameTexts(documents)] };
}

function leftOut(files: readonly FoundFile[]): string[] {
  const byExtension = groupBy(files, ({ path }) => extname(path).toLowerCase());
  return [...byExtension].map(([extension, [first, ...more]]) => {
    const others = more.length === 0 ? "" : ` and ${more.length} more ${extension || "such"} file${more.length === 1 ? "" : "s"}`;
    return `documents: ${first?.name}${others} left out: documents are ${formatNames()} so far.`;
  });
}

function sameTexts(documents: readonly Document[]): string[] {
  const bySum = groupBy(documents, ({ sha256 }) => sha256);
  return [...bySum.values()]
    .filter((same) => same.length > 1)
    .map((same) => `documents: ${same.map(({ id }) => id).join(" and ")} hold the same text.`);
}
