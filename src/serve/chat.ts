// POST /v1/chat/completions: one answer by one candidate, whole or streamed.
import type { Context } from "hono";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import type { AskOptions, Served, ServedAnswer } from "../index.ts";
import type { AnswerQueue } from "./answer-queue.ts";
import { candidateNamed } from "./candidates.ts";
import { type ChatRequest, readChatRequest } from "./chat-request.ts";
import { type Chunks, chunks, completion, type Envelope } from "./chat-response.ts";
import { ProtocolError, protocolError } from "./protocol-error.ts";
import type { Outcome, ServiceMetrics } from "./service-metrics.ts";

export interface ChatOptions {
  readonly served: Served;
  readonly metrics: ServiceMetrics;
  readonly queueOf: (candidate: string) => AnswerQueue;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
}

interface Asked extends Pick<ChatOptions, "onError"> {
  readonly context: Context;
  readonly request: ChatRequest;
  readonly envelope: Envelope;
  readonly ask: (onText?: AskOptions["onText"]) => Promise<ServedAnswer>;
}

export async function chat(context: Context, { served, queueOf, metrics, clock, newId, onError }: ChatOptions): Promise<Response> {
  const started = performance.now();
  const record = (outcome: Omit<Outcome, "seconds">): void => metrics.record({ ...outcome, seconds: (performance.now() - started) / 1000 });
  const { request, candidate } = await readRequest(context, served).catch((error: unknown) => {
    record({ candidate: "none", status: protocolError(error).status });
    throw error;
  });
  const ask: Asked["ask"] = async (onText) => {
    const signal = goneSignal(context);
    try {
      const asking = { input: request.input, candidate, signal, ...(onText && { onText }) };
      const answer = await queueOf(candidate).run(() => served.ask(asking), signal);
      record({ candidate, status: 200, tokens: answer.tokens });
      return answer;
    } catch (error) {
      record({ candidate, status: protocolError(error).status });
      throw error;
    }
  };
  if (request.ignored.length > 0) context.header("x-sartor-ignored", request.ignored.join(", ").replace(/[^ -~]/gu, "?"));
  const envelope: Envelope = { id: `chatcmpl-${newId()}`, created: Math.floor(clock() / 1000), model: candidate };
  if (request.stream) return streamed({ context, request, envelope, ask, onError });
  return context.json(completion(envelope, await ask()));
}

async function readRequest(context: Context, served: Served): Promise<{ readonly request: ChatRequest; readonly candidate: string }> {
  const request = readChatRequest(await bodyOf(context));
  const candidate = candidateNamed(served, request.model);
  if (request.wantsJson && served.task.output.kind !== "schema") throw noJson();
  return { request, candidate };
}

/** Aborts when the client has gone. Hono's own signal gives a text as its reason, which is no error that code below could know. */
function goneSignal({ req }: Context): AbortSignal {
  const gone = new AbortController();
  if (req.raw.signal.aborted) gone.abort();
  req.raw.signal.addEventListener("abort", () => gone.abort(), { once: true });
  return gone.signal;
}

/** Only JSON by name: a page of another site can send text without asking, but not JSON. */
async function bodyOf({ req }: Context): Promise<unknown> {
  if (!/^application\/json\b/iu.test(req.header("content-type") ?? "")) {
    throw new ProtocolError({ status: 415, message: "The body must be JSON: send the header content-type: application/json." });
  }
  try {
    return (await req.json()) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ProtocolError({ status: 400, message: "The body is no JSON." }, { cause });
  }
}

function noJson(): ProtocolError {
  const message =
    "This task's output is no JSON, so response_format must be text. Write a schema into the task's output and compare again.";
  return new ProtocolError({ status: 400, message, param: "response_format" });
}

/** Waits for the first piece before it answers at all, so that an error before it has its own status. */
async function streamed({ context, request, envelope, ask, onError }: Asked): Promise<Response> {
  const { pieces, answering } = piecesOf(ask);
  const first = await pieces.read();
  return streamSSE(context, async (stream) => {
    try {
      await write({ stream, first, pieces, answering, made: chunks(envelope, request), includeUsage: request.includeUsage });
    } catch (error) {
      const known = protocolError(error);
      if (known.status === 500) onError(known.cause);
      await send(stream, known.body);
    }
  });
}

interface Writing {
  readonly stream: SSEStreamingApi;
  readonly first: Awaited<ReturnType<ReadableStreamDefaultReader<string>["read"]>>;
  readonly pieces: ReadableStreamDefaultReader<string>;
  readonly answering: Promise<ServedAnswer>;
  readonly made: Chunks;
  readonly includeUsage: boolean;
}

async function write({ stream, first, pieces, answering, made, includeUsage }: Writing): Promise<void> {
  await send(stream, made.role());
  let sent = "";
  for (let piece = first; piece.value !== undefined; piece = await pieces.read()) {
    sent += piece.value;
    await send(stream, made.text(piece.value));
  }
  const answer = await answering;
  // A candidate without a language model writes no pieces.
  const rest = answer.output.startsWith(sent) ? answer.output.slice(sent.length) : "";
  if (rest !== "") await send(stream, made.text(rest));
  await send(stream, made.finish(answer));
  if (includeUsage) await send(stream, made.usage(answer));
  await stream.writeSSE({ data: "[DONE]" });
}

const send = (stream: SSEStreamingApi, value: object): Promise<void> => stream.writeSSE({ data: JSON.stringify(value) });

/** Pieces that are pushed as pieces that can be read; reading them throws what answering throws. */
function piecesOf(ask: (onText: (piece: string) => void) => Promise<ServedAnswer>): {
  pieces: ReadableStreamDefaultReader<string>;
  answering: Promise<ServedAnswer>;
} {
  let answering!: Promise<ServedAnswer>;
  const readable = new ReadableStream<string>({
    start: (controller) => {
      answering = ask((piece) => controller.enqueue(piece));
      answering.then(
        () => controller.close(),
        (error: unknown) => controller.error(error),
      );
    },
  });
  return { pieces: readable.getReader(), answering };
}
