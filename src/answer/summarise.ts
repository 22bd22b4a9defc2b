// Summaries of what was retrieved, with the question in view, by the candidate's own model without its adapter; kept by content.
import type { Passage } from "../evaluation.ts";
import type { LanguageModel, TokenCount } from "../model.ts";
import { fence } from "../retriever/fence.ts";
import type { Store } from "../store.ts";
import { contentKey } from "../util/hash.ts";

export interface Summary {
  readonly text: string;
  readonly tokens: TokenCount;
}

export interface SummariseOptions {
  readonly model: LanguageModel;
  readonly question: string;
  readonly passages: readonly Passage[];
  readonly maxTokens: number;
  /** Where summaries are kept; none is looked up or kept where left out. */
  readonly store?: Store | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One short text that holds what the passages say about the question, and what it took when it was made. Greedy, so the same each time. */
export async function summarise({ store, ...options }: SummariseOptions): Promise<Summary> {
  const { model, question, passages, maxTokens } = options;
  const key = `${contentKey([model.key, instruction, question, passages.map(({ title, text }) => [title, text]), maxTokens])}.json`;
  const kept = await store?.readText(key);
  if (kept !== undefined) return JSON.parse(kept) as Summary;
  const summary = await written(options);
  await store?.writeText(key, JSON.stringify(summary));
  return summary;
}

const instruction = "Summarise what the passages say about the question, in one or two sentences, with every number and name that matters.";

async function written({ model, question, passages, maxTokens, signal }: Omit<SummariseOptions, "store">): Promise<Summary> {
  const listed = passages
    .map(fence(["Question:"]))
    .map(({ title, text }) => `${title}: ${text}`)
    .join("\n\n");
  const { text, tokens } = await model.generate({
    input: {
      kind: "chat",
      shared: 1,
      messages: [
        { role: "system", content: instruction },
        { role: "user", content: `${listed}\n\nQuestion: ${question}` },
      ],
    },
    decoding: { constraint: { kind: "free" }, maxTokens, temperature: 0, stop: [] },
    ...(signal && { signal }),
  });
  return { text: text.trim(), tokens };
}
