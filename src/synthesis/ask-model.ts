// Has a language model word the question to an answer that stands in a passage. The answer is chosen before, so that it is always right.
import type { LanguageModel } from "../model.ts";
import { words } from "../util/words.ts";
import type { Draft } from "./draft.ts";

const instruction =
  "Write one short question about the passage whose answer is the answer given. Do not mention the passage. Write the question only.";
const MAX_TOKENS = 48;
const FEWEST_WORDS = 4;
const MOST_WORDS = 30;

/** The drafts' questions in a model's words (answer-aware generation: Alberti et al. 2019); those that are none are left out. */
export async function askModel(model: LanguageModel, passage: string, draft: Draft, signal?: AbortSignal): Promise<Draft | undefined> {
  const { text } = await model.generate({
    input: {
      kind: "chat",
      shared: 1,
      messages: [
        { role: "system", content: instruction },
        { role: "user", content: `Passage: ${passage}\n\nAnswer: ${draft.answer}` },
      ],
    },
    decoding: { constraint: { kind: "free" }, maxTokens: MAX_TOKENS, temperature: 0, stop: ["\n"] },
    ...(signal && { signal }),
  });
  const question = questionIn(text, draft.answer);
  return question === undefined ? undefined : { ...draft, made: "model", question };
}

/** One sentence that asks, and does not give its answer away. */
export function questionIn(text: string, answer: string): string | undefined {
  const line = text
    .trim()
    .split("\n")[0]!
    .replace(/^\s*(?:question\s*:|[-*\d.)]+\s)\s*/i, "")
    .replaceAll(/^["'“]|["'”]$/g, "")
    .trim();
  const question = /^[^?]*\?/.exec(line)?.[0];
  const count = question === undefined ? 0 : words(question).length;
  if (question === undefined || count < FEWEST_WORDS || count > MOST_WORDS || /\bpassage|\bthe text\b/i.test(question)) return undefined;
  return question.toLowerCase().includes(answer.toLowerCase()) ? undefined : question;
}
