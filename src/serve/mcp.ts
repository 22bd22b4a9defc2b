// An index over the Model Context Protocol: searching it and asking it, as tools. Knows no transport but stdio.
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import {
  type Asking,
  type IndexAnswer,
  messageOf,
  parseCondition,
  passageForModel,
  passageOutput,
  type PassageOutput,
  type SearchIndex,
  searchInput,
  searchOutput,
  searchTool,
  whereInput,
} from "../index.ts";

export interface McpOptions {
  readonly search: Pick<SearchIndex, "search">;
  /** Opened when somebody first asks: it may need a language model. */
  readonly ask: () => Promise<Pick<Asking, "ask">>;
  readonly version: string;
}

const askInput = z.object({
  question: z.string().trim().min(1).max(2000).describe("A question that the documents may answer."),
  by: z.enum(["quotes", "model"]).optional().describe("Whether the documents' own sentences answer (default), or a small language model."),
  passages: z.number().int().min(1).max(20).optional().describe("Passages that are read, 1 to 20."),
  where: whereInput,
});

const askOutput = z.object({
  answer: z.string(),
  abstained: z.boolean().describe("Whether the documents do not say."),
  sentences: z.array(
    z.object({ text: z.string(), citations: z.array(z.number().int()).describe("Numbers of the sources that support it.") }),
  ),
  sources: z.array(passageOutput.extend({ cited: z.boolean() })),
});

const readOnly = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** A server with the tools `search` and `ask`. What fails is an error of the tool, in one line. */
export function mcpServer({ search, ask, version }: McpOptions): McpServer {
  const server = new McpServer({ name: "sartor", version });
  const tool = searchTool(search);
  server.registerTool(
    "search",
    {
      title: "Search the documents",
      description: tool.description,
      inputSchema: searchInput,
      outputSchema: searchOutput,
      annotations: readOnly,
    },
    (input, context) =>
      attempt(async () => {
        const found = await tool.execute(input, { abortSignal: context.mcpReq.signal });
        return { text: found.passages.map(passageText).join("\n\n") || "Nothing found.", structured: found };
      }),
  );
  server.registerTool(
    "ask",
    {
      title: "Ask the documents",
      description:
        "Answers a question from the documents: sentences with the numbers of the passages that support them, and these passages. Says so where the documents do not say.",
      inputSchema: askInput,
      outputSchema: askOutput,
      annotations: readOnly,
    },
    ({ question, by, passages, where = [] }, context) =>
      attempt(async () => {
        const chosen = { ...(by && { by }), ...(passages !== undefined && { passages }), where: where.map(parseCondition) };
        const answer = await (await ask()).ask(question, { ...chosen, signal: context.mcpReq.signal });
        return { text: answerText(answer), structured: answerOutput(answer) };
      }),
  );
  return server;
}

/** Serves on standard input and output until the client goes or the signal says so. */
export async function serveMcp(
  options: McpOptions & { readonly signal: AbortSignal; readonly onError: (error: Error) => void },
): Promise<void> {
  const { signal, onError } = options;
  await new Promise<void>((resolve) => {
    const handle = serveStdio(
      () => {
        const server = mcpServer(options);
        server.server.onclose = resolve;
        return server;
      },
      { onerror: onError },
    );
    process.stdin.once("end", resolve);
    signal.addEventListener("abort", () => void handle.close().finally(resolve), { once: true });
  });
}

interface Told {
  readonly text: string;
  readonly structured: { [name: string]: unknown };
}

async function attempt(act: () => Promise<Told>) {
  try {
    const { text, structured } = await act();
    return { content: [{ type: "text" as const, text }], structuredContent: structured };
  } catch (error) {
    return { content: [{ type: "text" as const, text: messageOf(error).replaceAll(/\s+/g, " ") }], isError: true };
  }
}

function passageText({ number, document, title, pages = [], start, end, modified, text }: PassageOutput): string {
  const place = [
    document,
    pages.length === 0 ? "" : `page ${pages.join(", ")}`,
    `${start}-${end}`,
    modified === undefined ? "" : `changed ${modified.slice(0, 10)}`,
  ];
  return `[${number}] ${title} (${place.filter((part) => part !== "").join(", ")})\n${text}`;
}

function answerText(answer: IndexAnswer): string {
  const cited = answerOutput(answer).sources.filter((source) => source.cited);
  return [answer.output, ...cited.map(passageText)].join("\n\n");
}

function answerOutput({ output, abstained, sentences, sources }: IndexAnswer): z.infer<typeof askOutput> {
  return {
    answer: output,
    abstained,
    sentences: sentences.map(({ text, citations }) => ({ text, citations: [...citations] })),
    sources: sources.map((source) => ({ ...passageForModel(source, source.number), cited: source.cited })),
  };
}
