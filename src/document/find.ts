// The files that a task's `documents` names: files, folders and patterns, each file with its id. Knows nothing of what is in them.
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.ts";
import { folderOfPattern, isPattern, patternToRegExp } from "./glob.ts";

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** Below the folder that was named; for files and patterns, below the task's folder. With forward slashes. */
  readonly id: string;
  /** As the user would write it: relative to the task's folder. */
  readonly name: string;
  /** Whether this very file was named, not a folder or a pattern that holds it. */
  readonly named: boolean;
}

export interface FindOptions {
  readonly paths: readonly string[];
  readonly folder: string;
}

/**
 * The files that `paths` (relative to `folder`) name, each once, by id. Hidden files are left out. Throws UserError when a path names
 * nothing, and when two files would have one id.
 */
export async function findFiles({ paths, folder }: FindOptions): Promise<readonly FoundFile[]> {
  const found = new Map<string, FoundFile>();
  for (const path of paths) {
    for (const file of await filesOf(path, folder)) {
      if (!found.has(file.path)) found.set(file.path, file);
    }
  }
  const files = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  files.forEach((file, index) => {
    const next = files[index + 1];
    if (next?.id === file.id)
      throw new UserError(
        `${file.name} and ${next.name} would both be the document "${file.id}". Rename one, or name a folder that holds both.`,
      );
  });
  return files;
}

async function filesOf(path: string, folder: string): Promise<FoundFile[]> {
  const absolute = resolve(folder, path);
  const kind = await kindOf(absolute);
  const asNamed = (file: string, id: string, named: boolean): FoundFile => ({
    path: file,
    id,
    name: slashed(relative(folder, file)),
    named,
  });
  if (kind === "file") return [asNamed(absolute, slashed(relative(folder, absolute)), true)];
  if (kind === "folder") return (await treeBelow(absolute)).files.map((file) => asNamed(file, slashed(relative(absolute, file)), false));
  if (!isPattern(path))
    throw new UserError(`documents: there is no file or folder "${path}" in ${folder}. Check the path, or take it out of the task.`);
  const pattern = patternToRegExp(slashed(join(path)));
  const base = resolve(folder, folderOfPattern(path));
  const inBase = (await kindOf(base)) === "folder" ? (await treeBelow(base)).files : [];
  const matches = inBase.map((file) => asNamed(file, slashed(relative(folder, file)), false)).filter(({ id }) => pattern.test(id));
  if (matches.length === 0)
    throw new UserError(`documents: no file matches "${path}" in ${folder}. Check the pattern, or take it out of the task.`);
  return matches;
}

/** The folders whose changes may change what {@link findFiles} gives: those named and below, those that named files and patterns are in. */
export async function findFolders({ paths, folder }: FindOptions): Promise<readonly string[]> {
  const folders = new Set<string>();
  for (const path of paths) {
    const kind = await kindOf(resolve(folder, path));
    const base = resolve(folder, isPattern(path) && kind === undefined ? folderOfPattern(path) : path);
    if (kind === "file") folders.add(dirname(base));
    else if ((await kindOf(base)) === "folder") for (const one of (await treeBelow(base)).folders) folders.add(one);
  }
  return [...folders];
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

interface Tree {
  readonly files: readonly string[];
  /** The folder itself first. */
  readonly folders: readonly string[];
}

async function treeBelow(folder: string, visited: ReadonlySet<string> = new Set()): Promise<Tree> {
  const real = await realpath(folder);
  // A link to a folder above would go round for ever.
  if (visited.has(real)) return { files: [], folders: [] };
  const [files, folders]: [string[], string[]] = [[], [folder]];
  for (const name of (await readdir(folder)).filter((one) => !/^[.~]/.test(one)).sort()) {
    const path = join(folder, name);
    const kind = await kindOf(path);
    if (kind === "file") files.push(path);
    if (kind !== "folder") continue;
    const below = await treeBelow(path, new Set([...visited, real]));
    for (const file of below.files) files.push(file);
    for (const one of below.folders) folders.push(one);
  }
  return { files, folders };
}

function slashed(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}
