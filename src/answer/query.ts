// What is searched for: an input as it stands, or of a conversation the last question made to stand by itself.
import type { RetrieverSettings } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { carriedOver } from "../retriever/follow-up.ts";
import { rewriteByModel } from "../retriever/rewrite-by-model.ts";
import { turnsOf } from "../util/transcript.ts";

export interface QueryOptions {
  readonly input: string;
  readonly rewrite?: RetrieverSettings["rewrite"];
  readonly model?: (() => Promise<LanguageModel>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A follow-up is condensed by the model where the settings say so, else given what it leaves unsaid of earlier turns. */
export async function queryOf({ input, rewrite, model, signal }: QueryOptions): Promise<string> {
  const turns = turnsOf(input);
  if (turns.length === 1) return input;
  if (rewrite !== "condense" || model === undefined) return carriedOver(turns);
  const [condensed] = await rewriteByModel("condense", await model())(input, signal);
  return condensed?.text ?? carriedOver(turns);
}
