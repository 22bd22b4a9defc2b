import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import OpenAI, { APIError, BadRequestError, NotFoundError } from "openai";
import { expect, test } from "vitest";
import { ContextOverflow, UserError } from "../index.ts";
import { answerOf, type FakeServed, fakeServed, type FakeServedOptions, passage } from "../../test/support/fake-served.ts";
import { createApp } from "./app.ts";
import { type RunningServer, startServer } from "./server.ts";

interface Running extends AsyncDisposable {
  readonly client: OpenAI;
  readonly served: FakeServed;
  readonly server: RunningServer;
}

async function start(options: FakeServedOptions = {}, graceSeconds = 10): Promise<Running> {
  const served = fakeServed(options);
  const server = await startServer({ app: createApp({ served, version: "1.2.3" }), port: 0, graceSeconds });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  return { served, server, client, [Symbol.asyncDispose]: () => server.close() };
}

const messages = [{ role: "user", content: "how long?" }] as const;
const ask = { model: "default", messages: [...messages] };

test("the openai client gets an answer, its usage and its sources", async () => {
  await using running = await start();
  const { choices, usage, model } = await running.client.chat.completions.create({ ...ask, temperature: 0 });
  expect([model, choices[0]?.message, choices[0]?.finish_reason, usage?.total_tokens]).toMatchObject([
    "rag-bm25",
    { role: "assistant", content: "HOW LONG?", sources: [passage] },
    "stop",
    10,
  ]);
});

test("the openai client gets a stream, piece by piece while it is written", async () => {
  let writeRest = (): void => undefined;
  await using running = await start({
    ask: async ({ onText }) => {
      onText?.("Two ");
      await new Promise<void>((resolve) => (writeRest = resolve));
      onText?.("days.");
      return answerOf("Two days.", { passages: [passage] });
    },
  });
  const stream = await running.client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
  const deltas: unknown[] = [];
  let usage: unknown;
  for await (const chunk of stream) {
    usage = chunk.usage;
    deltas.push(chunk.choices[0]?.delta);
    if (chunk.choices[0]?.delta.content === "Two ") writeRest();
  }
  expect(deltas).toEqual([
    { role: "assistant", content: "" },
    { content: "Two " },
    { content: "days." },
    { sources: [passage] },
    undefined,
  ]);
  expect(usage).toEqual({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
});

test("the openai client's own helper puts a stream together", async () => {
  await using running = await start();
  const whole = await running.client.chat.completions.stream({ ...ask, model: "tf-idf-linear" }).finalChatCompletion();
  expect(whole.choices[0]?.message.content).toBe("HOW LONG?");
});

test("the openai client lists and retrieves models", async () => {
  await using running = await start();
  const listed = await running.client.models.list();
  expect(listed.data.map(({ id }) => id)).toEqual(["rag-bm25", "tf-idf-linear"]);
  expect(await running.client.models.retrieve("tf-idf-linear")).toEqual(listed.data[1]);
});

test("the openai client throws its own errors", async () => {
  await using running = await start({
    ask: ({ input, onText }) => {
      if (input === "cut") onText?.("The ");
      return Promise.reject(new ContextOverflow("It does not fit."));
    },
  });
  const { completions } = running.client.chat;
  const thrown = await completions.create(ask).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(BadRequestError);
  expect(thrown).toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages", type: "invalid_request_error" });
  await expect(completions.create({ ...ask, stream: true })).rejects.toBeInstanceOf(BadRequestError);
  await expect(completions.create({ ...ask, model: "gpt-4o" })).rejects.toBeInstanceOf(NotFoundError);
  const stream = await completions.create({ ...ask, messages: [{ role: "user", content: "cut" }], stream: true });
  const read = async (): Promise<void> => {
    for await (const _ of stream);
  };
  await expect(read()).rejects.toBeInstanceOf(APIError);
});

const untilAborted: FakeServedOptions["ask"] = ({ signal, onText }) => {
  onText?.("The ");
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
};

test.each([false, true])("a client that disconnects aborts its answer (streamed: %s)", async (stream) => {
  await using running = await start({ ask: untilAborted });
  const gone = new AbortController();
  const asking = running.client.chat.completions.create({ ...ask, stream }, { signal: gone.signal });
  void asking.catch(() => undefined);
  await expect.poll(() => running.served.asked.length).toBe(1);
  if (stream) await asking;
  gone.abort();
  await expect.poll(() => running.served.asked[0]?.signal?.aborted).toBe(true);
  expect(running.served.asked[0]?.signal?.reason).toMatchObject({ name: "AbortError" });
});

test("closing lets the answer under way end and takes no new one", async () => {
  let finish = (): void => undefined;
  await using running = await start({ ask: () => new Promise((resolve) => (finish = () => resolve(answerOf("done")))) });
  const asking = running.client.chat.completions.create(ask);
  await expect.poll(() => running.served.asked.length).toBe(1);
  const closing = running.server.close();
  await expect(running.client.models.list()).rejects.toThrow("Connection error");
  finish();
  expect((await asking).choices[0]?.message.content).toBe("done");
  await closing;
});

test("closing cuts what does not end in time", async () => {
  await using running = await start({ ask: untilAborted }, 0);
  const asking = running.client.chat.completions.create(ask).catch((error: unknown) => error);
  await expect.poll(() => running.served.asked.length).toBe(1);
  await running.server.close();
  expect(await asking).toBeInstanceOf(APIError);
  await expect.poll(() => running.served.asked[0]?.signal?.aborted).toBe(true);
});

test("a taken port is one line that names the way out", async () => {
  await using running = await start();
  const { port } = running.server;
  const second = startServer({ app: createApp({ served: fakeServed(), version: "1" }), port });
  await expect(second).rejects.toThrow(
    new UserError(
      `Cannot listen on 127.0.0.1 port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}. Choose another with --port.`,
    ),
  );
});

test("a server for this machine alone does not answer to a name of elsewhere", async () => {
  await using running = await start();
  const statusFor = async (host: string): Promise<number | undefined> => {
    const call = request({ port: running.server.port, host: "127.0.0.1", path: "/health", headers: { host } }).end();
    const [response] = (await once(call, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect([await statusFor("evil.example"), await statusFor(`localhost:${running.server.port}`), await statusFor("[::1]:80")]).toEqual([
    403, 200, 200,
  ]);
});
