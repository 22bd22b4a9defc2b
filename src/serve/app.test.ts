import { expect, test } from "vitest";
import { ContextOverflow, ModelUnavailable, UserError } from "../index.ts";
import { answerOf, type FakeServed, fakeServed, type FakeServedOptions, passage } from "../../test/support/fake-served.ts";
import { createApp } from "./app.ts";

const path = "/v1/chat/completions";

interface Setup extends FakeServedOptions {
  readonly maxWaiting?: number;
}

function setup({ maxWaiting = 64, ...options }: Setup = {}) {
  const served: FakeServed = fakeServed(options);
  const reported: unknown[] = [];
  let ids = 0;
  const app = createApp({
    served,
    version: "1.2.3",
    clock: () => 1_800_000_000_500,
    newId: () => `id${++ids}`,
    maxWaiting,
    onError: (error) => reported.push(error),
  });
  const post = async (body: unknown, init: RequestInit = {}): Promise<Response> =>
    app.request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  const say = (content: string, more: object = {}, init?: RequestInit): Promise<Response> =>
    post({ messages: [{ role: "user", content }], ...more }, init);
  return { app, served, reported, post, say };
}

async function chunksOf(response: Response): Promise<unknown[]> {
  const events = (await response.text()).split("\n\n").filter((event) => event !== "");
  return events.map((event) => (event === "data: [DONE]" ? "done" : (JSON.parse(event.replace(/^data: /u, "")) as unknown)));
}

const error = (message: string, code: string | null = null, param: string | null = null, type = "invalid_request_error") => ({
  error: { message, type, param, code },
});

test("an answer is a chat completion with its sources", async () => {
  const response = await setup().say("how long?");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    id: "chatcmpl-id1",
    object: "chat.completion",
    created: 1_800_000_000,
    model: "rag-bm25",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "HOW LONG?", refusal: null, sources: [passage], confidence: 0.75 },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
});

test("a stream holds the role, the pieces, the sources with the end, the usage where asked for, and DONE", async () => {
  const response = await setup().say("how long?", { stream: true, stream_options: { include_usage: true } });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const base = { id: "chatcmpl-id1", created: 1_800_000_000, model: "rag-bm25", object: "chat.completion.chunk" };
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  });
  expect(await chunksOf(response)).toEqual([
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "HOW " }),
    chunk({ content: "LONG?" }),
    chunk({ sources: [passage], confidence: 0.75 }, "stop"),
    { ...base, choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } },
    "done",
  ]);
});

test("an answer that was cut at its longest says so", async () => {
  const cut = setup({ ask: async () => answerOf("half an", { finish: "length" }) });
  expect(await (await cut.say("x")).json()).toMatchObject({ choices: [{ finish_reason: "length" }] });
  const chunks = (await chunksOf(await cut.say("x", { stream: true }))) as { choices?: { finish_reason: string | null }[] }[];
  expect(chunks.at(-2)).toMatchObject({ choices: [{ finish_reason: "length" }] });
});

test("a candidate that writes no pieces streams its whole answer at once", async () => {
  const chunks = await chunksOf(await setup().say("card", { stream: true, model: "tf-idf-linear" }));
  expect(chunks.map((chunk) => (chunk as { choices?: { delta: { content?: string } }[] }).choices?.[0]?.delta.content)).toEqual([
    "",
    "CARD",
    undefined,
    undefined,
  ]);
});

test.each([
  [{}, "rag-bm25"],
  [{ model: "default" }, "rag-bm25"],
  [{ model: "sartor" }, "rag-bm25"],
  [{ model: "rag-bm25" }, "rag-bm25"],
  [{ model: "tf-idf-linear" }, "tf-idf-linear"],
])("a request for %o is answered by %s", async (more, candidate) => {
  const { say, served } = setup();
  expect(await (await say("x", more)).json()).toMatchObject({ model: candidate });
  expect(served.asked.map((one) => one.candidate)).toEqual([candidate]);
});

test("an unknown model is a 404 that names the others", async () => {
  const response = await setup().say("x", { model: "gpt-4o" });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual(
    error(
      'There is no candidate "gpt-4o". Ask "default", which is "rag-bm25", or one of: tf-idf-linear, rag-bm25.',
      "model_not_found",
      "model",
    ),
  );
});

test("earlier turns are written as in examples with several turns; system messages are left out and named", async () => {
  const { post, served } = setup();
  const messages = [
    { role: "system", content: "Be a pirate." },
    {
      role: "user",
      content: [
        { type: "text", text: "Which" },
        { type: "text", text: "bike?" },
      ],
    },
    { role: "assistant", content: "The Otter." },
    { role: "user", content: "How heavy?" },
  ];
  const response = await post({ messages, temperature: 2, user: "me" });
  expect(served.asked.map((one) => one.input)).toEqual(["User: Which\nbike?\nAssistant: The Otter.\nUser: How heavy?"]);
  expect(response.headers.get("x-sartor-ignored")).toBe("system messages, temperature, user");
});

test.each<[string, unknown, object]>([
  ["no JSON", "{", error("The body is no JSON.")],
  ["a list", [], error("The body must be a JSON object with messages.")],
  ["no messages", {}, error("messages: Invalid input: expected array, received undefined", null, "messages")],
  ["empty messages", { messages: [] }, error("messages: must hold at least one message", null, "messages")],
  [
    "no text",
    { messages: [{ role: "user", content: 3 }] },
    error("messages[0].content: must be text, or a list of parts of type text", null, "messages[0].content"),
  ],
  [
    "an image",
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    error("messages[0].content: must be text, or a list of parts of type text", null, "messages[0].content"),
  ],
  [
    "a tool's turn",
    { messages: [{ role: "tool", content: "x" }] },
    error("messages[0].role: must be system, developer, user or assistant: there are no tools here", null, "messages[0].role"),
  ],
  [
    "nothing asked",
    { messages: [{ role: "assistant", content: "x" }] },
    error("The last message must be by the user and hold text: it is what is asked.", null, "messages"),
  ],
  [
    "only white space",
    { messages: [{ role: "user", content: " " }] },
    error("The last message must be by the user and hold text: it is what is asked.", null, "messages"),
  ],
  ["two answers", { messages: [{ role: "user", content: "x" }], n: 2 }, error("n: must be 1: a candidate gives one answer", null, "n")],
  [
    "tools",
    { messages: [{ role: "user", content: "x" }], tools: [{}] },
    error("tools: must be left out: candidates call no tools", null, "tools"),
  ],
  [
    "JSON of a text task",
    { messages: [{ role: "user", content: "x" }], response_format: { type: "json_object" } },
    error(
      "This task's output is no JSON, so response_format must be text. Write a schema into the task's output and compare again.",
      null,
      "response_format",
    ),
  ],
])("%s is a 400 in the protocol's shape, and nothing is asked", async (_, body, expected) => {
  const { post, served } = setup();
  const response = await post(body);
  expect([response.status, await response.json(), served.asked]).toEqual([400, expected, []]);
});

test("JSON is served where the task's output has a schema", async () => {
  const { say } = setup({ output: { kind: "schema", schema: {} } });
  expect((await say("x", { response_format: { type: "json_object" } })).status).toBe(200);
});

test("a body that is not called JSON is refused, so that pages of other sites cannot ask", async () => {
  const response = await setup().say("x", {}, { headers: { "content-type": "text/plain" } });
  expect([response.status, await response.json()]).toEqual([
    415,
    error("The body must be JSON: send the header content-type: application/json."),
  ]);
});

test("a body above the limit is a 413, with or without a stated length", async () => {
  const { post } = setup();
  const body = JSON.stringify({ messages: [{ role: "user", content: "x".repeat(1024 * 1024) }] });
  const stated = await post(body, { headers: { "content-type": "application/json", "content-length": String(body.length) } });
  expect([stated.status, await stated.json()]).toEqual([413, error("The body is larger than 1048576 bytes.")]);
  expect((await post(body)).status).toBe(413);
});

const failures: [string, Error, number, object][] = [
  ["too long an input", new ContextOverflow("It does not fit."), 400, error("It does not fit.", "context_length_exceeded", "messages")],
  ["a server that is down", new ModelUnavailable("No answer."), 503, error("No answer.", "model_unavailable", null, "server_error")],
  ["a missing package", new UserError("Run: sartor setup local"), 500, error("Run: sartor setup local", null, null, "server_error")],
  [
    "a bug",
    new TypeError("x is undefined"),
    500,
    error("The candidate failed to answer. The server's log says why.", null, null, "server_error"),
  ],
];

test.each(failures)("%s has its own status, streamed or not, and no stack", async (_, thrown, status, body) => {
  const fail = (): Promise<never> => Promise.reject(thrown);
  const { say, reported } = setup({ ask: fail });
  for (const stream of [false, true]) {
    const response = await say("x", { stream });
    expect([response.status, await response.json()]).toEqual([status, body]);
  }
  expect(reported).toEqual(status === 500 ? [thrown, thrown] : []);
});

test("an error after the first piece ends the stream with the error, not with DONE", async () => {
  const { say, reported } = setup({
    ask: async ({ onText }) => {
      onText?.("The ");
      throw new TypeError("cut");
    },
  });
  const chunks = await chunksOf(await say("x", { stream: true }));
  expect(chunks.at(-1)).toEqual(error("The candidate failed to answer. The server's log says why.", null, null, "server_error"));
  expect(reported).toEqual([new TypeError("cut")]);
});

test("answers are given one at a time in the order of arrival, and a full queue turns requests away", async () => {
  const release: (() => void)[] = [];
  const { say, served, app } = setup({
    maxWaiting: 2,
    ask: ({ input }) => new Promise((resolve) => release.push(() => resolve(answerOf(input)))),
  });
  const running = [say("1"), say("2"), say("3")];
  await expect.poll(async () => ((await (await app.request("/health")).json()) as { waiting: number }).waiting).toBe(2);
  const turnedAway = await say("4");
  expect([turnedAway.status, turnedAway.headers.get("retry-after"), await turnedAway.json()]).toEqual([
    503,
    "1",
    error("Too many requests are waiting. Try again later.", "queue_full", null, "server_error"),
  ]);
  for (const [at, response] of running.entries()) {
    await expect.poll(() => served.asked.length).toBe(at + 1);
    release[at]!();
    expect(((await (await response).json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).toBe(
      String(at + 1),
    );
  }
});

test("candidates of a server elsewhere do not wait for each other", async () => {
  const { say, served } = setup({
    remote: ["rag-bm25"],
    ask: ({ signal }) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
  });
  const gone = new AbortController();
  const both = [say("1", {}, { signal: gone.signal }), say("2", {}, { signal: gone.signal })];
  await expect.poll(() => served.asked.length).toBe(2);
  gone.abort();
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual([499, 499]);
});

test("a client that leaves the queue is never asked for, one that leaves while answered aborts the answer", async () => {
  const { say, served } = setup({
    ask: ({ signal }) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const answered = say("1", {}, { signal: first.signal });
  const waiting = say("2", {}, { signal: second.signal });
  await expect.poll(() => served.asked.length).toBe(1);
  second.abort();
  expect((await waiting).status).toBe(499);
  first.abort("gone");
  expect((await answered).status).toBe(499);
  expect(served.asked.map(({ input, signal }) => [input, signal?.aborted])).toEqual([["1", true]]);
});

test("models are listed with the recommended one first and what was measured", async () => {
  const { app } = setup();
  const body = (await (await app.request("/v1/models")).json()) as { object: string; data: { id: string }[] };
  expect(body.data.map(({ id }) => id)).toEqual(["rag-bm25", "tf-idf-linear"]);
  expect(body).toMatchObject({
    object: "list",
    data: [
      { object: "model", created: 1_793_527_200, owned_by: "sartor", recommended: true, score: { metric: "token-f1", value: 0.5 } },
      { recommended: false },
    ],
  });
  expect(await (await app.request("/v1/models/default")).json()).toEqual(body.data[0]);
  expect((await app.request("/v1/models/none")).status).toBe(404);
});

test("health says what is served", async () => {
  const { app } = setup();
  expect(await (await app.request("/health")).json()).toEqual({
    status: "ok",
    task: "handbook",
    run: "run-1",
    recommended: "rag-bm25",
    waiting: 0,
    version: "1.2.3",
  });
});

test("metrics count requests by candidate and status, and tokens", async () => {
  const { app, say } = setup();
  await (await say("x")).json();
  await (await say("x", { stream: true })).text();
  await say("x", { model: "unknown" });
  const response = await app.request("/metrics");
  const lines = (await response.text()).split("\n");
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/u);
  expect(lines.filter((line) => /^sartor_(?:requests_total|tokens_total|requests_waiting|request_seconds_count)/u.test(line))).toEqual([
    "sartor_requests_waiting 0",
    'sartor_requests_total{candidate="rag-bm25",status="200"} 2',
    'sartor_requests_total{candidate="none",status="404"} 1',
    'sartor_request_seconds_count{candidate="rag-bm25"} 2',
    'sartor_tokens_total{candidate="rag-bm25",direction="input"} 14',
    'sartor_tokens_total{candidate="rag-bm25",direction="output"} 6',
  ]);
});

test("the page names the task, escapes what it names, and loads nothing from elsewhere", async () => {
  const response = await setup().app.request("/");
  const page = await response.text();
  expect(page).toContain("Answer from the &lt;handbook&gt;.");
  expect(page).toContain('<option value="rag-bm25">rag-bm25 (recommended)</option>');
  expect(page).not.toMatch(/https?:|\bsrc=/u);
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'sha256-/u);
});

test("an unknown route is a 404 in the protocol's shape", async () => {
  const response = await setup().app.request("/v1/embeddings", { method: "POST" });
  expect([response.status, await response.json()]).toEqual([
    404,
    error("There is no POST /v1/embeddings here: POST /v1/chat/completions, GET /v1/models, /health, /metrics or /.", "not_found"),
  ]);
});
