// A model's file in the form that this project runs it in, where that is not the form it is published in. Made once, then kept.
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sha256File } from "../util/hash.ts";
import { readGguf, readTensor } from "../weights/gguf-read.ts";
import { mergeInto } from "../weights/merge.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import { lockFolder } from "./folder-lock.ts";
import { checkedFile, type LocalFile, type LocalModel, modelFolder } from "./model-files.ts";

export interface RunnableFileOptions {
  readonly model: LocalModel;
  readonly modelsFolder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file to run: the model's own, or with `runAs` in the catalogue its weights stored in another type, written beside it. The same
 * bytes on every machine, and as good: the change is below what llama.cpp's own rounding of activations makes.
 */
export async function runnableFile({ model: { entry, files }, modelsFolder, signal }: RunnableFileOptions): Promise<LocalFile> {
  const [published] = files;
  const { runAs } = entry;
  if (runAs === undefined) return published;
  const folder = modelFolder(modelsFolder, entry);
  const wanted = { path: join(folder, runAs.name), file: runAs, stamps: folder };
  const kept = await checkedFile(wanted);
  if (kept !== undefined) return kept;
  await mkdir(folder, { recursive: true });
  await using _ = await lockFolder({ folder, signal });
  const made = (await checkedFile(wanted)) ?? (await repack({ source: published.path, target: wanted.path, runAs, signal }));
  // Its hash is checked like that of a file that was fetched; where it differs the published file still runs, only slower.
  return made ?? published;
}

interface Repack {
  readonly source: string;
  readonly target: string;
  readonly runAs: NonNullable<CatalogueEntry["runAs"]>;
  readonly signal: AbortSignal | undefined;
}

async function repack({ source, target, runAs, signal }: Repack): Promise<LocalFile | undefined> {
  const base = await readGguf(source);
  const packed = [...base.tensors.values()].filter(({ shape, type }) => shape.length > 1 && type !== runAs.type);
  const replacements = new Map(packed.map(({ name }) => [name, () => readTensor(base, name)]));
  const unfinished = join(dirname(target), `~${basename(target)}`);
  try {
    await mergeInto({ base, path: unfinished, type: runAs.type, replacements, ...(signal === undefined ? {} : { signal }) });
    if ((await sha256File(unfinished)) !== runAs.sha256) return undefined;
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
  return checkedFile({ path: target, file: runAs, stamps: dirname(target) });
}
