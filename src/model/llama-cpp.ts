// A GGUF file answered by llama.cpp in this process: one request at a time, adapters by context, exact prefix reuse.
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import type { LlamaModel, Token } from "node-llama-cpp";
import { messageOf, UserError } from "../errors.ts";
import { type AdapterFile, ContextOverflow, type GenerateRequest, type Generation, type LocalLanguageModel } from "../model.ts";
import { sha256, sha256File } from "../util/hash.ts";
import { readGguf } from "../weights/gguf-read.ts";
import { chatTemplate } from "./chat-template.ts";
import { checkModelFile } from "./check-model-file.ts";
import { jsonGrammar } from "./json-grammar.ts";
import { chooseLabel, writeText, type Written } from "./llama-cpp-generate.ts";
import { type LlamaRuntime, llamaRuntime } from "./llama-cpp-runtime.ts";
import { openSession, type Session } from "./llama-cpp-session.ts";
import { type PromptReader, promptReader, type PromptTokens } from "./prompt-tokens.ts";
import { requestQueue } from "./request-queue.ts";

export interface OpenLlamaModelOptions {
  readonly path: string;
  /** Name in tables; the file's name where left out. */
  readonly id?: string | undefined;
  readonly threads?: number | undefined;
  /** Tokens of prompt and answer; memory grows with it. At most what the model was trained for. */
  readonly contextLength?: number | undefined;
  /** Hash of the file, where the caller has just computed it. */
  readonly hash?: string | undefined;
  /** Where `sartor setup local` put the runtime, if it did. */
  readonly packagesFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sessions kept alive: the bare model and one adapter, or two adapters. Each holds a key-value cache. */
const keptSessions = 2;
/** Adapters that stay in memory, since the runtime frees them with the model alone: after so many it is loaded again. */
const keptAdapters = 16;

/** Throws {@link UserError} when the file is missing or no model, or llama.cpp is not installed. */
export async function openLlamaModel({
  path,
  id = basename(path, ".gguf"),
  threads = availableParallelism(),
  contextLength = 2048,
  hash,
  packagesFolder,
  signal,
}: OpenLlamaModelOptions): Promise<LocalLanguageModel> {
  const bytes = await sizeOf(path);
  const runtime = await llamaRuntime({ packagesFolder });
  const [model, fileHash] = await Promise.all([loadModel({ runtime, path, signal }), hash ?? sha256File(path)]);
  const length = Math.min(contextLength, model.trainContextSize);
  const key = sha256(`${fileHash} node-llama-cpp@${runtime.version} threads=${threads} context=${length}`);
  return new LlamaCppModel({ runtime, model, id, path, bytes, threads, contextLength: length, key });
}

interface LlamaCppModelOptions {
  readonly runtime: LlamaRuntime;
  readonly model: LlamaModel;
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  readonly threads: number;
  readonly contextLength: number;
  readonly key: string;
}

class LlamaCppModel implements LocalLanguageModel {
  readonly local = true;
  readonly id: string;
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
  readonly contextLength: number;
  readonly #runtime: LlamaRuntime;
  #model: LlamaModel;
  readonly #threads: number;
  #reader: PromptReader;
  readonly #queue = requestQueue();
  /** By adapter, least lately used first. */
  readonly #sessions = new Map<string, Session>();
  /** Hash of the adapter that the runtime read from each path. */
  readonly #adapters = new Map<string, string>();

  constructor({ runtime, model, id, path, bytes, threads, contextLength, key }: LlamaCppModelOptions) {
    this.id = id;
    this.key = key;
    this.path = path;
    this.bytes = bytes;
    this.contextLength = contextLength;
    this.#runtime = runtime;
    this.#model = model;
    this.#threads = threads;
    this.#reader = readerOf(model, id);
  }

  async generate(request: GenerateRequest): Promise<Generation> {
    const prompt = this.#reader.read(request.input);
    this.#checkLength(prompt, request);
    return this.#queue.run(async () => {
      const session = await this.#session(request.adapter);
      const start = performance.now();
      const written = await this.#write(session, prompt, request);
      return { ...written, seconds: (performance.now() - start) / 1000 };
    }, request.signal);
  }

  async #write(session: Session, prompt: PromptTokens, request: GenerateRequest): Promise<Written> {
    const { constraint, maxTokens } = request.decoding;
    const model = this.#model;
    if (constraint.kind === "labels") return chooseLabel({ session, reader: this.#reader, prompt, labels: constraint.labels, request });
    if (constraint.kind === "free") return writeText({ session, model, prompt, request });
    const { LlamaGrammarEvaluationState } = this.#runtime.module;
    const grammar = await this.#runtime.llama.createGrammar({ grammar: jsonGrammar(constraint.schema, { maxTokens }) });
    return writeText({ session, model, prompt, request, grammar: new LlamaGrammarEvaluationState({ model, grammar }) });
  }

  countTokens(text: string): number {
    return this.tokenizeText(text).length;
  }

  tokenizeText(text: string): readonly number[] {
    return this.#model.tokenize(text);
  }

  tokenize(...[input, completion]: Parameters<LocalLanguageModel["tokenize"]>): ReturnType<LocalLanguageModel["tokenize"]> {
    return this.#reader.sequence(input, completion);
  }

  async score(tokens: readonly number[], adapter?: AdapterFile, from = 1): Promise<readonly number[]> {
    return this.#queue.run(async () => {
      const session = await this.#session(adapter);
      const scores: number[] = [];
      // Windows half a context apart, so that no token past the first window has less than half a context before it.
      const stride = Math.max(1, Math.floor(this.contextLength / 2));
      for (let start = 0; scores.length < tokens.length - from; start += stride) {
        const window = tokens.slice(start, start + this.contextLength);
        const wanted = window.map((_, at) => (start + at + 1 < from + scores.length ? [] : window.slice(at + 1, at + 2)));
        await session.begin({ shared: [] });
        const predicted = await session.predict(window, wanted);
        for (const [at, next] of wanted.entries()) for (const token of next) scores.push(predicted[at]?.get(token) ?? -Infinity);
      }
      return scores;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.run(async () => {
      await this.#closeSessions(0);
      await this.#model.dispose();
    });
  }

  #checkLength(prompt: PromptTokens, { decoding: { constraint, maxTokens } }: GenerateRequest): void {
    const given = prompt.shared.length + prompt.rest.length;
    const longest =
      constraint.kind === "labels"
        ? Math.max(0, ...constraint.labels.map((label) => this.#reader.answer(prompt, label).length + 1))
        : maxTokens;
    if (given + longest <= this.contextLength) return;
    throw new ContextOverflow(
      `The input of ${given} tokens and an answer of up to ${longest} do not fit the ${this.contextLength} tokens of "${this.id}". Show fewer passages or demonstrations, or set a larger context.`,
    );
  }

  async #session(adapter: AdapterFile | undefined): Promise<Session> {
    const name = adapter === undefined ? "" : `${adapter.sha256}*${adapter.scale}`;
    let session = this.#sessions.get(name);
    this.#sessions.delete(name);
    if (session === undefined) {
      await this.#closeSessions(keptSessions - 1);
      if (adapter !== undefined) {
        // What is wrong with a broken one, llama.cpp would not say.
        await readGguf(adapter.path);
        await this.#makeRoomFor(adapter);
      }
      session = await openSession({ model: this.#model, contextLength: this.contextLength, threads: this.#threads, adapter });
    }
    this.#sessions.set(name, session);
    return session;
  }

  async #closeSessions(left: number): Promise<void> {
    for (const [name, session] of this.#sessions) {
      if (this.#sessions.size <= left) return;
      this.#sessions.delete(name);
      await session[Symbol.asyncDispose]();
    }
  }

  /** The runtime knows adapters by path, so one written over another would be taken for it. */
  async #makeRoomFor({ path, sha256: hash }: AdapterFile): Promise<void> {
    const known = this.#adapters.get(path);
    if (known === hash) return;
    if (known !== undefined || this.#adapters.size >= keptAdapters) {
      await this.#closeSessions(0);
      const old = this.#model;
      this.#model = await loadModel({ runtime: this.#runtime, path: this.path, signal: undefined });
      this.#reader = readerOf(this.#model, this.id);
      this.#adapters.clear();
      await old.dispose();
    }
    this.#adapters.set(path, hash);
  }
}

function readerOf(model: LlamaModel, id: string): PromptReader {
  const { tokens, fileInfo } = model;
  const template = chatTemplate({
    source: fileInfo.metadata.tokenizer?.chat_template,
    bosToken: tokens.bosString ?? "",
    eosToken: tokens.eosString ?? "",
  });
  const end = tokens.eos ?? tokens.eot;
  let controls: readonly string[] | undefined;
  if (end === null) throw new UserError(`"${id}" names no token that ends a text (tokenizer.ggml.eos_token_id). Use a model that does.`);
  return promptReader({
    template,
    vocabulary: {
      tokenize: (text, { special, first }) => model.tokenize(text, special, first ? undefined : "trimLeadingSpace"),
      bos: tokens.bos ?? undefined,
      prependBos: tokens.shouldPrependBosToken,
      eos: end,
      endsGeneration: (token) => model.isEogToken(token as Token),
      controlTexts: () => (controls ??= controlTexts(model)),
    },
  });
}

function controlTexts(model: LlamaModel): readonly string[] {
  const steers = (token: Token): boolean => {
    const { control, unknown } = model.getTokenAttributes(token);
    return control || unknown;
  };
  return [...model.iterateAllTokens()].filter(steers).map((token) => model.detokenize([token], true));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new UserError(`No model file at ${path}. Name a GGUF file that is there, or a catalogue name ("sartor models").`, { cause });
  }
}

async function loadModel({
  runtime,
  path,
  signal,
}: {
  runtime: LlamaRuntime;
  path: string;
  signal: AbortSignal | undefined;
}): Promise<LlamaModel> {
  await checkModelFile(path);
  try {
    return await runtime.llama.loadModel({ modelPath: path, gpuLayers: 0, ...(signal === undefined ? {} : { loadSignal: signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new UserError(`${path} is no model that llama.cpp reads: ${messageOf(cause)}. Fetch it again, or name another.`, { cause });
  }
}
