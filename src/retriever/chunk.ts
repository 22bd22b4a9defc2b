// A document as passages, by any of the ways to cut it.
import { UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import type { Document } from "../task.ts";
import { asChunks, type Chunk, type Source, sourceOf, type Span } from "./chunk-source.ts";
import { semanticSpans } from "./chunk-semantic.ts";
import { type SpanSizes, structuralSpans } from "./chunk-structure.ts";
import { fixedWindows, sentenceWindows } from "./chunk-windows.ts";

/**
 * structure: at headings, blocks, sentences. sentences: windows of whole sentences. fixed: windows of so many words. semantic: where
 * the subject changes, by an embedding model; no overlap.
 */
export const chunkMethods = ["structure", "sentences", "fixed", "semantic"] as const;
export type ChunkMethod = (typeof chunkMethods)[number];

export interface ChunkOptions extends SpanSizes {
  /** Default: structure. */
  readonly method?: ChunkMethod;
}

const spans: { readonly [M in Exclude<ChunkMethod, "semantic">]: (source: Source, sizes: SpanSizes) => Span[] } = {
  structure: structuralSpans,
  sentences: sentenceWindows,
  fixed: fixedWindows,
};

/**
 * Passages of a document in order, each of at most `words` words, together holding every word of it.
 *
 * A word is a run of characters that are no space, or one Chinese character or hiragana.
 * @throws {UserError} unless words >= 1 and 0 <= overlap < words.
 */
export function chunkDocument(
  { text }: Pick<Document, "text">,
  { words, overlap, method = "structure" }: ChunkOptions & { readonly method?: Exclude<ChunkMethod, "semantic"> },
): Chunk[] {
  checkSizes({ words, overlap });
  const source = sourceOf(text);
  return asChunks(source, spans[method](source, { words, overlap }));
}

/** The one passage of a picture or a sound: its description, whatever its length. */
export function wholeChunk({ text }: Pick<Document, "text">): Chunk {
  return { start: 0, end: text.length, context: [] };
}

export type Chunker = (document: Pick<Document, "text">, signal?: AbortSignal) => Promise<Chunk[]>;

/**
 * How documents are cut under these options.
 * @throws {UserError} for impossible sizes, and for semantic without an embedding model.
 */
export function chunker({ method = "structure", ...sizes }: ChunkOptions, embedding: Pick<EmbeddingModel, "embed"> | undefined): Chunker {
  checkSizes(sizes);
  if (method !== "semantic") return async (document) => chunkDocument(document, { method, ...sizes });
  if (embedding === undefined)
    throw new UserError('chunk.method is "semantic", which needs an embedding model. Name one, for example all-minilm-l6-v2.');
  return async ({ text }, signal) => {
    const source = sourceOf(text);
    return asChunks(
      source,
      await semanticSpans(source, { words: sizes.words, embed: (texts, stop) => embedding.embed(texts, stop), signal }),
    );
  };
}

function checkSizes({ words, overlap }: SpanSizes): void {
  if (!(words >= 1)) throw new UserError(`chunk.words is ${words}. Set it to 1 or more; 200 suits most documents.`);
  if (!(overlap >= 0 && overlap < words))
    throw new UserError(`chunk.overlap is ${overlap}, chunk.words ${words}. Set overlap to at least 0 and less than words.`);
}
