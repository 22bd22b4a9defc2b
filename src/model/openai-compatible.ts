// A model behind any server that speaks the OpenAI protocol: vLLM, llama-server, Ollama, a provider. Knows no files.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV3, LanguageModelV3CallOptions, LanguageModelV3Usage } from "@ai-sdk/provider";
import type { Constraint, GenerateRequest, Generation, JsonSchema, LanguageModel, ModelInput } from "../model.ts";
import { ContextOverflow } from "../model.ts";
import { sha256 } from "../util/hash.ts";
import { closestLabel } from "./closest-label.ts";
import { breakKnownMarks } from "./control-marks.ts";
import { askPatiently, checkedUrl, defaultPatience, type Patience, withinPatience } from "./patience.ts";
import { readServerError } from "./server-errors.ts";
import { textStream } from "./text-stream.ts";

export interface ServerModelOptions {
  /** Up to and with `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** Tokens of prompt and answer; servers do not tell. */
  readonly contextLength?: number | undefined;
  readonly price?: LanguageModel["price"] | undefined;
  readonly patience?: Patience | undefined;
}

const charactersPerToken = 4;
const providerName = "server";

/** Always one named model at one address: a bare name would go to a gateway of somebody else's. Asks the server nothing yet. */
export function serverModel({
  url,
  model,
  apiKey,
  contextLength = 8192,
  price,
  patience = defaultPatience,
}: ServerModelOptions): LanguageModel {
  const address = checkedUrl(url);
  const provider = createOpenAICompatible({
    name: providerName,
    baseURL: address,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  const server: Server = { url: address, model, contextLength, chat: provider.chatModel(model), patience, structured: true };
  return {
    id: model,
    key: sha256(`${address} ${model}`),
    contextLength,
    local: false,
    ...(price === undefined ? {} : { price }),
    countTokens,
    generate: (request) => generate(server, request),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface Server {
  readonly url: string;
  readonly model: string;
  readonly contextLength: number;
  readonly chat: LanguageModelV3;
  readonly patience: NonNullable<ServerModelOptions["patience"]>;
  /** Whether it takes a JSON schema; learnt from its first refusal. */
  structured: boolean;
}

async function generate(server: Server, request: GenerateRequest): Promise<Generation> {
  const { decoding, signal } = request;
  const { constraint } = decoding;
  const estimate = countTokens(textOf(request.input));
  checkLength(server, estimate, decoding.maxTokens);
  const { text, finish, usage, seconds } = await askInTime(server, request);
  const answer = constraint.kind === "labels" ? labelIn(text, constraint.labels) : text.trim();
  if (constraint.kind === "labels") request.onText?.(answer);
  signal?.throwIfAborted();
  return { text: answer, finish, seconds, tokens: tokensOf(usage, estimate, countTokens(text)) };
}

/** Tries again while the server is busy, unless it has already begun to write. */
async function askInTime(server: Server, request: GenerateRequest): Promise<Answer & { readonly seconds: number }> {
  const { signal, onText } = request;
  let begun = false;
  const tapped = (piece: string): void => {
    begun = true;
    onText?.(piece);
  };
  const timed = async () => {
    const start = performance.now();
    const answer = await ask(server, onText === undefined ? request : { ...request, onText: tapped });
    return { ...answer, seconds: (performance.now() - start) / 1000 };
  };
  return askPatiently({ server, patience: server.patience, signal, ask: timed, begun: () => begun });
}

/** Under a schema where the server takes one; else the answer is read from plain text, since the prompt says what is wanted. */
async function ask(server: Server, request: GenerateRequest): Promise<Answer> {
  const schema = server.structured ? schemaOf(request.decoding.constraint) : undefined;
  try {
    return await askOnce(server, request, schema);
  } catch (error) {
    if (schema === undefined || readServerError(error, server).kind !== "refused") throw error;
    const answer = await askOnce(server, request, undefined);
    server.structured = false;
    return answer;
  }
}

interface Answer {
  readonly text: string;
  readonly finish: Generation["finish"];
  readonly usage: LanguageModelV3Usage | undefined;
}

async function askOnce({ chat, patience }: Server, request: GenerateRequest, schema: JsonSchema | undefined): Promise<Answer> {
  const { decoding, seed, signal, onText } = request;
  const options: LanguageModelV3CallOptions = {
    prompt: promptOf(request.input),
    maxOutputTokens: decoding.maxTokens,
    temperature: decoding.temperature,
    abortSignal: withinPatience(patience, signal),
    // Strict schemas allow no optional field, which a task's schema may have.
    providerOptions: { [providerName]: { strictJsonSchema: false } },
    ...(decoding.stop.length === 0 ? {} : { stopSequences: [...decoding.stop] }),
    ...(seed === undefined ? {} : { seed }),
    ...(schema === undefined ? {} : { responseFormat: { type: "json", schema: schema as object, name: "answer" } }),
  };
  // A label is only known when the answer is whole.
  if (onText !== undefined && decoding.constraint.kind !== "labels") return stream(chat, options, onText);
  const { content, finishReason, usage } = await chat.doGenerate(options);
  const text = content.map((part) => (part.type === "text" ? part.text : "")).join("");
  return { text, finish: finishReason.unified === "length" ? "length" : "stop", usage };
}

async function stream(chat: LanguageModelV3, options: LanguageModelV3CallOptions, onText: (piece: string) => void): Promise<Answer> {
  let text = "";
  const written = textStream({ stop: [], onText });
  let finish: Generation["finish"] = "stop";
  let usage: LanguageModelV3Usage | undefined;
  const { stream: parts } = await chat.doStream(options);
  for await (const part of parts as ReadableStream<StreamPart> & AsyncIterable<StreamPart>) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") {
      text += part.delta;
      written.update(text);
    }
    if (part.type === "finish") {
      usage = part.usage;
      if (part.finishReason.unified === "length") finish = "length";
    }
  }
  return { text: written.finish(), finish, usage };
}

type StreamPart = Awaited<ReturnType<LanguageModelV3["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part : never;

/**
 * A plain text to be gone on with is one message: servers put every request through their model's template. They then read names of control
 * tokens as those tokens, wherever they stand, so in messages they are broken.
 */
function promptOf(input: ModelInput): LanguageModelV3CallOptions["prompt"] {
  const messages = input.kind === "completion" ? [{ role: "user" as const, content: input.text }] : input.messages;
  return messages.map(({ role, content }) => {
    const text = breakKnownMarks(content);
    return role === "system" ? { role, content: text } : { role, content: [{ type: "text" as const, text }] };
  });
}

function schemaOf(constraint: Constraint): JsonSchema | undefined {
  if (constraint.kind === "schema") return constraint.schema;
  if (constraint.kind === "free") return undefined;
  return {
    type: "object",
    properties: { label: { type: "string", enum: constraint.labels } },
    required: ["label"],
    additionalProperties: false,
  };
}

/** The label in the JSON that was asked for, else the one the text is closest to. */
function labelIn(text: string, labels: readonly string[]): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "label" in value) return closestLabel(String(value.label), labels);
  } catch {
    // Plain text, then.
  }
  return closestLabel(text, labels);
}

function tokensOf(usage: LanguageModelV3Usage | undefined, input: number, output: number): Generation["tokens"] {
  return { input: usage?.inputTokens.total ?? input, output: usage?.outputTokens.total ?? output };
}

function textOf(input: ModelInput): string {
  return input.kind === "completion" ? input.text : input.messages.map(({ content }) => content).join("\n");
}

function countTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** The estimate may be off by half, so only what is far too long is refused before it is sent. */
function checkLength({ model, contextLength }: Server, estimate: number, maxTokens: number): void {
  if (estimate + maxTokens <= contextLength * 2) return;
  throw new ContextOverflow(
    `About ${estimate} tokens and an answer of up to ${maxTokens} do not fit the ${contextLength} tokens of "${model}".`,
  );
}
