// An index folder, opened for searching. Each search sees what was committed last. Knows nothing of files that are indexed.
import type { Scorer } from "../candidate.ts";
import { UserError } from "../errors.ts";
import type { Passage } from "../evaluation.ts";
import type { EmbeddingModel } from "../model.ts";
import type { Document } from "../task.ts";
import { type Bm25Options, bm25Scores } from "./bm25.ts";
import { descend, type Descent } from "./descend.ts";
import { type EmbeddingCache, meanVector, rememberedQueries } from "./embedding-cache.ts";
import { type Level, levels } from "./levels.ts";
import { type FolderSettings, type Manifest, manifestVersion, ofLevel, readManifest, type Sources } from "./manifest.ts";
import { type Condition, fieldsOf, matches } from "./metadata.ts";
import { type IndexedPassage, placeOf } from "./passages.ts";
import { mapQuery } from "./query-map.ts";
import { convexWeights, rankedPassages, type Ranker, ranker, type SearchOptions, type Sides } from "./ranking.ts";
import type { DocumentEntry, Segment } from "./segment.ts";
import type { Searchable, SideQuery } from "./side.ts";
import { bestSlots, cosines, fuseSlots, type Mask, vectorsOf } from "./slot-search.ts";
import { Snapshot } from "./snapshot.ts";
import { stemmedTerms } from "./terms.ts";
import { type TfIdfScorer, tfIdfScorer } from "./tf-idf.ts";

export interface OpenIndexOptions {
  readonly folder: string;
  /** Opens the model that the index was embedded with, when a search first needs it. */
  readonly openEmbedding: (name: string) => Promise<EmbeddingModel>;
}

export interface IndexSearchOptions extends Partial<SearchOptions> {
  /** Default: convex where there are embeddings, else bm25. */
  readonly method?: Scorer;
  /** Conditions on the documents' metadata, all of which must hold. */
  readonly where?: readonly Condition[];
  readonly bm25?: Bm25Options;
  /** Only passages of the best sections of the best documents, found by their summaries. */
  readonly descend?: Descent;
}

export interface PassageVector {
  readonly document: string;
  readonly start: number;
  readonly vector: Float32Array;
}

export interface IndexStats {
  readonly documents: number;
  readonly passages: number;
  readonly segments: number;
  readonly settings: FolderSettings;
  readonly sources: Sources;
}

/** @throws {UserError} where the folder holds no index. */
export async function openIndex(options: OpenIndexOptions): Promise<OpenIndex> {
  return new OpenIndex(options, await latest(options.folder));
}

interface Latest {
  readonly snapshot: Snapshot;
  readonly upper?: { readonly [L in Level]: Snapshot };
  readonly version: string;
}

/** What was committed last. A writer may remove segments between the reading of a manifest and of what it names: then there is a newer one. */
async function latest(folder: string, earlier: readonly Segment[] = []): Promise<Latest> {
  for (;;) {
    const version = await manifestVersion(folder);
    const manifest = version && (await readManifest(folder));
    if (!manifest) throw new UserError(`There is no index in ${folder}. To make one, run: sartor index <documents>`);
    try {
      const snapshot = await Snapshot.open(folder, manifest, earlier);
      if (manifest.upper === undefined) return { snapshot, version };
      const at = (level: Level): Promise<Snapshot> => Snapshot.open(folder, ofLevel(manifest, level), earlier);
      return { snapshot, upper: { document: await at("document"), section: await at("section") }, version };
    } catch (error) {
      if (version === (await manifestVersion(folder))) throw error;
    }
  }
}

const segmentsOf = ({ snapshot, upper }: Latest): Segment[] =>
  [snapshot, ...(upper === undefined ? [] : levels.map((level) => upper[level]))].flatMap(({ segments }) => segments);

export class OpenIndex implements AsyncDisposable {
  readonly #options: OpenIndexOptions;
  #latest: Latest;
  /** Searches under way, and segments that only they may still need. */
  #running = 0;
  #retired: Segment[] = [];
  #embed: Promise<EmbeddingCache["query"]> | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #tfIdf: { readonly of: Snapshot; readonly score: TfIdfScorer } | undefined;

  constructor(options: OpenIndexOptions, opened: Latest) {
    this.#options = options;
    this.#latest = opened;
  }

  get stats(): IndexStats {
    const { documents, size, parts, manifest } = this.#latest.snapshot;
    return { documents: documents.size, passages: size, segments: parts.length, settings: manifest.settings, sources: manifest.sources };
  }

  /** Every document that can be found, without its text. */
  entries(): readonly DocumentEntry[] {
    return Array.from(this.#latest.snapshot.documents.values(), ({ entry }) => entry);
  }

  /** A document with its text; none of that id is undefined. */
  async document(id: string): Promise<Document | undefined> {
    return this.#using(async ({ snapshot }) => {
      const place = snapshot.documents.get(id);
      return place && (await snapshot.read(place)).document;
    });
  }

  /** Every passage's unit vector with where it begins: what embeddings are tuned on. None in an index without embeddings. */
  async vectors(): Promise<readonly PassageVector[]> {
    return this.#using(async ({ snapshot }) => {
      const { embedding } = snapshot.manifest.settings;
      if (embedding === undefined) return [];
      const mask = snapshot.mask();
      const ids = Array.from(mask.keys()).flatMap((slot) => (mask[slot] === 1 ? [snapshot.idOf(slot)] : []));
      const vectors = await vectorsOf(snapshot, ids, embedding.dimensions);
      return ids.map((id, at) => ({ document: placeOf(id).document, start: placeOf(id).start, vector: vectors[at]! }));
    });
  }

  /**
   * At most `k` passages, best first, from what was committed last.
   * @throws {UserError} for a method that needs embeddings, where the index has none.
   */
  async search(
    query: string,
    { method, k = 10, where = [], bm25 = {}, descend: down, ...options }: IndexSearchOptions = {},
  ): Promise<Passage[]> {
    return this.#using(async ({ snapshot, upper }) => {
      const as = method ?? defaultMethod(snapshot.manifest);
      const on = (of: Snapshot, mask: Mask): ReturnType<typeof ranking> =>
        ranking({ snapshot: of, mask, method: as, lexical: this.#lexical(of, as, bm25), embed: () => this.#embedderFor(of) });
      const accept = (entry: DocumentEntry): boolean => matches(fieldsOf(entry), where);
      const mask =
        down === undefined
          ? snapshot.mask(where.length === 0 ? undefined : accept)
          : await descend({
              snapshot,
              upper: this.#presentUpper(upper),
              accept: (id) => accept(snapshot.documents.get(id)!.entry),
              rank: async (of, within, most) => on(of, within).rank({ query, k: most, signal: options.signal }),
              ...down,
            });
      return rankedPassages({ ...on(snapshot, mask), passage: (id) => snapshot.passage(id), query, k, ...options });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refreshing.catch(() => undefined);
    for (const segment of [...segmentsOf(this.#latest), ...this.#retired]) await segment[Symbol.asyncDispose]();
    this.#retired = [];
  }

  /** The TF-IDF of passages is kept while the index stays as it is: its lengths depend on every passage. */
  #lexical(snapshot: Snapshot, method: Scorer, bm25: Bm25Options): TfIdfScorer {
    if (method !== "tf-idf") return (terms) => bm25Scores(snapshot, terms, bm25);
    if (snapshot !== this.#latest.snapshot) return tfIdfScorer(snapshot);
    if (this.#tfIdf?.of !== snapshot) this.#tfIdf = { of: snapshot, score: tfIdfScorer(snapshot) };
    return this.#tfIdf.score;
  }

  #presentUpper(upper: Latest["upper"]): NonNullable<Latest["upper"]> {
    if (upper !== undefined) return upper;
    throw new UserError(`${this.#options.folder} has no summaries to descend by. Index into another folder with --summaries.`);
  }

  #embedderFor({ manifest: { settings } }: Snapshot): Promise<EmbeddingCache["query"]> {
    const { embedding } = settings;
    if (embedding === undefined) {
      throw new UserError(
        `${this.#options.folder} has no embeddings, which dense, hybrid and convex search need. Search with bm25 or tf-idf, or index into another folder with an embedding model.`,
      );
    }
    this.#embed ??= this.#options.openEmbedding(embedding.name).then((model) => rememberedQueries(checked(model, embedding)));
    this.#embed.catch(() => (this.#embed = undefined));
    return this.#embed;
  }

  async #using<T>(action: (opened: Latest) => Promise<T>): Promise<T> {
    this.#refreshing = this.#refreshing.catch(() => undefined).then(() => this.#refresh());
    await this.#refreshing;
    this.#running++;
    try {
      return await action(this.#latest);
    } finally {
      if (--this.#running === 0) for (const segment of this.#retired.splice(0)) await segment[Symbol.asyncDispose]();
    }
  }

  async #refresh(): Promise<void> {
    const { folder } = this.#options;
    if ((await manifestVersion(folder)) === this.#latest.version) return;
    const before = segmentsOf(this.#latest);
    this.#latest = await latest(folder, before);
    const kept = new Set(segmentsOf(this.#latest));
    this.#retired.push(...before.filter((segment) => !kept.has(segment)));
    if (this.#running === 0) for (const segment of this.#retired.splice(0)) await segment[Symbol.asyncDispose]();
  }
}

const defaultMethod = ({ settings }: Manifest): Scorer => (settings.embedding === undefined ? "bm25" : "convex");

interface Ranking {
  readonly snapshot: Snapshot;
  readonly mask: Mask;
  readonly method: Scorer;
  readonly lexical: TfIdfScorer;
  readonly embed: () => Promise<EmbeddingCache["query"]>;
}

function ranking({ snapshot, mask, method, lexical: score, embed }: Ranking): { readonly sides: Sides; readonly rank: Ranker } {
  const near = async ({ query, embedded = [query], queryMap, signal }: SideQuery): Promise<Float32Array> => {
    const vector = await meanVector(await embed(), embedded, signal);
    return cosines(snapshot, queryMap === undefined ? vector : mapQuery(queryMap, vector));
  };
  const match = ({ query, terms }: SideQuery): Float64Array => score(terms ?? stemmedTerms(query));
  const lexical: Searchable = { search: async (query) => bestSlots(match(query), { snapshot, mask, k: query.k, above: 0 }) };
  const { embedding } = snapshot.manifest.settings;
  const dense: Searchable = {
    search: async (query) => bestSlots(await near(query), { snapshot, mask, k: query.k }),
    ...(embedding && {
      vectors: (passages: readonly IndexedPassage[]) =>
        vectorsOf(
          snapshot,
          passages.map(({ id }) => id),
          embedding.dimensions,
        ),
    }),
  };
  const sides = { lexical, dense };
  const convex: Ranker = async ({ weight, ...query }) =>
    bestSlots(fuseSlots([match(query), await near(query)], convexWeights(weight), mask), {
      snapshot,
      mask,
      k: query.k,
    });
  return { sides, rank: method === "convex" ? convex : ranker(method, sides, () => []) };
}

function checked(model: EmbeddingModel, { name, key }: NonNullable<FolderSettings["embedding"]>): EmbeddingModel {
  if (model.key === key) return model;
  throw new UserError(
    `The index was embedded with other files of ${name} than those here. Remove the index and index the documents again.`,
  );
}
