// A server on this machine that speaks the protocol, with the faults that servers have.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { ModelUnavailable } from "../model.ts";
import { serverEmbedding } from "./server-embedding.ts";

interface Asked {
  readonly model: string;
  readonly input: readonly string[];
}

const patience = { answer: 20_000, retries: 2, wait: 1 };
const opened: Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** What was asked, and the address. A text's vector is its length and 1, or what `answer` sends instead. */
async function listen(answer?: (asked: Asked, response: ServerResponse, count: number) => boolean) {
  const asked: (Asked & { readonly path: string | undefined; readonly key: string | undefined })[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      const body = JSON.parse(text) as Asked;
      asked.push({ model: body.model, input: body.input, path: request.url, key: request.headers.authorization });
      if (answer?.(body, response, asked.length) === true) return;
      const data = body.input.map(({ length }, index) => ({ object: "embedding", index, embedding: [length, 1] }));
      send(response, 200, { object: "list", model: body.model, data, usage: { prompt_tokens: 1, total_tokens: 1 } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

function send(response: ServerResponse, status: number, value: unknown): true {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  return true;
}

test("texts become unit vectors in their order, 64 in a request", async () => {
  const { asked, url } = await listen();
  const model = await serverEmbedding({ url: `${url}/`, model: "bge", apiKey: "secret", patience });
  expect({ id: model.id, dimensions: model.dimensions }).toEqual({ id: "bge", dimensions: 2 });
  const texts = Array.from({ length: 70 }, (_, index) => "x".repeat(index));
  const vectors = await model.embed(texts);
  expect(vectors.map(([first = 0, second = 1]) => Math.round(first / second))).toEqual(texts.map(({ length }) => length));
  expect(vectors.every((vector) => Math.abs(Math.hypot(...vector) - 1) < 1e-6)).toBe(true);
  expect(asked.map(({ input }) => input.length)).toEqual([1, 64, 6]);
  expect(asked[0]).toEqual({ model: "bge", input: ["width"], path: "/v1/embeddings", key: "Bearer secret" });
});

test("a busy server is asked again", async () => {
  const { asked, url } = await listen((_body, response, count) => count === 1 && send(response, 503, { error: { message: "loading" } }));
  expect((await serverEmbedding({ url, model: "bge", patience })).dimensions).toBe(2);
  expect(asked.length).toBe(2);
});

test("a server that stays busy is nobody's fault, one that refuses is told in one line", async () => {
  const busy = await listen((_body, response) => send(response, 500, { error: { message: "broken" } }));
  await expect(serverEmbedding({ url: busy.url, model: "bge", patience })).rejects.toThrow(ModelUnavailable);
  const unknown = await listen((_body, response) => send(response, 404, { error: { message: "no such model" } }));
  await expect(serverEmbedding({ url: unknown.url, model: "bge", patience })).rejects.toThrow(
    new UserError(
      `${unknown.url} refuses to answer as "bge" (404: no such model). Check the url (it usually ends in /v1) and the model's name.`,
    ),
  );
  await expect(serverEmbedding({ url: "localhost", model: "bge" })).rejects.toThrow('"localhost" is no address of a server.');
});

test("too few vectors, or of another width than before, are not taken for embeddings", async () => {
  const short = await listen((_body, response, count) => count > 1 && send(response, 200, { data: [{ embedding: [1, 2] }] }));
  const model = await serverEmbedding({ url: short.url, model: "bge", patience });
  await expect(model.embed(["a", "b"])).rejects.toThrow("gave 1 vectors for 2 texts");
  await expect(
    (
      await serverEmbedding({
        url: (
          await listen(
            (body, response, count) => count > 1 && send(response, 200, { data: body.input.map(() => ({ embedding: [1, 2, 3] })) }),
          )
        ).url,
        model: "bge",
        patience,
      })
    ).embed(["a"]),
  ).rejects.toThrow("gave vectors of 3 and of 2 numbers");
});

test("an aborted signal stops it", async () => {
  const { url } = await listen();
  const model = await serverEmbedding({ url, model: "bge", patience });
  await expect(model.embed(["a"], AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
});
