// A retriever: documents in, ranked passages out, by any scorer. Knows nothing of prompts or models that answer.
import type { Passage } from "../evaluation.ts";
import type { Document } from "../task.ts";
import { contentKey } from "../util/hash.ts";
import { type BuildRetrieverOptions, buildSides, chunkKey, type IndexSettings, type Sides } from "./build.ts";
import { chunker } from "./chunk.ts";
import { documentKey, type IndexedPassage, indexedPassages, PassageSet } from "./passages.ts";
import { ranker, rankedPassages, type SearchOptions } from "./ranking.ts";
import type { Side } from "./side.ts";

export interface RetrieverStats {
  readonly documents: number;
  readonly passages: number;
  /** Whether the index was read from the store instead of being built. */
  readonly loaded: boolean;
}

export interface Retriever extends AsyncDisposable {
  /** Changes whenever answers could: with documents, settings or embedding model. */
  readonly key: string;
  readonly passages: number;
  readonly stats: RetrieverStats;
  /** Every passage that can be found, as the indexes know it. */
  indexed(): readonly IndexedPassage[];
  /** At most `k` passages, best first. The lexical scorers find none for a query that shares no term with any. */
  search(query: string, options: SearchOptions): Promise<Passage[]>;
  /** Adds a document, in place of the one of its id. Costs that document; the next search uses it. */
  upsert(document: Document, signal?: AbortSignal): Promise<void>;
  /** Takes a document out; one that is not there is no error. */
  remove(id: string): Promise<void>;
}

export type { BuildRetrieverOptions, IndexSettings, SearchOptions };

/** Equal for equal settings and document contents, in whatever order the documents come. */
export function indexKey(settings: IndexSettings, documents: readonly Document[]): string {
  return keyOf(settings, new Map(documents.map((document) => [document.id, documentKey(document)])));
}

/**
 * Builds a retriever, or loads what was built before for the same settings and contents. Embeddings are computed once for each text.
 * @throws {UserError} for impossible chunk sizes, a missing embedding model, or LanceDB needed and not installed.
 */
export async function buildRetriever(options: BuildRetrieverOptions): Promise<Retriever> {
  const { settings, embedding } = options;
  const { sides, passages, loaded } = await buildSides(options);
  const set = new PassageSet();
  for (const [document, own] of passages) set.put(document, own);
  const change = changer(sides, set);
  const chunk = chunker(settings.chunk, embedding);
  return {
    get key() {
      return keyOf({ ...settings, ...(embedding && { embedding: embedding.key }) }, set.keys);
    },
    get passages() {
      return set.size;
    },
    get stats() {
      return { documents: set.documents, passages: set.size, loaded };
    },
    indexed: () => set.all(),
    search: (query, searching) =>
      rankedPassages({
        rank: ranker(settings.scorer, sides, () => set.ids()),
        sides,
        passage: (id) => set.passage(id),
        tied: (id) => set.tied(id),
        query,
        ...searching,
      }),
    upsert: async (document, signal) =>
      change({ id: document.id, document, added: indexedPassages(document, await chunk(document, signal)), signal }),
    remove: (id) => change({ id, added: [] }),
    [Symbol.asyncDispose]: () => each(sides, async (side) => side[Symbol.asyncDispose]()),
  };
}

interface Change {
  readonly id: string;
  readonly document?: Document;
  readonly added: readonly IndexedPassage[];
  readonly signal?: AbortSignal | undefined;
}

/** One change at a time: passages are in the sides before they can be found, and out of sight before they leave them. */
function changer(sides: Sides, set: PassageSet): (change: Change) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const apply = async ({ id, document, added, signal }: Change): Promise<void> => {
    const fresh = added.filter((passage) => set.passage(passage.id) === undefined);
    await each(sides, (side) => side.add(fresh, signal));
    const old = set.take(id);
    if (document !== undefined) set.put(document, added);
    await each(sides, (side) => side.remove(old.filter((passage) => set.passage(passage.id) === undefined)));
  };
  return (change) => {
    const next = last.then(() => apply(change));
    last = next.catch(() => undefined);
    return next;
  };
}

async function each(sides: Sides, action: (side: Side) => Promise<void>): Promise<void> {
  for (const side of [sides.dense, sides.lexical]) if (side !== undefined) await action(side);
}

function keyOf({ scorer, chunk, embedding, bm25 }: IndexSettings, documents: ReadonlyMap<string, string>): string {
  return contentKey({
    scorer,
    chunk: chunkKey(chunk),
    embedding,
    bm25,
    documents: Object.fromEntries(documents),
  });
}
