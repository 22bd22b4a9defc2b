// One llama.cpp context: decodes a prompt, keeps its shared prefix for the next, and gives log-probabilities of tokens.
import type {
  ControlledEvaluateInputItem,
  LlamaContext,
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaModel,
  Token,
} from "node-llama-cpp";
import type { AdapterFile } from "../model.ts";
import type { PromptTokens } from "./prompt-tokens.ts";

/** Tokens decoded at once. Part of every result: another size may round differently. */
const batchSize = 512;
/** Positions whose logits are kept at once: each takes 4 bytes a vocabulary entry. */
const scoreBatch = 64;

export interface Sampling {
  readonly temperature: number;
  readonly seed: number;
  readonly grammar?: LlamaGrammarEvaluationState | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Token ids to natural-log probabilities, over the whole vocabulary. */
export type LogProbabilities = ReadonlyMap<number, number>;

export interface Session extends AsyncDisposable {
  /** Leaves exactly the prompt's shared prefix decoded, kept from the last prompt where it is the same. */
  begin(prompt: Pick<PromptTokens, "shared">, signal?: AbortSignal): Promise<void>;
  /** Forgets what was decoded from position `length` on. */
  rewind(length: number): Promise<void>;
  /** Decodes tokens without looking at what they predict. */
  decode(tokens: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Decodes tokens; for each position that names some, their log-probabilities of standing next. */
  predict(tokens: readonly number[], wanted: readonly (readonly number[])[], signal?: AbortSignal): Promise<LogProbabilities[]>;
  /** Decodes tokens and goes on writing, one token a turn; never ends by itself. */
  write(tokens: readonly number[], sampling: Sampling): AsyncGenerator<number, void, void>;
}

export interface SessionOptions {
  readonly model: LlamaModel;
  readonly contextLength: number;
  readonly threads: number;
  readonly adapter?: AdapterFile | undefined;
}

export async function openSession({ model, contextLength, threads, adapter }: SessionOptions): Promise<Session> {
  const context = await model.createContext({
    // llama.cpp's sequence shifts when one cell is left.
    contextSize: contextLength + 1,
    batchSize,
    threads,
    // With sliding windows a prefix can only be kept whole in a full cache.
    swaFullCache: true,
    failedCreationRemedy: false,
    ...(adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter.path, scale: adapter.scale }] } }),
  });
  return sessionOf(context, context.getSequence());
}

function sessionOf(context: LlamaContext, sequence: LlamaContextSequence): Session {
  let prefix: readonly number[] = [];

  const rewind = async (length: number): Promise<void> => {
    if (sequence.nextTokenIndex > length) await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }]);
  };

  const decode = async (tokens: readonly number[], signal?: AbortSignal): Promise<void> => {
    for (let start = 0; start < tokens.length; start += batchSize) {
      signal?.throwIfAborted();
      await sequence.evaluateWithoutGeneratingNewTokens(asTokens(tokens.slice(start, start + batchSize)));
    }
  };

  const begin = async ({ shared }: Pick<PromptTokens, "shared">, signal?: AbortSignal): Promise<void> => {
    // Models with a recurrent state cannot forget a part of it.
    const kept = !sequence.needsCheckpoints && prefix.length > 0 && equal(prefix, shared);
    if (kept) return rewind(shared.length);
    prefix = [];
    await sequence.clearHistory();
    await decode(shared, signal);
    prefix = shared;
  };

  const predict = async (tokens: readonly number[], wanted: readonly (readonly number[])[], signal?: AbortSignal): Promise<LogProbabilities[]> => {
    const all: LogProbabilities[] = [];
    const size = wanted.filter((some) => some.length > 0).length > 1 ? scoreBatch : batchSize;
    for (let start = 0; start < tokens.length; start += size) {
      signal?.throwIfAborted();
      const items = tokens.slice(start, start + size).map((token, at) => inputItem(token, wanted[start + at] ?? []));
      const outputs = await sequence.controlledEvaluate(items);
      for (const output of Array.from({ length: items.length }, (_, at) => outputs[at])) all.push(logProbabilities(output?.next));
    }
    return all;
  };

  async function* write(tokens: readonly number[], { temperature, seed, grammar, signal }: Sampling): AsyncGenerator<number, void, void> {
    const last = tokens.slice(-(((tokens.length - 1) % batchSize) + 1));
    await decode(tokens.slice(0, tokens.length - last.length), signal);
    signal?.throwIfAborted();
    const sampling = grammar === undefined ? { temperature, seed } : { temperature, seed, grammarEvaluationState: grammar };
    for await (const token of sequence.evaluate(asTokens(last), { ...sampling, topK: 40, topP: 0.95, yieldEogToken: true })) {
      yield token;
      signal?.throwIfAborted();
    }
  }

  return {
    begin,
    rewind,
    decode,
    predict,
    write,
    [Symbol.asyncDispose]: () => context.dispose(),
  };
}

function inputItem(token: number, wanted: readonly number[]): ControlledEvaluateInputItem {
  if (wanted.length === 0) return token as Token;
  // The greedy choice has the largest logit, which the total weight is relative to. Asking for `probabilities` or `confidence`
  // instead would sort the vocabulary, or build a Map over it, for every token.
  return [token as Token, { generateNext: { logits: { filter: { tokens: asTokens(wanted), includeSelected: true } }, totalLogitWeight: true } }];
}

/** log softmax: logit - largest logit - ln(sum of exp(logit - largest logit)). */
function logProbabilities(next: { logits?: Map<Token, number>; totalLogitWeight?: number } | undefined): LogProbabilities {
  const logits = next?.logits;
  if (logits === undefined || next?.totalLogitWeight === undefined) return new Map();
  const logTotal = Math.max(...logits.values()) + Math.log(next.totalLogitWeight);
  return new Map(Array.from(logits, ([token, logit]) => [token, logit - logTotal]));
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, at) => token === b[at]);
}

/** The runtime brands its token ids. */
function asTokens(tokens: readonly number[]): Token[] {
  return tokens as Token[];
}
