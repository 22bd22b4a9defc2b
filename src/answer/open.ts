// Opens what candidates answer with, on this machine: models through the catalogue, embeddings through the runtime.
import type { CandidateModel } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { openLlamaModel } from "../model/llama-cpp.ts";
import { openModel } from "../model/open.ts";
import { openCrossEncoder } from "../retriever/cross-encoder.ts";
import { openEmbeddingModel } from "../retriever/embed.ts";
import type { Provider } from "../runtime/protocol.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import type { Store } from "../store.ts";
import type { Document } from "../task.ts";
import { createResources, type Resources } from "./resources.ts";

/** What the machine gives: handed in by those who may read the environment. */
export interface Environment {
  readonly modelsFolder: string;
  readonly extraFolders: readonly string[];
  /** Where `sartor setup local` put the local runtimes, if it did. */
  readonly packagesFolder?: string;
  readonly threads: number;
  /** What computes training and embeddings. Default "cpu". */
  readonly provider?: Provider;
  readonly memoryBytes: number;
  readonly contextLength: number;
  /** The value of an environment variable that holds a key. Never written anywhere. */
  readonly secret: (variable: string) => string | undefined;
  readonly hubToken?: string;
}

export interface OpenResourcesOptions {
  readonly documents: readonly Document[];
  readonly store: Store;
  readonly environment: Environment;
  /** What relative paths to model files start from: the task's folder. */
  readonly baseFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface OpenedResources extends Resources {
  /** The one runtime of embeddings and training, started when first asked for. */
  runtime(): Promise<Runtime>;
}

/** Resources over real models. Dispose them: they hold memory and a worker. */
export function openResources({ documents, store, environment, baseFolder, signal }: OpenResourcesOptions): OpenedResources {
  let started: Runtime | undefined;
  const runtime = async (): Promise<Runtime> => (started ??= startRuntime(environment));
  const resources = createResources({
    documents,
    store,
    packagesFolder: environment.packagesFolder,
    openModel: (model, path) => open({ model, path, environment, baseFolder, ...(signal && { signal }) }),
    openEmbedding: async (name) => {
      const { modelsFolder, extraFolders, hubToken, secret, packagesFolder } = environment;
      return openEmbeddingModel({ name, modelsFolder, extraFolders, hubToken, secret, packagesFolder, signal, runtime: await runtime() });
    },
    openCrossEncoder: async (folder) => openCrossEncoder({ folder, runtime: await runtime() }),
  });
  return {
    ...resources,
    runtime,
    [Symbol.asyncDispose]: async () => {
      await resources[Symbol.asyncDispose]();
      await started?.[Symbol.asyncDispose]();
    },
  };
}

async function open({
  model,
  path,
  environment,
  baseFolder,
  signal,
}: {
  model: CandidateModel;
  path: string | undefined;
  environment: Environment;
  baseFolder: string | undefined;
  signal?: AbortSignal;
}): Promise<LanguageModel> {
  const { threads, contextLength, packagesFolder } = environment;
  if (path !== undefined)
    return openLlamaModel({ path, id: model.name, threads, contextLength, packagesFolder, hash: model.trained?.sha256, signal });
  return openModel({ reference: model.reference, baseFolder, ...environment, ...(signal && { signal }) });
}
