// Queries rewritten by a language model: other wordings, parts, a passage imagined, follow-ups made whole. Greedy, so the same each time.
import type { LanguageModel } from "../model.ts";
import { transcript, type Turn, turnsOf } from "../util/transcript.ts";
import { wordStarts } from "./chunk-source.ts";
import type { Rewrite } from "./query-work.ts";

export const rewriteKinds = ["rephrase", "decompose", "hyde", "condense"] as const;
export type RewriteKind = (typeof rewriteKinds)[number];

/** Tokens a model may write for one query. */
const MAX_TOKENS = 96;
/** Other wordings, or parts. */
const MOST = 3;

/** The rewriting of a kind by a model. The query itself always stays among what is searched; a follow-up condensed takes its place. */
export function rewriteByModel(kind: RewriteKind, model: LanguageModel): Rewrite {
  return rewrites[kind](model);
}

const rewrites: { readonly [K in RewriteKind]: (model: LanguageModel) => Rewrite } = {
  /** Several wordings, their rankings fused (RAG-Fusion, Raudaschl 2023). */
  rephrase: (model) =>
    byLines(model, `Write ${MOST} other wordings of the search query, one a line. Keep what it asks for. Write nothing else.`),
  /** The questions in a question (Press et al. 2022, "Measuring and narrowing the compositionality gap"). */
  decompose: (model) => byLines(model, "Write each thing that is asked as a short question of its own, one a line. Write nothing else."),
  /** A passage that might answer, embedded beside the query (Gao et al. 2022, "Precise zero-shot dense retrieval"). */
  hyde: (model) => async (query, signal) => {
    const passage = await written(model, "Write a short passage that answers the question.", query, signal);
    return [{ text: query, embedded: passage === "" ? [query] : [query, passage] }];
  },
  /** The last question of a conversation as one that stands by itself (Elgohary et al. 2019; Anantha et al. 2021, "QReCC"). */
  condense: (model) => async (query, signal) => {
    const turns = turnsOf(query);
    if (turns.length === 1) return [{ text: query }];
    const [question] = linesOf(
      await written(model, CONDENSE, `${transcript(turns.slice(-LOOKED_BACK).map(opening))}\n\nThe last question, complete:`, signal),
    );
    return question === undefined ? [] : [{ text: question }];
  },
};

/** Turns that are shown for condensing, and words of each: a small model loses the question among more. */
const LOOKED_BACK = 5;
const TURN_WORDS = 50;

function opening({ role, content }: Turn): Turn {
  return { role, content: content.slice(0, wordStarts(content)[TURN_WORDS] ?? content.length).trim() };
}

const CONDENSE =
  "Rewrite the user's last question so that it can be understood without the conversation: put in what it refers to. Write only the question.";

function byLines(model: LanguageModel, instruction: string): Rewrite {
  return async (query, signal) => {
    const lines = linesOf(await written(model, instruction, query, signal));
    const texts = new Set([query, ...lines.slice(0, MOST)]);
    return Array.from(texts, (text) => ({ text }));
  };
}

/** Without numbers, bullets and quotes at their ends; the empty ones go. */
function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) =>
      line
        .replace(/^\s*(?:[-*•]|\d+[.)])\s*/u, "")
        .replace(/^["'“]|["'”]$/gu, "")
        .trim(),
    )
    .filter((line) => line !== "");
}

async function written(model: LanguageModel, instruction: string, query: string, signal: AbortSignal | undefined): Promise<string> {
  const { text } = await model.generate({
    input: {
      kind: "chat",
      shared: 1,
      messages: [
        { role: "system", content: instruction },
        { role: "user", content: query },
      ],
    },
    decoding: { constraint: { kind: "free" }, maxTokens: MAX_TOKENS, temperature: 0, stop: [] },
    ...(signal && { signal }),
  });
  return text.trim();
}
