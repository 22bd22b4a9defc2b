// A server on this machine that speaks the protocol, with the faults that servers have.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { testLanguageModel } from "../../test/conformance/model.ts";
import type { Constraint, GenerateRequest } from "../model.ts";
import { serverModel, type ServerModelOptions } from "./openai-compatible.ts";

interface Body {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly stream?: boolean;
  readonly response_format?: {
    readonly type: string;
    readonly json_schema: { readonly schema: { readonly properties: { readonly label?: { readonly enum: readonly string[] } } } };
  };
}

type Handler = (body: Body, response: ServerResponse, request: IncomingMessage) => void;

const patience = { answer: 20_000, retries: 2, wait: 1 };
const opened: Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(handler: Handler): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => handler(JSON.parse(text) as Body, response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, server };
}

async function modelOf(handler: Handler, options: Partial<ServerModelOptions> = {}) {
  const { url, server } = await listen(handler);
  opened.push(server);
  return serverModel({ url, model: "test-model", patience, ...options });
}

function send(response: ServerResponse, status: number, value: unknown, headers: { [name: string]: string } = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

const fail = (response: ServerResponse, status: number, message: string, headers: { [name: string]: string } = {}): void =>
  send(response, status, { error: { message, type: "error" } }, headers);

/** Answers as a model would: within its length, its stop strings and its schema, streamed when asked. */
const proper: Handler = (body, response) => {
  const { messages, max_tokens: most, stop = [], stream } = body;
  const words = messages.reduce((sum, { content }) => sum + content.split(/\s+/).length, 0);
  if (words + most > 4000) return fail(response, 400, `This model's maximum context length is 4000 tokens, you asked for ${words + most}.`);
  const labels = body.response_format?.json_schema.schema.properties.label?.enum;
  const json = labels === undefined ? { name: "Ann", age: 3, kind: "person" } : { label: labels.includes("maybe") ? "maybe" : labels[0] };
  const whole = body.response_format === undefined ? `You asked: ${messages.at(-1)?.content} I cannot know.` : JSON.stringify(json);
  const ended = whole.slice(0, Math.min(whole.length, ...stop.map((one) => whole.indexOf(one)).filter((at) => at >= 0)));
  const pieces = ended.match(/\S+\s*/g) ?? [];
  const written = pieces.slice(0, most);
  const reason = pieces.length > most ? "length" : "stop";
  const usage = { prompt_tokens: words, completion_tokens: written.length, total_tokens: words + written.length };
  const about = { id: "1", created: 1, model: body.model };
  if (stream !== true) {
    const choices = [{ index: 0, message: { role: "assistant", content: written.join("") }, finish_reason: reason }];
    return send(response, 200, { ...about, choices, usage });
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  for (const content of written) event({ ...about, choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] });
  event({ ...about, choices: [{ index: 0, delta: {}, finish_reason: reason }] });
  event({ ...about, choices: [], usage });
  response.end("data: [DONE]\n\n");
};

testLanguageModel(
  "a server",
  async () => {
    const { url, server } = await listen(proper);
    return {
      model: serverModel({ url, model: "test-model", contextLength: 4000, patience }),
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    };
  },
  { longEnough: 5 },
);

function request(text: string, constraint: Constraint = { kind: "free" }): GenerateRequest {
  return {
    input: {
      kind: "chat",
      shared: 1,
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: text },
      ],
    },
    decoding: { constraint, maxTokens: 20, temperature: 0.5, stop: ["\n"] },
    seed: 7,
  };
}

const labels = { kind: "labels", labels: ["refund", "delivery", "delivery_late"] } as const;

describe("what is sent and understood", () => {
  test("the request says all that decoding is", async () => {
    const seen: unknown[] = [];
    const model = await modelOf(
      (body, response, { headers }) => {
        seen.push({ ...body, key: headers.authorization });
        proper(body, response, {} as IncomingMessage);
      },
      { apiKey: "secret", price: { input: 1, output: 2 } },
    );
    const answer = await model.generate(request("Hello?"));
    expect(answer).toMatchObject({ text: "You asked: Hello? I cannot know.", finish: "stop", tokens: { input: 3, output: 6 } });
    expect(seen).toEqual([
      {
        model: "test-model",
        messages: [
          { role: "system", content: "Be kind." },
          { role: "user", content: "Hello?" },
        ],
        max_tokens: 20,
        temperature: 0.5,
        stop: ["\n"],
        seed: 7,
        key: "Bearer secret",
      },
    ]);
    expect(model).toMatchObject({ id: "test-model", local: false, price: { input: 1, output: 2 } });
    expect(JSON.stringify(model)).not.toContain("secret");
  });

  test("a server that takes no schema is asked in plain words from then on", async () => {
    const formats: (string | undefined)[] = [];
    const model = await modelOf((body, response) => {
      formats.push(body.response_format?.type);
      if (body.response_format !== undefined) return fail(response, 400, "response_format is not supported");
      const content = "I think this is about: delivery late.";
      send(response, 200, { choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });
    });
    expect((await model.generate(request("Where is it?", labels))).text).toBe("delivery_late");
    expect((await model.generate(request("Where is it?", labels))).text).toBe("delivery_late");
    expect(formats).toEqual(["json_schema", undefined, undefined]);
  });

  test("tokens are estimated where the server does not count them", async () => {
    const model = await modelOf((_, response) => {
      send(response, 200, { choices: [{ index: 0, message: { role: "assistant", content: "12345678" }, finish_reason: "stop" }] });
    });
    expect((await model.generate(request("1234567"))).tokens).toEqual({ input: 4, output: 2 });
  });
});

describe("what goes wrong", () => {
  test("a busy server is asked again, when it says and otherwise soon", async () => {
    const statuses = [429, 503];
    const model = await modelOf((body, response, incoming) => {
      const status = statuses.shift();
      if (status === undefined) return proper(body, response, incoming);
      fail(response, status, "busy", { "retry-after": "0" });
    });
    expect((await model.generate(request("Hello?"))).text).toContain("Hello?");
    expect(statuses).toEqual([]);
  });

  test.each([
    [
      "always answers 500",
      ((_, response) => fail(response, 500, "out of memory")) as Handler,
      "ModelUnavailable",
      "answers 500: out of memory",
    ],
    ["hangs up", ((_, response) => response.destroy()) as Handler, "ModelUnavailable", "does not answer"],
    [
      "says the input is too long",
      ((_, response) => fail(response, 400, "the context window is 10 tokens")) as Handler,
      "ContextOverflow",
      "context window",
    ],
    ["wants a key", ((_, response) => fail(response, 401, "no key")) as Handler, "UserError", "keyVariable"],
    ["has no such model", ((_, response) => fail(response, 404, "no such model")) as Handler, "UserError", "the model's name"],
    ["refuses a value", ((_, response) => fail(response, 400, "seed must be below 5")) as Handler, "UserError", "seed must be below 5"],
  ])("a server that %s", async (_, handler, name, message) => {
    const model = await modelOf(handler);
    const failure = model.generate(request("Hello?"));
    await expect(failure).rejects.toMatchObject({ name });
    await expect(failure).rejects.toThrow(message);
  });

  test("a server that is not there is unavailable", async () => {
    const { url, server } = await listen(proper);
    await new Promise((resolve) => server.close(resolve));
    const model = serverModel({ url, model: "test-model", patience });
    await expect(model.generate(request("Hello?"))).rejects.toMatchObject({ name: "ModelUnavailable" });
  });

  test("a server that takes too long is unavailable", async () => {
    const model = await modelOf(() => undefined, { patience: { ...patience, answer: 50 } });
    await expect(model.generate(request("Hello?"))).rejects.toThrow("took too long");
  });

  test("an answer that breaks off while it is streamed is not begun again", async () => {
    let asked = 0;
    const model = await modelOf((_, response) => {
      asked++;
      response.writeHead(200, { "content-type": "text/event-stream" });
      const value = { choices: [{ index: 0, delta: { role: "assistant", content: "You asked" }, finish_reason: null }] };
      response.write(`data: ${JSON.stringify(value)}\n\n`, () => setTimeout(() => response.destroy(), 20));
    });
    const pieces: string[] = [];
    await expect(model.generate({ ...request("Hello?"), onText: (piece) => pieces.push(piece) })).rejects.toMatchObject({
      name: "ModelUnavailable",
    });
    expect([asked, pieces]).toEqual([1, ["You asked"]]);
  });

  test("an address that is none is told at once", () => {
    expect(() => serverModel({ url: "localhost:8080", model: "m" })).toThrow('"localhost:8080" is no address of a server.');
  });
});

test("names of control tokens are broken before a server puts messages through its template", async () => {
  const seen: Body["messages"][number][] = [];
  const model = await modelOf((body, response, request) => {
    seen.push(...body.messages);
    proper(body, response, request);
  });
  const text = "Hi<|im_end|> </s> [/INST] <end_of_turn> <｜User｜> <unused7>, x < y | z > [1] <b>";
  const messages = [
    { role: "system", content: "Be <s>brief" },
    { role: "user", content: text },
  ] as const;
  await using opened = model;
  await opened.generate({
    input: { kind: "chat", messages, shared: 0 },
    decoding: { constraint: { kind: "free" }, maxTokens: 5, temperature: 0, stop: [] },
  });
  await opened.generate({
    input: { kind: "completion", text, shared: 0 },
    decoding: { constraint: { kind: "free" }, maxTokens: 5, temperature: 0, stop: [] },
  });
  const broken = "Hi<\u200B|im_end|> <\u200B/s> [\u200B/INST] <\u200Bend_of_turn> <\u200B｜User｜> <\u200Bunused7>, x < y | z > [1] <b>";
  expect(seen.map(({ content }) => content)).toEqual(["Be <\u200Bs>brief", broken, broken]);
});
