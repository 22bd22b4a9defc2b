// Answers written by a llama.cpp session: free text, JSON under a grammar, or one label of a closed set.
import type { LlamaGrammarEvaluationState, LlamaModel, Token } from "node-llama-cpp";
import type { GenerateRequest, Generation } from "../model.ts";
import { labelLogProbabilities, labelTrie } from "./label-trie.ts";
import type { Session } from "./llama-cpp-session.ts";
import type { PromptReader, PromptTokens } from "./prompt-tokens.ts";
import { textStream } from "./text-stream.ts";

/** A generation without its time, which the queue knows. */
export type Written = Omit<Generation, "seconds">;

export interface WriteTextOptions {
  readonly session: Session;
  readonly model: LlamaModel;
  readonly prompt: PromptTokens;
  readonly request: GenerateRequest;
  /** Fresh for every answer. */
  readonly grammar?: LlamaGrammarEvaluationState | undefined;
}

/** Writes until the model ends its turn, a stop string appears or `maxTokens` are written. */
export async function writeText({ session, model, prompt, request, grammar }: WriteTextOptions): Promise<Written> {
  const { decoding, seed = 0, signal, onText } = request;
  const stream = textStream({ stop: decoding.stop, ...(onText === undefined ? {} : { onText }) });
  await session.begin(prompt, signal);
  const tokens: number[] = [];
  let stopped = false;
  if (decoding.maxTokens > 0) {
    for await (const token of session.write(prompt.rest, { temperature: decoding.temperature, seed, grammar, signal })) {
      tokens.push(token);
      stopped = model.isEogToken(token as Token) || stream.update(model.detokenize(tokens as Token[]));
      if (stopped || tokens.length >= decoding.maxTokens) break;
    }
  }
  return {
    text: stream.finish(),
    tokens: { input: prompt.shared.length + prompt.rest.length, output: tokens.length },
    finish: stopped ? "stop" : "length",
    ...(tokens.length === 0 ? {} : { confidence: await meanLogProbability({ session, prompt, tokens, signal }) }),
  };
}

interface MeanOptions {
  readonly session: Session;
  readonly prompt: PromptTokens;
  readonly tokens: readonly number[];
  readonly signal: AbortSignal | undefined;
}

/**
 * What the model itself gives the tokens, whatever temperature or grammar chose them. Read back in one batch, which takes less time
 * than asking for a probability with every token (it sorts the vocabulary each time).
 */
async function meanLogProbability({ session, prompt, tokens, signal }: MeanOptions): Promise<number> {
  await session.rewind(prompt.shared.length + prompt.rest.length - 1);
  const given = [...prompt.rest.slice(-1), ...tokens.slice(0, -1)];
  const predicted = await session.predict(
    given,
    tokens.map((token) => [token]),
    signal,
  );
  const sum = tokens.reduce((total, token, at) => total + (predicted[at]?.get(token) ?? -Infinity), 0);
  return sum / tokens.length;
}

export interface ChooseLabelOptions {
  readonly session: Session;
  readonly reader: PromptReader;
  readonly prompt: PromptTokens;
  readonly labels: readonly string[];
  readonly request: GenerateRequest;
}

/** The most likely label and the probability of each; the first named wins a tie. */
export async function chooseLabel({ session, reader, prompt, labels, request: { signal, onText } }: ChooseLabelOptions): Promise<Written> {
  const choices = labels.map((label) => ({ label, tokens: [...reader.answer(prompt, label), prompt.end] }));
  await session.begin(prompt, signal);
  let decoded: readonly number[] = [];
  const logProbabilities = await labelLogProbabilities(labelTrie(choices), async (path, next) => {
    const wanted = [...prompt.rest, ...path];
    const kept = commonLength(decoded, wanted);
    await session.rewind(prompt.shared.length + kept);
    const tokens = wanted.slice(kept);
    decoded = wanted;
    const predicted = await session.predict(
      tokens,
      tokens.map((_, at) => (at === tokens.length - 1 ? next : [])),
      signal,
    );
    return predicted.at(-1) ?? new Map<number, number>();
  });
  const ranked = choices.map(({ label, tokens }) => ({ label, tokens, score: logProbabilities.get(label) ?? -Infinity }));
  const best = ranked.reduce((first, second) => (second.score > first.score ? second : first));
  onText?.(best.label);
  return {
    text: best.label,
    tokens: { input: prompt.shared.length + prompt.rest.length, output: best.tokens.length },
    finish: "stop",
    labels: Object.fromEntries(ranked.map(({ label, score }) => [label, score])),
    confidence: best.score / best.tokens.length,
  };
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
