// From what a task names to a model that answers: a catalogue name, a GGUF file or a server.
import { stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { UserError } from "../errors.ts";
import type { LanguageModel, ModelReference } from "../model.ts";
import { catalogueEntry } from "./catalogue.ts";
import { type FetchEvent, fetchModel, type FetchModelOptions } from "./fetch-model.ts";
import { openLlamaModel } from "./llama-cpp.ts";
import { runnableFile } from "./repack.ts";
import { serverModel, type ServerModelOptions } from "./openai-compatible.ts";

export interface OpenModelOptions extends Omit<FetchModelOptions, "name"> {
  readonly reference: ModelReference;
  /** What relative paths to files start from: the task's folder. */
  readonly baseFolder?: string | undefined;
  /** The value of the environment variable that a reference names; the key is held in memory alone. */
  readonly secret?: ((variable: string) => string | undefined) | undefined;
  readonly threads?: number | undefined;
  readonly contextLength?: number | undefined;
  readonly packagesFolder?: string | undefined;
  readonly serverPatience?: ServerModelOptions["patience"];
  /** Called while a model of the catalogue is being fetched. */
  readonly onFetch?: ((event: FetchEvent) => void) | undefined;
}

/**
 * Fetches first what is not here. Dispose the model when done with it.
 * Throws {@link UserError} for a name nobody knows, a file that is not there or no model, a key that is not set.
 */
export async function openModel(options: OpenModelOptions): Promise<LanguageModel> {
  const { reference } = options;
  if (typeof reference !== "string") return openServer(reference, options);
  const file = await fileNamed(reference, options.baseFolder ?? ".");
  if (file !== undefined) return openFile({ path: file, id: basename(file, ".gguf") }, options);
  const entry = catalogueEntry(reference);
  if (entry.kind !== "language")
    throw new UserError(`"${entry.name}" turns texts into vectors and cannot answer. Name a language model ("sartor models").`);
  for await (const event of fetchModel({ ...options, name: entry.name })) {
    options.onFetch?.(event);
    if (event.kind !== "done") continue;
    const { path, sha256 } = await runnableFile({ ...options, model: event.model });
    return openFile({ path, hash: sha256, id: entry.name }, options);
  }
  throw new Error(`fetching "${entry.name}" ended without a model`);
}

function openFile(file: { path: string; id: string; hash?: string }, options: OpenModelOptions): Promise<LanguageModel> {
  const { threads, contextLength, packagesFolder, signal } = options;
  return openLlamaModel({ ...file, threads, contextLength, packagesFolder, signal });
}

function openServer(
  reference: Exclude<ModelReference, string>,
  { secret, contextLength, serverPatience }: OpenModelOptions,
): LanguageModel {
  const { url, model, keyVariable, price } = reference;
  const apiKey = keyVariable === undefined ? undefined : secret?.(keyVariable);
  if (keyVariable !== undefined && (apiKey === undefined || apiKey === "")) {
    throw new UserError(
      `The environment variable ${keyVariable}, which should hold the key for ${url}, is not set. Set it, or leave out keyVariable.`,
    );
  }
  return serverModel({ url, model, apiKey, price, contextLength: reference.contextLength ?? contextLength, patience: serverPatience });
}

/** The path where the reference is one: it ends in .gguf, or names something that is there. */
async function fileNamed(reference: string, baseFolder: string): Promise<string | undefined> {
  const path = isAbsolute(reference) ? reference : join(baseFolder, reference);
  if (/\.gguf$/i.test(reference)) return path;
  const looksLikePath = /[\\/]/.test(reference);
  if (!looksLikePath) return undefined;
  if ((await stat(path).catch(() => undefined))?.isFile() === true) return path;
  throw new UserError(`No model file at ${path}. Name a GGUF file that is there, or a catalogue name ("sartor models").`);
}
