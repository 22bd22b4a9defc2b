// Which models of the catalogue lie on this machine, whole and as the catalogue says. Downloads nothing.
import { readFile, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import { sha256File } from "../util/hash.ts";
import { catalogue, type CatalogueEntry, catalogueEntry, type CatalogueFile } from "./catalogue.ts";

export interface ModelFolders {
  /** Where models are fetched to: `<modelsFolder>/<model>/<file>`. */
  readonly modelsFolder: string;
  /** Folders that somebody else filled (SARTOR_MODELS): read, never written; files lie in them directly or by model. */
  readonly extraFolders?: readonly string[] | undefined;
}

export interface LocalFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface LocalModel {
  readonly entry: CatalogueEntry;
  /** In the catalogue's order: the first is the model itself. */
  readonly files: readonly [LocalFile, ...LocalFile[]];
}

type Environment = { readonly [name: string]: string | undefined };

/** The system's folder for caches, with `sartor/models` in it. Pure but for the home folder. */
export function defaultModelsFolder(
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const set = (name: string): string | undefined => (environment[name] === "" ? undefined : environment[name]);
  if (platform === "win32") return join(set("LOCALAPPDATA") ?? join(home, "AppData", "Local"), "sartor", "models");
  if (platform === "darwin") return join(home, "Library", "Caches", "sartor", "models");
  return join(set("XDG_CACHE_HOME") ?? join(home, ".cache"), "sartor", "models");
}

/** The model's files where all of them are here and match the catalogue; undefined otherwise. */
export async function findEntry({
  entry,
  modelsFolder,
  extraFolders = [],
}: ModelFolders & { readonly entry: CatalogueEntry }): Promise<LocalModel | undefined> {
  const files: LocalFile[] = [];
  for (const file of entry.files) {
    const found = await findFile({ entry, file, modelsFolder, extraFolders });
    if (found === undefined) return undefined;
    files.push(found);
  }
  const [first, ...others] = files;
  return first === undefined ? undefined : { entry, files: [first, ...others] };
}

export interface ListedModel {
  readonly entry: CatalogueEntry;
  readonly local?: LocalModel;
}

/** Every model of the catalogue, in its order, with its files where they are here. */
export async function listModels(folders: ModelFolders): Promise<ListedModel[]> {
  const found = await Promise.all(catalogue.map((entry) => findEntry({ ...folders, entry })));
  return catalogue.map((entry, at) => ({ entry, ...(found[at] === undefined ? {} : { local: found[at] }) }));
}

/** Removes what was fetched, begun downloads too, and returns the bytes freed. Throws {@link UserError} when nothing is there. */
export async function removeModel({ name, modelsFolder }: { readonly name: string; readonly modelsFolder: string }): Promise<number> {
  const entry = catalogueEntry(name);
  const path = modelFolder(modelsFolder, entry);
  const all = entry.runAs === undefined ? entry.files : [...entry.files, entry.runAs];
  const sizes = await Promise.all(all.map((file) => sizeOf(join(path, file.name))));
  const present = await stat(path).catch(() => undefined);
  if (present === undefined)
    throw new UserError(`"${entry.name}" is not in ${modelsFolder}, so there is nothing to remove. "sartor models" lists what is.`);
  await rm(path, { recursive: true });
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

export function modelFolder(modelsFolder: string, entry: CatalogueEntry): string {
  return join(modelsFolder, entry.name);
}

interface FindFile {
  readonly entry: CatalogueEntry;
  readonly file: CatalogueFile;
  readonly modelsFolder: string;
  readonly extraFolders: readonly string[];
}

async function findFile({ entry, file, modelsFolder, extraFolders }: FindFile): Promise<LocalFile | undefined> {
  const stamps = modelFolder(modelsFolder, entry);
  const own = await checkedFile({ path: join(stamps, file.name), file, stamps });
  if (own !== undefined) return own;
  for (const extra of extraFolders) {
    for (const path of [join(extra, entry.name, file.name), join(extra, file.name)]) {
      const found = await checkedFile({ path, file });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

interface CheckedFile {
  readonly path: string;
  readonly file: CatalogueFile;
  /** Folder whose record of checked files may be believed and added to. */
  readonly stamps?: string;
}

/** The file where it is there and its hash is the catalogue's. Hashed once: the size and time it had then are kept beside it. */
export async function checkedFile({ path, file, stamps }: CheckedFile): Promise<LocalFile | undefined> {
  const about = await stat(path).catch(() => undefined);
  if (about === undefined || !about.isFile()) return undefined;
  if (file.sha256 !== undefined && about.size !== file.bytes) return undefined;
  const stamp: Stamp = { bytes: about.size, modified: about.mtimeMs, sha256: "" };
  const known = stamps === undefined ? {} : await readStamps(stamps);
  const old = known[file.name];
  const unchanged = old !== undefined && old.bytes === stamp.bytes && old.modified === stamp.modified;
  const sha256 = unchanged ? old.sha256 : await sha256File(path);
  if (file.sha256 !== undefined && sha256 !== file.sha256) return undefined;
  if (stamps !== undefined && !unchanged) {
    await writeFileAtomic(join(stamps, stampsName), JSON.stringify({ ...known, [file.name]: { ...stamp, sha256 } }, null, 2));
  }
  return { name: file.name, path, bytes: about.size, sha256 };
}

interface Stamp {
  readonly bytes: number;
  readonly modified: number;
  readonly sha256: string;
}

const stampsName = "checked.json";

async function readStamps(folder: string): Promise<{ readonly [file: string]: Stamp }> {
  try {
    return JSON.parse(await readFile(join(folder, stampsName), "utf8")) as { [file: string]: Stamp };
  } catch {
    return {};
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
