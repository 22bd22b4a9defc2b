// What is searched for: an input as it stands, or of a conversation the last question made to stand by itself.
import type { RetrieverSettings } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { followUp } from "../retriever/follow-up.ts";
import type { Rewrite } from "../retriever/query-work.ts";
import { rewriteByModel } from "../retriever/rewrite-by-model.ts";
import { turnsOf } from "../util/transcript.ts";

export interface QueryOptions {
  readonly input: string;
  readonly rewrite?: RetrieverSettings["rewrite"] | undefined;
  readonly model?: (() => Promise<LanguageModel>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Query {
  readonly text: string;
  /** How it is searched for, where not as it stands and the settings name no other way. */
  readonly rewrite?: Rewrite;
}

/** A follow-up is condensed by the model where the settings say so, else searched for with the questions before it. */
export async function queryOf({ input, rewrite, model, signal }: QueryOptions): Promise<Query> {
  const turns = turnsOf(input);
  if (turns.length === 1) return { text: input };
  if (rewrite === "condense" && model !== undefined) {
    const [condensed] = await rewriteByModel("condense", await model())(input, signal);
    if (condensed !== undefined) return condensed;
  }
  const { query, rewritten } = followUp(turns);
  return { text: query, rewrite: async () => [rewritten] };
}
