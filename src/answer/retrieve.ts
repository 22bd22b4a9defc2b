// What a candidate looks up before it answers. Knows nothing of prompts.
import type { Abstention, RetrieverSettings } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import type { LanguageModel } from "../model.ts";
import { queryOf } from "./query.ts";
import type { AnswerResources } from "./resources.ts";
import { searchOptions } from "./search-options.ts";

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
  const query = await queryOf({ input, rewrite: settings.rewrite, model, signal });
  const retriever = await resources.retriever(settings);
  const passages = await retriever.search(query, { ...(await searchOptions(settings, model)), signal });
  return { query, passages };
}

/** How sure it is that the answer stands in what was retrieved: the best score, in the unit of the scorer; nothing found is the least. */
export const retrievalConfidence = (passages: readonly Passage[]): number =>
  passages.reduce((most, { score }) => Math.max(most, score), Number.NEGATIVE_INFINITY);

export function abstains(abstention: Abstention | undefined, passages: readonly Passage[]): abstention is Abstention {
  return abstention !== undefined && retrievalConfidence(passages) < abstention.threshold;
}
