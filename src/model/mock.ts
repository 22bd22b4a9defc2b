// A model for tests: answers by a function, counts words as tokens, always the same. Holds the contract that real models hold.
import {
  type AdapterFile,
  ContextOverflow,
  type GenerateRequest,
  type Generation,
  type LocalLanguageModel,
  type ModelInput,
} from "../model.ts";
import { closestLabel } from "./closest-label.ts";

export interface MockModelOptions {
  readonly id?: string;
  /**
   * Answers to the input as one text (messages as `role: content` lines, or the plain text). An Error is thrown; under closed labels
   * the label closest to the text is chosen.
   */
  readonly answer: (text: string, request: GenerateRequest) => string | Error;
  readonly contextLength?: number;
}

/** A word's token; 0 is kept for the end of an answer. */
const vocabularySize = 1 << 20;
/** How sure it is of the label it answers with. */
const sure = 0.9;

export function mockModel({ id = "mock", answer, contextLength = 4096 }: MockModelOptions): LocalLanguageModel {
  return {
    id,
    key: `mock ${id}`,
    contextLength,
    local: true,
    path: `${id}.gguf`,
    bytes: 0,
    generate: async (request) => generate({ id, answer, contextLength }, request),
    countTokens: (text) => wordsOf(text).length,
    tokenizeText: (text) => wordsOf(text).map(tokenOf),
    tokenize: (input, completion) => {
      const prompt = wordsOf(mockText(input)).map(tokenOf);
      return { tokens: [...prompt, ...wordsOf(completion).map(tokenOf), 0], promptLength: prompt.length };
    },
    score: async (tokens, adapter, from = 1) =>
      tokens
        .slice(1)
        .map((token, at) => mockScore(tokens[at] ?? 0, token, adapter))
        .slice(from - 1),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function generate({ id, answer, contextLength }: Required<MockModelOptions>, request: GenerateRequest): Generation {
  const { signal, onText, decoding } = request;
  signal?.throwIfAborted();
  const text = mockText(request.input);
  const input = wordsOf(text).length;
  const { constraint, maxTokens } = decoding;
  const room = constraint.kind === "labels" ? Math.max(0, ...constraint.labels.map((label) => wordsOf(label).length)) : maxTokens;
  if (input + room > contextLength) {
    throw new ContextOverflow(
      `The input of ${input} tokens and an answer of up to ${room} do not fit the ${contextLength} tokens of "${id}".`,
    );
  }
  const said = answer(text, request);
  if (said instanceof Error) throw said;
  const written =
    constraint.kind === "labels" ? { text: closestLabel(said, constraint.labels), finish: "stop" as const } : cut(said, decoding);
  for (const piece of written.text.match(/\S+\s*/g) ?? []) onText?.(piece);
  signal?.throwIfAborted();
  const output = wordsOf(written.text).length;
  return {
    ...written,
    tokens: { input, output },
    seconds: (input + output) / 1000,
    confidence: Math.log(sure),
    ...(constraint.kind === "labels" ? { labels: mockLabels(written.text, constraint.labels) } : {}),
  };
}

/** The input as the text that the mock's `answer` is given. */
export function mockText(input: ModelInput): string {
  return input.kind === "completion" ? input.text : input.messages.map(({ role, content }) => `${role}: ${content}`).join("\n");
}

function cut(said: string, { stop, maxTokens }: GenerateRequest["decoding"]): Pick<Generation, "text" | "finish"> {
  const text = said.trim();
  const ends = stop.map((one) => text.indexOf(one)).filter((at) => at >= 0);
  const stopped = text.slice(0, Math.min(text.length, ...ends)).trim();
  const pieces = stopped.match(/\S+\s*/g) ?? [];
  if (pieces.length <= maxTokens) return { text: stopped, finish: "stop" };
  return { text: pieces.slice(0, maxTokens).join("").trim(), finish: "length" };
}

function mockLabels(best: string, labels: readonly string[]): { [label: string]: number } {
  const others = labels.length - 1;
  const one = (label: string): number => (others === 0 ? 0 : Math.log(label === best ? sure : (1 - sure) / others));
  return Object.fromEntries(labels.map((label) => [label, one(label)]));
}

/** Between -2 and -1, and moved by an adapter, so that "the weights changed" shows. */
function mockScore(before: number, token: number, adapter: AdapterFile | undefined): number {
  return -1 - ((before * 31 + token) % 1000) / 1000 + (adapter === undefined ? 0 : 0.01 * adapter.scale);
}

function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}

/** FNV-1a (Fowler, Noll and Vo), never 0. */
function tokenOf(word: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return 1 + (hash % (vocabularySize - 1));
}
