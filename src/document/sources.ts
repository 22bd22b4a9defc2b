// What a task's `documents` names -> what is to be read: files with their ids, addresses, and queries. Knows nothing of what is in them.
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { DocumentSource } from "../task.ts";
import { findFiles, type FoundFile } from "./find.ts";
import type { ReadAs } from "./formats.ts";
import { isUrl, urlSource, type UrlSource } from "./url.ts";

export interface FileToRead extends FoundFile {
  readonly as?: ReadAs;
}

export type PostgresSource = Extract<DocumentSource, { readonly postgres: string }>;

export interface Sources {
  /** By id. */
  readonly files: readonly FileToRead[];
  readonly urls: readonly UrlSource[];
  readonly queries: readonly PostgresSource[];
}

export interface FindSourcesOptions {
  readonly sources: readonly DocumentSource[];
  /** The task's folder, absolute. */
  readonly folder: string;
  /** Files that are no documents, relative to the folder. */
  readonly exclude?: readonly string[] | undefined;
}

/** Throws UserError when a source names nothing. A file that is named as a database or a graph is no document besides. */
export async function findSources({ sources, folder, exclude = [] }: FindSourcesOptions): Promise<Sources> {
  const named = sources.filter((source) => typeof source === "string");
  const paths = named.filter((path) => !isUrl(path));
  const urls = [...new Set(named.filter(isUrl))].map(urlSource);
  const queries = sources.filter((source): source is PostgresSource => typeof source === "object" && "postgres" in source);
  const special: FileToRead[] = [];
  for (const source of sources) {
    const file = typeof source === "object" ? await specialFile(source, folder) : undefined;
    if (file !== undefined) special.push(file);
  }
  const other = new Set([...special.map(({ path }) => path), ...exclude.map((path) => resolve(folder, path))]);
  const files = (await findFiles({ paths, folder })).filter(({ path }) => !other.has(path));
  return { files: [...files, ...special], urls, queries };
}

async function specialFile(source: Exclude<DocumentSource, string>, folder: string): Promise<FileToRead | undefined> {
  if ("postgres" in source) return undefined;
  const path = "graph" in source ? source.graph : source.sqlite;
  const [file, ...more] = await findFiles({ paths: [path], folder });
  if (file === undefined || more.length > 0 || !file.named)
    throw new UserError(`documents: "${path}" is no file. Name one file of a ${"graph" in source ? "graph" : "database"}.`);
  return { ...file, as: "graph" in source ? { kind: "graph" } : { kind: "sqlite", ...source } };
}

/** What a source is called in a message; addresses hold passwords. */
export function nameOfSource(source: DocumentSource): string {
  if (typeof source === "string") return isUrl(source) ? urlSource(source).name : source;
  if ("graph" in source) return source.graph;
  return "sqlite" in source ? source.sqlite : (source.name ?? "postgres");
}
