// What an index folder holds, in one small file: a change counts from the moment this file is replaced.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import type { ChunkOptions } from "./chunk.ts";
import type { Level } from "./levels.ts";

/** How an index was made; fixed for its life. */
export interface FolderSettings {
  readonly chunk: ChunkOptions;
  /** What summarises documents and sections, where searches can descend through them. */
  readonly summaries?: string;
  /** Absent for an index without embeddings. `key` changes with the model's files. */
  readonly embedding?: { readonly name: string; readonly key: string; readonly dimensions: number };
}

/** What documents are read from: files, folders and patterns, relative to a folder which itself is relative to the index folder; addresses. */
export interface Sources {
  readonly folder: string;
  readonly paths: readonly string[];
}

export interface NamedSegment {
  readonly name: string;
  readonly documents: number;
  readonly passages: number;
  /** Terms of all its passages together, with repetition. */
  readonly terms: number;
  /** Whether its vectors are in lists too. */
  readonly lists: boolean;
  /** Documents (by place) that no longer count. */
  readonly removed: readonly number[];
}

export interface Manifest {
  /** Raised when older folders can't be read any more. */
  readonly format: 2;
  /** Counts changes. */
  readonly generation: number;
  readonly settings: FolderSettings;
  readonly sources: Sources;
  readonly segments: readonly NamedSegment[];
  /** The same of the levels above passages, where there are any. */
  readonly upper?: { readonly [L in Level]: Manifest["segments"] };
}

/** A manifest as that of one level alone. */
export function ofLevel(manifest: Manifest, level: Level): Manifest {
  return { ...manifest, segments: manifest.upper?.[level] ?? [] };
}

const manifestFile = "index.json";

export const segmentsFolder = (folder: string): string => join(folder, "segments");

/** None where the folder holds no index. @throws {UserError} for one of another version of this software, or a broken one. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, manifestFile);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const manifest = parsed(text);
  if (manifest?.format === 2) return manifest;
  throw new UserError(`${path} is no index of this version of sartor. Remove ${folder} and index the documents again.`);
}

function parsed(text: string): Manifest | undefined {
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    return undefined;
  }
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 1)}\n`);
}

/** Changes whenever the manifest is replaced; empty where there is none. */
export async function manifestVersion(folder: string): Promise<string> {
  const file = await stat(join(folder, manifestFile)).catch(() => undefined);
  return file === undefined ? "" : `${file.ino} ${file.mtimeMs} ${file.size}`;
}
