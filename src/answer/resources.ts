// What answering needs beside the candidate: opened models, built retrievers, nearest-neighbour pools. Each is made once and shared.
import type { Artefact, CandidateModel, Demonstration, RetrieverSettings } from "../candidate.ts";
import type { EmbeddingModel, LanguageModel } from "../model.ts";
import type { CrossEncoder } from "../retriever/cross-encoder.ts";
import { type NearestExamples, nearestExamples } from "../retriever/nearest.ts";
import { type QueryMap, readQueryMap } from "../retriever/query-map.ts";
import { buildRetriever, type Retriever } from "../retriever/search.ts";
import type { Store } from "../store.ts";
import type { Document } from "../task.ts";
import { contentKey } from "../util/hash.ts";

export interface ResourcesOptions {
  readonly documents: readonly Document[];
  /** Root store of the task (`.sartor`): artefact paths of candidates are relative to it, indexes are kept in it. */
  readonly store: Store;
  /** Where `sartor setup local` put what is not beside this package. */
  readonly packagesFolder?: string | undefined;
  readonly openModel: (model: CandidateModel, path: string | undefined) => Promise<LanguageModel>;
  readonly openEmbedding: (name: string) => Promise<EmbeddingModel>;
  readonly openCrossEncoder: (folder: string) => Promise<CrossEncoder>;
}

/** What answering takes of them: of a retriever only that it finds. */
export interface AnswerResources {
  readonly store: Store;
  model(model: CandidateModel): Promise<LanguageModel>;
  retriever(settings: RetrieverSettings): Promise<Pick<Retriever, "search">>;
  embedding(name: string): Promise<EmbeddingModel>;
  crossEncoder(this: void, folder: string): Promise<Pick<CrossEncoder, "score">>;
  /** The tuned embeddings that a strategy wrote. */
  queryMap(artefact: Artefact): Promise<QueryMap>;
  nearest(pool: readonly Demonstration[]): NearestExamples;
}

export interface Resources extends AnswerResources, AsyncDisposable {
  readonly documents: readonly Document[];
  readonly packagesFolder: string | undefined;
  retriever(settings: RetrieverSettings): Promise<Retriever>;
  /** Closes a model that a strategy wrote, once nobody needs it for a while. */
  release(model: CandidateModel): Promise<void>;
}

/** Opens lazily, keeps open until disposed. */
export function createResources(options: ResourcesOptions): Resources {
  const { documents, store, packagesFolder, openModel } = options;
  const models = new Map<string, Promise<LanguageModel>>();
  const embeddings = new Map<string, Promise<EmbeddingModel>>();
  const crossEncoders = new Map<string, Promise<CrossEncoder>>();
  const retrievers = new Map<string, Promise<Retriever>>();
  const queryMaps = new Map<string, Promise<QueryMap>>();
  const embedding = (name: string): Promise<EmbeddingModel> => once(embeddings, name, () => options.openEmbedding(name));
  return {
    documents,
    store,
    packagesFolder,
    embedding,
    crossEncoder: (folder) => once(crossEncoders, folder, () => options.openCrossEncoder(folder)),
    model: (model) => once(models, modelKey(model), async () => openModel(model, model.trained && (await store.path(model.trained.path)))),
    retriever: (settings) =>
      once(retrievers, retrieverKey(settings), async () =>
        buildRetriever({
          settings,
          documents,
          store: store.scope("indexes"),
          packagesFolder,
          ...(settings.embedding === undefined ? {} : { embedding: await embedding(settings.embedding) }),
        }),
      ),
    queryMap: ({ path, sha256 }) => once(queryMaps, sha256, async () => readQueryMap(await store.path(path))),
    nearest: rememberedPools(),
    release: async (model) => {
      const opened = models.get(modelKey(model));
      models.delete(modelKey(model));
      if (opened !== undefined) await close(opened);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...models.values(), ...retrievers.values()].map(close));
      await Promise.all([...embeddings.values(), ...crossEncoders.values()].map(close));
    },
  };
}

function rememberedPools(): AnswerResources["nearest"] {
  const pools = new WeakMap<readonly Demonstration[], NearestExamples>();
  return (pool) => {
    const known = pools.get(pool) ?? nearestExamples({ pool: pool.map((one) => one.input) });
    pools.set(pool, known);
    return known;
  };
}

const modelKey = (model: CandidateModel): string => model.trained?.sha256 ?? contentKey(model.reference);

async function close(opened: Promise<AsyncDisposable>): Promise<void> {
  await (await opened.catch(() => undefined))?.[Symbol.asyncDispose]();
}

/** Only what decides the index: how many passages are shown is the query's business. */
const retrieverKey = ({ scorer, chunk, embedding, bm25 }: RetrieverSettings): string => contentKey({ scorer, chunk, embedding, bm25 });

/** A failed opening is not kept: the next call tries again. */
export function once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
}
