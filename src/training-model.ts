// The model that a training run starts from: fetched where it is named, opened, with new tokens where they are asked for.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./answer/open.ts";
import { UserError } from "./errors.ts";
import { isLocal, type LocalLanguageModel } from "./model.ts";
import { type FetchEvent, fetchModel } from "./model/fetch-model.ts";
import { openModel } from "./model/open.ts";
import { fromByteLevel } from "./tokenizer/byte-level.ts";
import type { ExtendedBpe, NewToken } from "./tokenizer/extend-bpe.ts";
import { counted } from "./util/figures.ts";
import { extendVocabulary } from "./weights/extend-vocabulary.ts";
import { readGguf } from "./weights/gguf-read.ts";

export interface NamedModel {
  /** A name of the catalogue, or the path of a .gguf file. */
  readonly model: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches what the catalogue names and is not here. */
export async function* fetchNamed({
  model,
  environment,
  signal,
}: NamedModel): AsyncGenerator<{ readonly kind: "fetch"; readonly event: FetchEvent }> {
  // A path, which `openModel` knows as one too.
  if (/[\\/]|\.gguf$/iu.test(model)) return;
  const { modelsFolder, extraFolders, hubToken } = environment;
  for await (const event of fetchModel({ name: model, modelsFolder, extraFolders, hubToken, signal })) yield { kind: "fetch", event };
}

/** The model as llama.cpp reads it. Dispose it when done. @throws {UserError} where its weights are not here to be learnt. */
export async function openTrainable({ model: reference, environment, signal }: NamedModel): Promise<LocalLanguageModel> {
  const model = await openModel({ reference, ...environment, signal });
  if (isLocal(model)) return model;
  await model[Symbol.asyncDispose]();
  throw new UserError(`${reference} is behind an API; its weights are not here to be tuned. Name a local model.`);
}

export interface LongerModel extends AsyncDisposable {
  readonly model: string;
  readonly notices: readonly string[];
}

/**
 * The model itself, or a temporary copy of it with new tokens for the texts, at most `count`. The same texts give the same bytes.
 * @throws {UserError} for a tokenizer that cannot be given any.
 */
export async function withNewTokens(named: NamedModel, texts: readonly string[], count: number): Promise<LongerModel> {
  if (count === 0) return { model: named.model, notices: [], [Symbol.asyncDispose]: async () => {} };
  const path = await pathOf(named);
  const folder = await mkdtemp(join(tmpdir(), "sartor-vocabulary-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const model = join(folder, "base.gguf");
    const extended = await extendVocabulary({ base: await readGguf(path), path: model, texts, count, signal: named.signal });
    return { model, notices: told(extended, count), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function pathOf(named: NamedModel): Promise<string> {
  await using model = await openTrainable(named);
  return model.path;
}

/** As many as are shown. */
const examples = 5;

function told({ added, tokens: { before, after } }: ExtendedBpe, count: number): readonly string[] {
  const fewer = `the training text has no more pairs of tokens that stand there often enough to learn from`;
  if (added.length === 0) return [`No new tokens: ${fewer}.`];
  const shown = added.slice(0, examples).map(spelled).join(", ");
  const saved = ((100 * (before - after)) / before).toFixed(1);
  return [
    `${counted(added.length, "new token")} (${shown}${added.length > examples ? ", ..." : ""}): the training text takes ${after} tokens in place of ${before}, ${saved} % fewer.`,
    ...(added.length < count ? [`${added.length} of the ${count} new tokens asked for: ${fewer}.`] : []),
  ];
}

function spelled({ token }: NewToken): string {
  return JSON.stringify(new TextDecoder().decode(Uint8Array.from(fromByteLevel(token))));
}
