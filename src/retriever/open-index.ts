// An index folder, opened for searching. Each search sees what was committed last. Knows nothing of files that are indexed.
import type { Scorer } from "../candidate.ts";
import { Unreadable } from "../document/limits.ts";
import { UserError } from "../errors.ts";
import type { Passage } from "../evaluation.ts";
import { mediaNames } from "../media/formats.ts";
import type { EmbeddingModel, Media } from "../model.ts";
import type { Document } from "../task.ts";
import { type Bm25Query, bm25Query } from "./best-bm25.ts";
import type { Bm25Options } from "./bm25.ts";
import { descend, type Descent } from "./descend.ts";
import { type EmbeddingCache, meanVector, rememberedQueries } from "./embedding-cache.ts";
import type { TiedDocument } from "./hops.ts";
import type { WeightedTerms } from "./feedback.ts";
import { type Level, levels } from "./levels.ts";
import { type FolderSettings, type Manifest, manifestVersion, ofLevel, readManifest, type Sources } from "./manifest.ts";
import { type Condition, fieldsOf, matches } from "./metadata.ts";
import { PageCache } from "./paged-file.ts";
import { type IndexedPassage, placeOf } from "./passages.ts";
import { mapQuery } from "./query-map.ts";
import { convexWeights, rankedPassages, type Ranker, ranker, type SearchOptions, type Sides } from "./ranking.ts";
import type { DocumentEntry, Segment } from "./segment.ts";
import type { Searchable, SideQuery } from "./side.ts";
import { bestScored, fusedSlots, lexicalSlots, nearestSlots, type Scope, scopeOf, vectorsOf } from "./slot-search.ts";
import { Snapshot } from "./snapshot.ts";
import { stemmedTerms } from "../util/terms.ts";
import { type TfIdfScorer, tfIdfScorer } from "./tf-idf.ts";

export interface OpenIndexOptions {
  readonly folder: string;
  /** Opens the model that the index was embedded with, when a search first needs it. */
  readonly openEmbedding: (name: string) => Promise<EmbeddingModel>;
  /** Passages up to which a search compares the vectors of all. */
  readonly exactUpTo?: number;
}

export interface IndexSearchOptions extends Partial<SearchOptions> {
  /** Default: convex where there are embeddings, else bm25. */
  readonly method?: Scorer;
  /** Conditions on the documents' metadata, all of which must hold. */
  readonly where?: readonly Condition[];
  readonly bm25?: Bm25Options;
  /** What is near this picture or sound is found, in the place of what the query means; its words still count. Default method then: dense. */
  readonly like?: Media;
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
  const pages = new PageCache();
  return new OpenIndex(options, pages, await latest(options.folder, pages));
}

interface Latest {
  readonly snapshot: Snapshot;
  readonly upper?: { readonly [L in Level]: Snapshot };
  readonly version: string;
}

/** What was committed last. A writer may remove segments between the reading of a manifest and of what it names: then there is a newer one. */
async function latest(folder: string, pages: PageCache, earlier: readonly Segment[] = []): Promise<Latest> {
  for (;;) {
    const version = await manifestVersion(folder);
    const manifest = version && (await readManifest(folder));
    if (!manifest) throw new UserError(`There is no index in ${folder}. To make one, run: sartor index <documents>`);
    try {
      const snapshot = Snapshot.open(folder, manifest, pages, earlier);
      if (manifest.upper === undefined) return { snapshot, version };
      const at = (level: Level): Snapshot => Snapshot.open(folder, ofLevel(manifest, level), pages, earlier);
      return { snapshot, upper: { document: at("document"), section: at("section") }, version };
    } catch (error) {
      if (version === (await manifestVersion(folder))) throw error;
    }
  }
}

const segmentsOf = ({ snapshot, upper }: Latest): Segment[] =>
  [snapshot, ...(upper === undefined ? [] : levels.map((level) => upper[level]))].flatMap(({ segments }) => segments);

export class OpenIndex implements AsyncDisposable {
  readonly #options: OpenIndexOptions;
  readonly #pages: PageCache;
  #latest: Latest;
  /** Searches under way, and segments that only they may still need. */
  #running = 0;
  #retired: Segment[] = [];
  #embed: Promise<Embedder> | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #tfIdf: { readonly of: Snapshot; readonly score: TfIdfScorer } | undefined;
  #masked: { readonly of: Snapshot; readonly key: string; readonly mask: Uint8Array } | undefined;

  constructor(options: OpenIndexOptions, pages: PageCache, opened: Latest) {
    this.#options = options;
    this.#pages = pages;
    this.#latest = opened;
  }

  get stats(): IndexStats {
    const { documents, size, parts, manifest } = this.#latest.snapshot;
    return { documents, passages: size, segments: parts.length, settings: manifest.settings, sources: manifest.sources };
  }

  /** Every document that can be found, without its text. */
  entries(): readonly DocumentEntry[] {
    const { snapshot } = this.#latest;
    return Array.from(snapshot.places(), (place) => snapshot.entry(place));
  }

  /** A document with its text; none of that id is undefined. */
  async document(id: string): Promise<Document | undefined> {
    return this.#using(async ({ snapshot }) => {
      const place = snapshot.find(id);
      return place && snapshot.read(place).document;
    });
  }

  /** Every passage's unit vector with where it begins: what embeddings are tuned on. None in an index without embeddings. */
  async vectors(): Promise<readonly PassageVector[]> {
    return this.#using(async ({ snapshot }) => {
      const { embedding } = snapshot.manifest.settings;
      if (embedding === undefined) return [];
      const ids = Array.from(snapshot.live(), (slot) => snapshot.idOf(slot));
      const vectors = vectorsOf(snapshot, ids, embedding.dimensions);
      return ids.map((id, at) => ({ document: placeOf(id).document, start: placeOf(id).start, vector: vectors[at]! }));
    });
  }

  /**
   * At most `k` passages, best first, from what was committed last.
   * @throws {UserError} for a method that needs embeddings, where the index has none.
   */
  async search(
    query: string,
    { method, k = 10, where = [], bm25 = {}, like, descend: down, ...options }: IndexSearchOptions = {},
  ): Promise<Passage[]> {
    return this.#using(async ({ snapshot, upper }) => {
      const as = method ?? defaultMethod(snapshot.manifest, like !== undefined && query.trim() === "");
      const embed = queryEmbedder((of) => this.#embedderFor(of), like);
      const on = (of: Snapshot, mask: Uint8Array | undefined): ReturnType<typeof ranking> =>
        ranking({
          scope: scopeOf(of, mask, this.#options.exactUpTo),
          method: as,
          bm25: (terms) => bm25Query(of, terms, bm25),
          tfIdf: () => this.#tfIdfOf(of),
          embed: () => embed(of),
        });
      const accept = (entry: DocumentEntry): boolean => matches(fieldsOf(entry), where);
      const mask =
        down === undefined
          ? where.length === 0
            ? undefined
            : this.#maskOf(snapshot, where, accept)
          : await descend({
              snapshot,
              upper: this.#presentUpper(upper),
              accept: (id) => accept(snapshot.entry(snapshot.find(id)!)),
              rank: async (of, within, most) => on(of, within).rank({ query, k: most, signal: options.signal }),
              ...down,
            });
      return rankedPassages({
        ...on(snapshot, mask),
        passage: (id) => snapshot.passage(id),
        tied: (id) => tiedDocument(snapshot, mask, id),
        query,
        k,
        ...options,
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refreshing.catch(() => undefined);
    for (const segment of [...segmentsOf(this.#latest), ...this.#retired]) segment[Symbol.dispose]();
    this.#retired = [];
  }

  /** The TF-IDF of passages is kept while the index stays as it is: its lengths depend on every passage. */
  #tfIdfOf(snapshot: Snapshot): TfIdfScorer {
    if (snapshot !== this.#latest.snapshot) return tfIdfScorer(snapshot);
    if (this.#tfIdf?.of !== snapshot) this.#tfIdf = { of: snapshot, score: tfIdfScorer(snapshot) };
    return this.#tfIdf.score;
  }

  /** Conditions are tried on every document: what they leave is kept for the next search of the same. */
  #maskOf(snapshot: Snapshot, where: readonly Condition[], accept: (entry: DocumentEntry) => boolean): Uint8Array {
    const key = JSON.stringify(where);
    if (this.#masked?.of !== snapshot || this.#masked.key !== key) this.#masked = { of: snapshot, key, mask: snapshot.mask(accept) };
    return this.#masked.mask;
  }

  #presentUpper(upper: Latest["upper"]): NonNullable<Latest["upper"]> {
    if (upper !== undefined) return upper;
    throw new UserError(`${this.#options.folder} has no summaries to descend by. Index into another folder with --summaries.`);
  }

  #embedderFor({ manifest: { settings } }: Snapshot): Promise<Embedder> {
    const { embedding } = settings;
    if (embedding === undefined) {
      throw new UserError(
        `${this.#options.folder} has no embeddings, which dense, hybrid and convex search need. Search with bm25 or tf-idf, or index into another folder with an embedding model.`,
      );
    }
    this.#embed ??= this.#options.openEmbedding(embedding.name).then((model) => embedderOf(checked(model, embedding)));
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
      if (--this.#running === 0) for (const segment of this.#retired.splice(0)) segment[Symbol.dispose]();
    }
  }

  async #refresh(): Promise<void> {
    const { folder } = this.#options;
    if ((await manifestVersion(folder)) === this.#latest.version) return;
    const before = segmentsOf(this.#latest);
    this.#latest = await latest(folder, this.#pages, before);
    const kept = new Set(segmentsOf(this.#latest));
    this.#retired.push(...before.filter((segment) => !kept.has(segment)));
    if (this.#running === 0) for (const segment of this.#retired.splice(0)) segment[Symbol.dispose]();
  }
}

/** Its passages of the mask, and its ties, read from its segment. */
function tiedDocument(snapshot: Snapshot, mask: Uint8Array | undefined, id: string): TiedDocument | undefined {
  const place = snapshot.find(id);
  if (place === undefined) return undefined;
  const [first, end] = snapshot.slotsOf(place);
  const slots = Array.from({ length: end - first }, (_, at) => first + at).filter((slot) => mask?.[slot] !== 0);
  const { document } = snapshot.read(place);
  return { neighbours: document.neighbours ?? [], passages: slots.map((slot) => snapshot.idOf(slot)) };
}

/** Without any words only the embeddings tell passages apart. */
const defaultMethod = ({ settings }: Manifest, wordless: boolean): Scorer =>
  wordless ? "dense" : settings.embedding === undefined ? "bm25" : "convex";

type Embedder = Pick<EmbeddingCache, "query" | "media">;

function embedderOf(model: EmbeddingModel): Embedder {
  const media: Embedder["media"] = async (like, signal) => {
    if (model.media === undefined)
      throw new UserError(
        `The index was embedded with ${model.id}, which knows texts alone. Index with a multi-modal model to search by a file.`,
      );
    return model.media.embed(like, signal).catch((cause: unknown) => {
      throw cause instanceof Unreadable ? new UserError(`The ${mediaNames[like.kind]} searched for ${cause.message}`, { cause }) : cause;
    });
  };
  return { query: rememberedQueries(model), media };
}

/** What the dense side embeds of a query: its text, or the file in its place, once. */
function queryEmbedder(open: (of: Snapshot) => Promise<Embedder>, like: Media | undefined): (of: Snapshot) => Promise<Embedder["query"]> {
  let near: Promise<Float32Array> | undefined;
  return async (of) => {
    const { query, media } = await open(of);
    return like === undefined ? query : (_, signal) => (near ??= media(like, signal));
  };
}

interface Ranking {
  readonly scope: Scope;
  readonly method: Scorer;
  readonly bm25: (terms: readonly string[] | WeightedTerms) => Bm25Query;
  readonly tfIdf: () => TfIdfScorer;
  readonly embed: () => Promise<EmbeddingCache["query"]>;
}

function ranking({ scope, method, bm25, tfIdf, embed }: Ranking): { readonly sides: Sides; readonly rank: Ranker } {
  const { snapshot } = scope;
  const termsOf = ({ query, terms }: SideQuery): readonly string[] | WeightedTerms => terms ?? stemmedTerms(query);
  const vectorOf = async ({ query, embedded = [query], queryMap, signal }: SideQuery): Promise<Float32Array> => {
    const vector = await meanVector(await embed(), embedded, signal);
    return queryMap === undefined ? vector : mapQuery(queryMap, vector);
  };
  const lexical: Searchable = {
    search: async (query) =>
      (method === "tf-idf"
        ? bestScored(tfIdf()(termsOf(query)), scope, query.k, 0)
        : lexicalSlots(scope, bm25(termsOf(query)), query.k)
      ).found(),
  };
  const { embedding } = snapshot.manifest.settings;
  const dense: Searchable = {
    search: async (query) => nearestSlots(scope, await vectorOf(query), query.k).found(),
    ...(embedding && {
      vectors: async (passages: readonly IndexedPassage[]) =>
        vectorsOf(
          snapshot,
          passages.map(({ id }) => id),
          embedding.dimensions,
        ),
    }),
  };
  const sides = { lexical, dense };
  const convex: Ranker = async ({ weight, ...query }) =>
    fusedSlots(scope, bm25(termsOf(query)), await vectorOf(query), convexWeights(weight), query.k).found();
  return { sides, rank: method === "convex" ? convex : ranker(method, sides, () => []) };
}

function checked(model: EmbeddingModel, { name, key }: NonNullable<FolderSettings["embedding"]>): EmbeddingModel {
  if (model.key === key) return model;
  throw new UserError(
    `The index was embedded with other files of ${name} than those here. Remove the index and index the documents again.`,
  );
}
