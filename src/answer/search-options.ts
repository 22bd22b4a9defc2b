// How a candidate's retriever is asked: its settings, with the language model where one is to work on the query or to read.
import type { RetrieverSettings } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { judgeByModel } from "../retriever/judge-by-model.ts";
import type { QueryMap } from "../retriever/query-map.ts";
import { rewriteByModel } from "../retriever/rewrite-by-model.ts";
import type { SearchOptions } from "../retriever/search.ts";

type Asked = Pick<RetrieverSettings, "weight" | "neighbours" | "feedback" | "rewrite" | "hops" | "rerank"> & {
  readonly topK: number;
  readonly queryMap?: QueryMap | undefined;
};

/** `model` is opened only where it is needed; a candidate without one neither rewrites nor reads. Follow-ups are condensed before. */
export async function searchOptions(
  { topK, weight, neighbours, queryMap, feedback = false, rewrite: kind, hops, rerank }: Asked,
  model?: () => Promise<LanguageModel>,
): Promise<SearchOptions> {
  const rewrite = kind === "condense" ? undefined : kind;
  const opened = model !== undefined && (rewrite !== undefined || rerank !== undefined) ? await model() : undefined;
  return {
    k: topK,
    ...(weight !== undefined && { weight }),
    ...(neighbours !== undefined && { neighbours }),
    ...(queryMap && { queryMap }),
    ...(feedback && { feedback: {} }),
    ...(hops !== undefined && { hops }),
    ...(opened && rewrite !== undefined && { rewrite: rewriteByModel(rewrite, opened) }),
    ...(opened && rerank !== undefined && { rerank: { judge: judgeByModel(opened), depth: rerank } }),
  };
}
