// An answer in the shapes of the OpenAI protocol: one completion, or the chunks of a stream. Sources ride along as an extension.
import type { ServedAnswer } from "../index.ts";

/** What every shape of one answer begins with. */
export interface Envelope {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Id of the candidate that answers. */
  readonly model: string;
}

export interface Source {
  readonly document: string;
  readonly title: string;
  /** Characters of the document's Markdown text. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly score: number;
  /** The pages it stands on, in order, where the document has pages. */
  readonly pages?: readonly number[];
  /** Whether a sentence of the answer is supported by it, where that was checked. */
  readonly cited?: boolean;
}

export interface Extension {
  /** The passages the answer was made from, in the order in which they were shown. Empty for candidates that retrieve nothing. */
  readonly sources: readonly Source[];
  /** What was searched for, where not the input itself: a follow-up made whole. */
  readonly query?: string;
  /** In [0, 1]; absent where the model does not say. */
  readonly confidence?: number;
}

export function completion(envelope: Envelope, answer: ServedAnswer): object {
  const message = { role: "assistant", content: answer.output, refusal: null, ...extension(answer) };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: answer.finish }];
  return { ...envelope, object: "chat.completion", choices, usage: usage(answer) };
}

export interface Chunks {
  role(): object;
  text(content: string): object;
  /** Ends the text; the sources are known by now. */
  finish(answer: ServedAnswer): object;
  usage(answer: ServedAnswer): object;
}

/** With `includeUsage` every chunk names a usage, null but in the last, as the protocol has it. */
export function chunks(envelope: Envelope, { includeUsage }: { readonly includeUsage: boolean }): Chunks {
  const base = { ...envelope, object: "chat.completion.chunk" };
  const chunk = (delta: object, finish: ServedAnswer["finish"] | null = null): object => {
    return { ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(includeUsage ? { usage: null } : {}) };
  };
  return {
    role: () => chunk({ role: "assistant", content: "" }),
    text: (content) => chunk({ content }),
    finish: (answer) => chunk(extension(answer), answer.finish),
    usage: (answer) => ({ ...base, choices: [], usage: usage(answer) }),
  };
}

function extension({ passages, query, cited, confidence }: ServedAnswer): Extension {
  const numbers = cited && new Set(cited.sentences.flatMap(({ citations }) => citations));
  const sources = passages.map(({ document, title, start, end, text, score, pages }, index) => ({
    document,
    title,
    start,
    end,
    text,
    score,
    ...(pages && { pages: pages.map(({ page }) => page) }),
    ...(numbers && { cited: numbers.has(index + 1) }),
  }));
  return { sources, ...(query === undefined ? {} : { query }), ...(confidence === undefined ? {} : { confidence }) };
}

function usage({ tokens: { input, output } }: ServedAnswer): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
