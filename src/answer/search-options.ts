// How a candidate's retriever is asked: its settings, with the models that are to work on the query or to read, where there are any.
import type { RetrieverSettings } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { type CrossEncoder, judgeByCrossEncoder } from "../retriever/cross-encoder.ts";
import { judgeByModel } from "../retriever/judge-by-model.ts";
import type { QueryMap } from "../retriever/query-map.ts";
import { defaultDepth, type Judge } from "../retriever/rerank.ts";
import { rewriteByModel } from "../retriever/rewrite-by-model.ts";
import type { SearchOptions } from "../retriever/search.ts";

type Asked = Pick<RetrieverSettings, "weight" | "neighbours" | "feedback" | "rewrite" | "hops" | "rerank" | "crossEncoder"> & {
  readonly topK: number;
  readonly queryMap?: QueryMap | undefined;
};

/** Opened only where they are needed. */
export interface Readers {
  /** A candidate without one neither rewrites nor reads, but by a cross-encoder. */
  readonly model?: (() => Promise<LanguageModel>) | undefined;
  readonly crossEncoder: (folder: string) => Promise<Pick<CrossEncoder, "score">>;
}

/** Follow-ups are condensed before. */
export async function searchOptions(
  { topK, weight, neighbours, queryMap, feedback = false, rewrite: kind, hops, ...reading }: Asked,
  readers: Readers,
): Promise<SearchOptions> {
  const rewrite = kind === "condense" || readers.model === undefined ? undefined : kind;
  const judge = await judgeOf(reading, readers);
  return {
    k: topK,
    ...(weight !== undefined && { weight }),
    ...(neighbours !== undefined && { neighbours }),
    ...(queryMap && { queryMap }),
    ...(feedback && { feedback: {} }),
    ...(hops !== undefined && { hops }),
    ...(rewrite !== undefined && { rewrite: rewriteByModel(rewrite, await readers.model!()) }),
    ...(judge && { rerank: { judge, depth: reading.rerank ?? defaultDepth } }),
  };
}

async function judgeOf(
  { rerank, crossEncoder: folder }: Pick<Asked, "rerank" | "crossEncoder">,
  readers: Readers,
): Promise<Judge | undefined> {
  if (folder !== undefined) return judgeByCrossEncoder(await readers.crossEncoder(folder));
  return rerank === undefined || readers.model === undefined ? undefined : judgeByModel(await readers.model());
}
