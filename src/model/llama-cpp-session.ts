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

/**
 * Tokens decoded at once. Part of every result: another size may round differently. 128 to 512 were as fast on the CPU; a context of
 * the demo model took 74, 101 and 155 MB with 128, 256 and 512.
 */
const batchSize = 256;
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
  return new Session(context);
}

export class Session implements AsyncDisposable {
  readonly #context: LlamaContext;
  readonly #sequence: LlamaContextSequence;
  /** Decoded in chunks of its own and kept from prompt to prompt. */
  #prefix: readonly number[] = [];

  constructor(context: LlamaContext) {
    this.#context = context;
    this.#sequence = context.getSequence();
  }

  /** Leaves exactly the prompt's shared prefix decoded, kept from the last prompt where it is the same. */
  async begin({ shared }: Pick<PromptTokens, "shared">, signal?: AbortSignal): Promise<void> {
    // Models with a recurrent state cannot forget a part of it.
    const kept = !this.#sequence.needsCheckpoints && this.#prefix.length > 0 && equal(this.#prefix, shared);
    if (kept) return this.rewind(shared.length);
    this.#prefix = [];
    await this.#sequence.clearHistory();
    await this.#decode(shared, signal);
    this.#prefix = shared;
  }

  /** Forgets what was decoded from position `length` on. */
  async rewind(length: number): Promise<void> {
    const end = this.#sequence.nextTokenIndex;
    if (end > length) await this.#sequence.eraseContextTokenRanges([{ start: length, end }]);
  }

  /** Decodes tokens; for each position that names some, their log-probabilities of standing next. */
  async predict(tokens: readonly number[], wanted: readonly (readonly number[])[], signal?: AbortSignal): Promise<LogProbabilities[]> {
    const all: LogProbabilities[] = [];
    const size = wanted.filter((some) => some.length > 0).length > 1 ? scoreBatch : batchSize;
    for (let start = 0; start < tokens.length; start += size) {
      signal?.throwIfAborted();
      const items = tokens.slice(start, start + size).map((token, at) => inputItem(token, wanted[start + at] ?? []));
      const outputs = await this.#sequence.controlledEvaluate(items);
      for (const [at] of items.entries()) all.push(logProbabilities(outputs[at]?.next));
    }
    return all;
  }

  /** Decodes tokens and goes on writing, one token a turn; never ends by itself. */
  async *write(tokens: readonly number[], { temperature, seed, grammar, signal }: Sampling): AsyncGenerator<number, void, void> {
    const last = tokens.slice(-(((tokens.length - 1) % batchSize) + 1));
    await this.#decode(tokens.slice(0, tokens.length - last.length), signal);
    signal?.throwIfAborted();
    const sampling = grammar === undefined ? { temperature, seed } : { temperature, seed, grammarEvaluationState: grammar };
    for await (const token of this.#sequence.evaluate(asTokens(last), { ...sampling, topK: 40, topP: 0.95, yieldEogToken: true })) {
      yield token;
      signal?.throwIfAborted();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.dispose();
  }

  async #decode(tokens: readonly number[], signal?: AbortSignal): Promise<void> {
    for (let start = 0; start < tokens.length; start += batchSize) {
      signal?.throwIfAborted();
      await this.#sequence.evaluateWithoutGeneratingNewTokens(asTokens(tokens.slice(start, start + batchSize)));
    }
  }
}

function inputItem(token: number, wanted: readonly number[]): ControlledEvaluateInputItem {
  if (wanted.length === 0) return token as Token;
  // The greedy choice has the largest logit, which the total weight is relative to. Asking for `probabilities` or `confidence`
  // instead would sort the vocabulary, or build a Map over it, for every token.
  return [
    token as Token,
    { generateNext: { logits: { filter: { tokens: asTokens(wanted), includeSelected: true } }, totalLogitWeight: true } },
  ];
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
