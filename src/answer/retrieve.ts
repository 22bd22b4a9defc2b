// What a candidate looks up before it answers. Knows nothing of prompts.
import type { Abstention, RetrieverSettings } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import type { LanguageModel } from "../model.ts";
import { ranked } from "../metric/evidence.ts";
import { embedder } from "./embedder.ts";
import { queryOf } from "./query.ts";
import type { AnswerResources } from "./resources.ts";
import { searchOptions } from "./search-options.ts";
import { scoreSentences } from "./sentence-scores.ts";

export interface RetrieveOptions {
  readonly settings: RetrieverSettings;
  readonly input: string;
  readonly resources: AnswerResources;
  /** What rewrites queries and reads passages, opened where it is needed. */
  readonly model?: () => Promise<LanguageModel>;
  readonly signal?: AbortSignal | undefined;
}

export interface Retrieved {
  /** What was searched for: the input, or of a conversation its last question made whole. */
  readonly query: string;
  /** Best first. */
  readonly passages: readonly Passage[];
}

export async function retrieve({ settings, input, resources, model, signal }: RetrieveOptions): Promise<Retrieved> {
  const { text, ...searched } = await queryOf({ input, rewrite: settings.rewrite, model, signal });
  const retriever = await resources.retriever(settings);
  const queryMap = settings.queryMap && (await resources.queryMap(settings.queryMap));
  const passages = await retriever.search(text, {
    ...searched,
    ...(await searchOptions({ ...settings, queryMap }, { model, crossEncoder: resources.crossEncoder })),
    signal,
  });
  return { query: text, passages };
}

export interface ConfidenceOptions {
  readonly question: string;
  readonly passages: readonly Passage[];
  /** Of the retriever, where it has one. */
  readonly embedding?: string | undefined;
  readonly resources: Pick<AnswerResources, "embedding">;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How sure it is that the answer stands in the passages: how well their best sentence answers, from 0 (nothing found) to 1. Scores of
 * passages tell less, and those of one scorer, rewriting or re-ranking can't be compared with another's.
 */
export async function retrievalConfidence({ question, passages, embedding, resources, signal }: ConfidenceOptions): Promise<number> {
  const embed = embedding === undefined ? undefined : await embedder(embedding, resources);
  const scored = await scoreSentences({ question, passages: ranked(passages), embed, signal });
  return scored.reduce((most, { score }) => Math.max(most, score), 0);
}

/** The text that is said in place of an answer, where the confidence is below the threshold. */
export async function abstains(abstention: Abstention | undefined, options: ConfidenceOptions): Promise<string | undefined> {
  if (abstention === undefined) return undefined;
  return (await retrievalConfidence(options)) < abstention.threshold ? abstention.text : undefined;
}
