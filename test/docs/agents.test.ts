// docs/agents.md is run: its example of the AI SDK, with a model that calls the tool, and its lines for MCP hosts.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ai from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as sartor from "../../src/index.ts";

const page = await readFile(new URL("../../docs/agents.md", import.meta.url), "utf8");
const example = /```ts\n([\s\S]*?)```/.exec(page)![1]!;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-agents-"));
  await mkdir(join(folder, "docs"));
  await writeFile(join(folder, "docs", "hours.md"), "# Hours\n\nThe office opens at nine.");
  const environment: sartor.Environment = {
    modelsFolder: folder,
    extraFolders: [],
    threads: 1,
    memoryBytes: 2 ** 30,
    contextLength: 128,
    secret: () => undefined,
  };
  const made = sartor.indexDocuments({ index: join(folder, ".sartor/index"), documents: ["docs"], folder, embedding: "none", environment });
  for await (const _ of made);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Call {
  readonly prompt: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly {
    readonly name: string;
    readonly description: string;
    readonly inputSchema: { readonly required: readonly string[] };
  }[];
}

describe("with the AI SDK", () => {
  test("the example runs: a model calls the tool, gets passages, and answers", async () => {
    const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
    const Mock = MockLanguageModelV3 as unknown as new (options: object) => { readonly doGenerateCalls: readonly Call[] };
    const model = new Mock({
      doGenerate: async ({ prompt }: Call) => {
        const asked = prompt.some(({ role }) => role === "tool");
        const call = { type: "tool-call", toolCallId: "1", toolName: "search", input: '{"query":"opening hours","limit":1}' };
        return {
          content: [asked ? { type: "text", text: "At nine [1]." } : call],
          finishReason: { unified: asked ? "stop" : "tool-calls", raw: undefined },
          usage,
          warnings: [],
        };
      },
    });
    const lines: unknown[] = [];
    const body = example
      .split("\n")
      .filter((line) => !line.startsWith("import "))
      .join("\n")
      .replace('".sartor/index"', JSON.stringify(join(folder, ".sartor/index")))
      .replace("defaultModelsFolder(process.env)", JSON.stringify(folder));
    const parts: { readonly [name: string]: unknown } = {
      ...sartor,
      ...ai,
      totalmem: () => 2 ** 30,
      model,
      console: { log: (line: unknown) => lines.push(line) },
    };
    const names = Object.keys(parts).filter((name) => example.includes(name));
    // oxlint-disable-next-line typescript/no-implied-eval -- the text is that of our own page
    const run = new Function(...names, `return (async () => {${body}})()`) as (...given: readonly unknown[]) => Promise<void>;
    await run(...names.map((name) => parts[name]));
    expect(lines).toEqual(["At nine [1]."]);
    const [first, second] = model.doGenerateCalls;
    expect(first!.tools).toMatchObject([{ name: "search", inputSchema: { required: ["query"] } }]);
    const given = second!.prompt.find(({ role }) => role === "tool")!.content;
    expect(given).toMatchObject([
      {
        toolName: "search",
        output: {
          type: "json",
          value: {
            passages: [{ number: 1, document: "hours.md", title: "Hours", start: 0, text: "# Hours\n\nThe office opens at nine." }],
          },
        },
      },
    ]);
  });
});

test("the tool answers without the AI SDK, and refuses what is no condition", async () => {
  const environment: sartor.Environment = {
    modelsFolder: folder,
    extraFolders: [],
    threads: 1,
    memoryBytes: 2 ** 30,
    contextLength: 128,
    secret: () => undefined,
  };
  await using index = await sartor.openSearchIndex({ index: join(folder, ".sartor/index"), environment });
  const tool = sartor.searchTool(index, { limit: 1, search: { method: "bm25", where: [sartor.parseCondition("type=md")] } });
  expect(tool.inputSchema.safeParse({ query: "" }).success).toBe(false);
  expect(await tool.execute({ query: "office" })).toMatchObject({
    passages: [{ number: 1, document: "hours.md", modified: expect.stringMatching(/^20.*Z$/) as string }],
  });
  expect(await tool.execute({ query: "office", where: ["type=pdf"] })).toEqual({ passages: [] });
  await expect(tool.execute({ query: "office", where: ["nonsense"] })).rejects.toThrow('"nonsense" is no condition.');
  await expect(tool.execute({ query: "office" }, { abortSignal: AbortSignal.abort() })).rejects.toThrow(/abort/u);
});

test("the configuration for MCP hosts is JSON, of a verb that there is", () => {
  const { mcpServers } = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)![1]!) as {
    mcpServers: { [name: string]: { command: string; args: string[] } };
  };
  expect(Object.values(mcpServers).map(({ command, args }) => [command, args[0]])).toEqual([["sartor", "mcp"]]);
});
