// Summaries of what was retrieved, with the question in view, by the candidate's own model without its adapter.
import type { Passage } from "../evaluation.ts";
import type { LanguageModel, TokenCount } from "../model.ts";
import { fence } from "../retriever/fence.ts";

export interface Summary {
  readonly text: string;
  readonly tokens: TokenCount;
}

/** One short text that holds what the passages say about the question. Greedy, so the same each time. */
export async function summarise(options: {
  readonly model: LanguageModel;
  readonly question: string;
  readonly passages: readonly Passage[];
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
}): Promise<Summary> {
  const { model, question, passages, maxTokens, signal } = options;
  const fenced = passages.map(fence(["Question:"]));
  const listed = fenced.map(({ title, text }) => `${title}: ${text}`).join("\n\n");
  const { text, tokens } = await model.generate({
    input: {
      kind: "chat",
      shared: 1,
      messages: [
        {
          role: "system",
          content: "Summarise what the passages say about the question, in one or two sentences, with every number and name that matters.",
        },
        { role: "user", content: `${listed}\n\nQuestion: ${question}` },
      ],
    },
    decoding: { constraint: { kind: "free" }, maxTokens, temperature: 0, stop: [] },
    ...(signal && { signal }),
  });
  return { text: text.trim(), tokens };
}
