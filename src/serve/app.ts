// The HTTP interface of a finished run: the OpenAI protocol, health, metrics and a page to ask on. Opens no port.
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Served } from "../index.ts";
import { type AnswerQueue, answerQueue } from "./answer-queue.ts";
import { candidateNamed, describe, ordered } from "./candidates.ts";
import { chat } from "./chat.ts";
import { askPage } from "./page.ts";
import { ProtocolError, protocolError } from "./protocol-error.ts";
import { serviceMetrics } from "./service-metrics.ts";

export interface CreateAppOptions {
  readonly served: Served;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly newId?: () => string;
  /** Requests that may wait for a model on this machine; further ones are turned away. */
  readonly maxWaiting?: number;
  /** Told of what a client is not: bugs, and what the user of the server can mend. */
  readonly onError?: (error: unknown) => void;
}

const maxBodyBytes = 1024 * 1024;
/** A model on this machine answers one at a time; a server elsewhere has its own queue. */
const remoteAtATime = 16;

/**
 * `POST /v1/chat/completions`, `GET /v1/models[/<id>]`, `GET /health`, `GET /metrics` (Prometheus) and `GET /` (a page).
 * Errors have the shape of the OpenAI protocol. Answers 503 with `retry-after` when too many requests wait.
 */
export function createApp(options: CreateAppOptions): Hono {
  const { served, version, clock = Date.now, newId = randomUUID, maxWaiting = 64, onError = () => undefined } = options;
  const queues = answerQueues(served, maxWaiting);
  const metrics = serviceMetrics(queues);
  const page = askPage({ served, version });
  const health = () => ({
    status: "ok",
    task: served.task.name,
    run: served.report.runId,
    recommended: served.recommended,
    waiting: queues.waiting(),
    version,
  });

  const app = new Hono();
  const limit = bodyLimit({ maxSize: maxBodyBytes, onError: () => tooLarge().response() });
  app.post("/v1/chat/completions", limit, (context) => chat(context, { served, metrics, queueOf: queues.of, clock, newId, onError }));
  app.get("/v1/models", (context) => context.json({ object: "list", data: ordered(served).map((id) => describe(served, id)) }));
  app.get("/v1/models/:id{.+}", (context) => context.json(describe(served, candidateNamed(served, context.req.param("id")))));
  app.get("/health", (context) => context.json(health()));
  app.get("/metrics", async (context) => context.body(await metrics.text(), 200, { "content-type": metrics.contentType }));
  app.get("/", (context) => context.html(page.html, 200, { "content-security-policy": page.policy, "x-content-type-options": "nosniff" }));
  app.notFound((context) => noRoute(context).response());
  app.onError((error) => {
    const known = protocolError(error);
    if (known.status === 500) onError(known.cause);
    return known.response();
  });
  return app;
}

function answerQueues({ report }: Served, maxWaiting: number): { of: (candidate: string) => AnswerQueue; waiting: () => number } {
  const local = answerQueue({ running: 1, waiting: maxWaiting });
  const remote = answerQueue({ running: remoteAtATime, waiting: maxWaiting });
  const elsewhere = new Set(report.candidates.filter((row) => !row.local).map((row) => row.id));
  return { of: (candidate) => (elsewhere.has(candidate) ? remote : local), waiting: () => local.waiting + remote.waiting };
}

function tooLarge(): ProtocolError {
  return new ProtocolError({ status: 413, message: `The body is larger than ${maxBodyBytes} bytes.` });
}

function noRoute({ req }: Context): ProtocolError {
  const message = `There is no ${req.method} ${req.path} here: POST /v1/chat/completions, GET /v1/models, /health, /metrics or /.`;
  return new ProtocolError({ status: 404, message, code: "not_found" });
}
