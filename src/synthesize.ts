// Synthetic questions for a folder of documents, into a file for people to look over. Opens what is needed on this machine.
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "./answer/open.ts";
import { documentsIn } from "./data/init-task.ts";
import { readSettings, settingsNames } from "./data/settings-file.ts";
import { documentReader } from "./document/read-all.ts";
import { isReadable } from "./document/read.ts";
import { UserError } from "./errors.ts";
import type { ModelReference } from "./model.ts";
import { type FetchEvent, fetchModel } from "./model/fetch-model.ts";
import { openModel } from "./model/open.ts";
import { openEmbeddingModel } from "./retriever/embed.ts";
import { startRuntime } from "./runtime/runtime.ts";
import { fileSystemStore } from "./store/file-system.ts";
import { type SynthesisEvent, syntheticQuestions } from "./synthesis/synthetic-questions.ts";
import type { DocumentSource } from "./task.ts";
import { writeFileAtomic } from "./util/atomic.ts";

export interface SynthesizeOptions {
  /** Holds a folder of documents, or a task that names documents. */
  readonly folder: string;
  readonly count: number;
  readonly seed?: number;
  /** Words the questions; without one rules do, for English sentences. */
  readonly model?: ModelReference;
  /** Catalogue name of an embedding model that helps to find passages again. */
  readonly embedding?: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export type SynthesizeEvent =
  | SynthesisEvent
  | { readonly kind: "fetch"; readonly event: FetchEvent }
  /** Absolute path of the file that was written; `task`: the name of the task's file, where there is one already. */
  | { readonly kind: "written"; readonly path: string; readonly task?: string; readonly notices: readonly string[] };

const name = "synthetic.jsonl";

/**
 * Writes `synthetic.jsonl`, a question a line, marked as synthetic; the same for the same documents, seed and models.
 * @throws {UserError} when the file is there already, when there are no documents, or when they give no question.
 */
export async function* synthesizeExamples(options: SynthesizeOptions): AsyncGenerator<SynthesizeEvent, void, void> {
  const { count, seed = 0, environment, signal } = options;
  if (!(count >= 1)) throw new UserError(`The count of questions is ${count}. Ask for 1 or more; 60 are enough for a first comparison.`);
  const folder = resolve(options.folder);
  const path = join(folder, name);
  if (await exists(path)) throw new UserError(`${join(options.folder, name)} is there already. Move it away to make another.`);
  const task = await taskIn(folder);
  const sources = await sourcesIn(folder, { task, written: options.folder });
  const { documents, notices } = await documentReader({ secret: environment.secret, signal })({ sources, folder, exclude: [] });
  await using runtime = startRuntime(environment);
  const embedding = options.embedding;
  if (embedding !== undefined)
    for await (const event of fetchModel({ ...environment, name: embedding, signal })) yield { kind: "fetch", event };
  await using model =
    options.model === undefined ? undefined : await openModel({ ...environment, reference: options.model, baseFolder: folder, signal });
  const made = syntheticQuestions({
    documents,
    count,
    seed,
    store: fileSystemStore(join(folder, ".sartor")).scope("synthetic"),
    ...(model && { model }),
    ...(embedding !== undefined && { embedding: await openEmbeddingModel({ ...environment, name: embedding, runtime, signal }) }),
    ...(signal && { signal }),
  });
  for await (const event of made) {
    if (event.kind === "done") {
      if (event.examples.length === 0)
        throw new UserError(
          `The documents give no question: no English sentence whose passage is found again. Name a model (--model) to word them.`,
        );
      await writeFileAtomic(path, event.examples.map((example) => `${JSON.stringify(example)}\n`).join(""));
    }
    yield event;
  }
  yield { kind: "written", path, notices, ...(task !== undefined && { task }) };
}

/** Those of the task in the folder, else the folder that looks like documents. */
async function sourcesIn(
  folder: string,
  { task, written }: { readonly task: string | undefined; readonly written: string },
): Promise<readonly DocumentSource[]> {
  const named = task === undefined ? [] : (await readSettings(join(folder, task))).settings.documents;
  if (named.length > 0) return named;
  const guess = await documentsIn(folder, isReadable).catch((cause: unknown) => {
    throw new UserError(`There is no folder ${written}. Name the folder that holds your documents' folder.`, { cause });
  });
  if (guess !== undefined) return [guess.value];
  throw new UserError(`${written} holds no folder of documents. Put them into a folder of it, such as handbook/.`);
}

async function taskIn(folder: string): Promise<string | undefined> {
  for (const settings of settingsNames) if (await exists(join(folder, settings))) return settings;
  return undefined;
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;
