// `sartor mcp`, spoken to over standard input and output as a client of the protocol does.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Environment, indexDocuments } from "../../src/index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const environment: Environment = {
  modelsFolder: "/nowhere",
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 128,
  secret: () => undefined,
};

let folder: string;
let client: Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-mcp-"));
  await mkdir(join(folder, "docs"));
  const texts = {
    "hours.txt": "The office opens at nine.\fIt closes at five.",
    "bikes.md": "# Bikes\n\nThe hire of a bike costs nine pounds a day.",
  };
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(folder, "docs", name), text);
    await utimes(join(folder, "docs", name), new Date("2026-03-01"), new Date("2026-03-01"));
  }
  for await (const _ of indexDocuments({ index: join(folder, "index"), documents: ["docs"], folder, embedding: "none", environment }));
  client = new Client(join(folder, "index"));
  await client.open();
});
afterAll(async () => {
  client.child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text: string }[];
  readonly structuredContent?: { readonly [name: string]: unknown };
  readonly isError?: boolean;
}

/** Sends requests and takes answers, a line of JSON each; whatever else stands on standard output is a failure. */
class Client {
  readonly child: ChildProcess;
  readonly errors: string[] = [];
  #id = 0;
  readonly #waiting = new Map<number, (message: { readonly result?: unknown; readonly error?: unknown }) => void>();

  constructor(index: string) {
    this.child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "mcp", index], { stdio: "pipe" });
    this.child.stderr!.on("data", (data: Buffer) => this.errors.push(String(data)));
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      const message = JSON.parse(line) as {
        readonly jsonrpc: string;
        readonly id?: number;
        readonly result?: unknown;
        readonly error?: unknown;
      };
      if (message.jsonrpc !== "2.0") throw new Error(`No message of the protocol: ${line}`);
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    });
  }

  async open(): Promise<unknown> {
    const opened = await this.request("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    });
    this.#send({ method: "notifications/initialized" });
    return opened;
  }

  async request(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#id;
    const answered = new Promise<{ readonly result?: unknown; readonly error?: unknown }>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ id, method, params });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return result;
  }

  async call(name: string, given: object): Promise<ToolResult> {
    return (await this.request("tools/call", { name, arguments: given })) as ToolResult;
  }

  #send(message: object): void {
    this.child.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }
}

test("both tools are listed, with schemas of what they take and give", async () => {
  const { tools } = (await client.request("tools/list")) as {
    tools: readonly { name: string; inputSchema: object; outputSchema: object }[];
  };
  expect(tools.map(({ name }) => name)).toEqual(["search", "ask"]);
  expect(tools[0]).toMatchObject({
    inputSchema: {
      type: "object",
      required: ["query"],
      properties: { query: { type: "string" }, limit: { type: "integer", maximum: 20 }, where: { type: "array" } },
    },
    outputSchema: { type: "object", properties: { passages: { type: "array" } } },
    annotations: { readOnlyHint: true },
  });
});

test("a search gives passages as text and as structured content: document, page, offsets, date", async () => {
  const { content, structuredContent, isError } = await client.call("search", { query: "when does it close", limit: 1 });
  expect(isError).toBeUndefined();
  expect(content).toEqual([
    { type: "text", text: "[1] hours (hours.txt, page 1, 2, 0-43, changed 2026-03-01)\nThe office opens at nine.It closes at five." },
  ]);
  expect(structuredContent).toEqual({
    passages: [
      {
        number: 1,
        document: "hours.txt",
        title: "hours",
        pages: [1, 2],
        start: 0,
        end: 43,
        modified: "2026-03-01T00:00:00.000Z",
        score: expect.any(Number) as number,
        text: "The office opens at nine.It closes at five.",
      },
    ],
  });
});

test("a search may be narrowed, and find nothing", async () => {
  expect((await client.call("search", { query: "nine", where: ["type=md"] })).structuredContent).toMatchObject({
    passages: [{ document: "bikes.md" }],
  });
  expect(await client.call("search", { query: "submarines" })).toMatchObject({
    content: [{ text: "Nothing found." }],
    structuredContent: { passages: [] },
  });
});

test("an answer comes with its sources and the numbers of those that support each sentence", async () => {
  const { content, structuredContent } = await client.call("ask", { question: "What does the hire of a bike cost?" });
  expect(content[0]!.text).toMatch(/nine pounds a day[\s\S]*\[1\] Bikes \(bikes\.md, /);
  expect(structuredContent).toMatchObject({
    answer: expect.stringContaining("nine pounds a day") as string,
    abstained: false,
    sentences: [{ citations: [1] }],
    sources: [{ number: 1, document: "bikes.md", cited: true, modified: "2026-03-01T00:00:00.000Z" }],
  });
});

test.each<[string, string, object, RegExp]>([
  ["a condition that is none", "search", { query: "nine", where: ["nonsense"] }, /^"nonsense" is no condition\. Write it like [^\n]*$/],
  ["a query that is empty", "search", { query: " " }, /query/],
  ["a limit that is too high", "search", { query: "nine", limit: 500 }, /limit/],
])("%s is an error of the tool, in one line", async (_, tool, given, message) => {
  const { content, isError } = await client.call(tool, given);
  expect(isError).toBe(true);
  expect(content[0]!.text).toMatch(message);
  expect(content[0]!.text).not.toContain("\n");
});

test("documents that change are found at the next call, and the server ends when its client goes", async () => {
  await writeFile(join(folder, "docs", "new.md"), "The ferry leaves at noon.");
  for await (const _ of indexDocuments({ index: join(folder, "index"), folder, environment }));
  expect((await client.call("search", { query: "ferry" })).structuredContent).toMatchObject({ passages: [{ document: "new.md" }] });
  client.child.stdin!.end();
  expect(await once(client.child, "exit")).toEqual([0, null]);
  expect(client.errors.join("")).toBe("");
});

test("where there is no index, the program says so on standard error and ends", async () => {
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "mcp", folder], { stdio: ["pipe", "pipe", "pipe"] });
  const [out, errors]: [string[], string[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => out.push(String(data)));
  child.stderr.on("data", (data: Buffer) => errors.push(String(data)));
  expect(await once(child, "exit")).toEqual([1, null]);
  expect([out.join(""), errors.join("")]).toEqual(["", expect.stringMatching(/^sartor: There is no index in [^\n]*\n$/)]);
});
