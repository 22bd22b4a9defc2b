// The passages of a set of documents: which there are now, each under an id that changes with its document.
import type { Document } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import type { TiedDocument } from "./hops.ts";
import { type Chunk, indexText } from "./chunk-source.ts";

/** A passage as the indexes know it. */
export interface IndexedPassage {
  readonly id: string;
  readonly document: Document;
  readonly chunk: Chunk;
}

/** What decides a document's passages: not the hash of its file, of which another version of this software may make another text. */
export function documentKey({ title, text, media }: Pick<Document, "title" | "text" | "media">): string {
  return sha256(media === undefined ? `${title}\n${text}` : `${media.kind} ${media.sha256}\n${title}\n${text}`);
}

export function indexedPassages(document: Document, chunks: readonly Chunk[]): IndexedPassage[] {
  const key = documentKey(document);
  return chunks.map((chunk) => ({ id: passageId({ document: document.id, key, start: chunk.start }), document, chunk }));
}

/** Where a passage begins, in which version of which document. */
export interface PassagePlace {
  readonly document: string;
  /** The document's {@link documentKey}, or how it begins. */
  readonly key: string;
  readonly start: number;
}

/** Ids come in the order of documents, then of places: equal scores are ranked by them. */
export function passageId({ document, key, start }: PassagePlace): string {
  return `${document}#${key.slice(0, 16)}#${String(start).padStart(10, "0")}`;
}

/** The place that an id names; `key` has 16 digits. */
export function placeOf(id: string): PassagePlace {
  const version = id.length - 27;
  return { document: id.slice(0, version - 1), key: id.slice(version, version + 16), start: Number(id.slice(version + 17)) };
}

export function textOf({ document, chunk }: IndexedPassage): string {
  return indexText(document, chunk);
}

/** The documents that can be found now, with their passages. */
export class PassageSet {
  readonly #documents = new Map<
    string,
    { readonly key: string; readonly neighbours: readonly string[]; readonly passages: readonly IndexedPassage[] }
  >();
  readonly #passages = new Map<string, IndexedPassage>();

  get documents(): number {
    return this.#documents.size;
  }

  get size(): number {
    return this.#passages.size;
  }

  /** Content keys by document id. */
  get keys(): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#documents, ([id, { key }]) => [id, key]));
  }

  passage(id: string): IndexedPassage | undefined {
    return this.#passages.get(id);
  }

  /** A document as a place on the way to others. */
  tied(document: string): TiedDocument | undefined {
    const found = this.#documents.get(document);
    return found && { neighbours: found.neighbours, passages: found.passages.map(({ id }) => id) };
  }

  ids(): readonly string[] {
    return [...this.#passages.keys()];
  }

  all(): readonly IndexedPassage[] {
    return [...this.#passages.values()];
  }

  /** Puts a document in, in place of the one of its id. */
  put(document: Document, passages: readonly IndexedPassage[]): void {
    this.take(document.id);
    this.#documents.set(document.id, { key: documentKey(document), neighbours: document.neighbours ?? [], passages });
    for (const passage of passages) this.#passages.set(passage.id, passage);
  }

  /** Takes a document out and returns its passages. */
  take(id: string): readonly IndexedPassage[] {
    const passages = this.#documents.get(id)?.passages ?? [];
    for (const passage of passages) this.#passages.delete(passage.id);
    this.#documents.delete(id);
    return passages;
  }
}
