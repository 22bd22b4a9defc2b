// A finished run that answers as a test says: for tests of what stands in front of a run.
import type { Answer, AskOptions, Report, Served } from "../../src/index.ts";

export interface FakeServedOptions {
  /** What `ask` does; default: it answers with the input in capitals, piece by piece. */
  readonly ask?: (options: AskOptions) => Promise<Answer>;
  readonly output?: Served["task"]["output"];
  /** Ids of candidates whose model is behind a server. */
  readonly remote?: readonly string[];
}

export interface FakeServed extends Served {
  /** What was asked, in order. */
  readonly asked: AskOptions[];
}

export const passage = { document: "guide.md", title: "Guide", start: 10, end: 42, text: "The battery lasts for two days.", score: 3.5 };

/** An answer as a test needs it. */
export function answerOf(output: string, more: Partial<Answer> = {}): Answer {
  return { output, passages: [], prompt: output, tokens: { input: 7, output: 3 }, seconds: 0.01, finish: "stop", ...more };
}

/** Two candidates: `rag-bm25`, which is recommended, and `tf-idf-linear`, which writes no pieces. */
export function fakeServed({ ask = shout, output = { kind: "text" }, remote = [] }: FakeServedOptions = {}): FakeServed {
  const asked: AskOptions[] = [];
  const rows = ["tf-idf-linear", "rag-bm25"].map((id) => rowOf(id, !remote.includes(id)));
  return {
    asked,
    task: { name: "handbook", instruction: "Answer from the <handbook>.", output } as Served["task"],
    report: { runId: "run-1", createdAt: "2026-11-01T10:00:00.000Z", candidates: rows } as unknown as Report,
    candidates: rows.map((row) => row.id),
    recommended: "rag-bm25",
    warmUp: async () => undefined,
    ask: async (options) => {
      asked.push(options);
      return { ...(await ask(options)), candidate: options.candidate ?? "rag-bm25" };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function rowOf(id: string, local: boolean): Report["candidates"][number] {
  return {
    id,
    strategy: id,
    kind: "generate",
    parents: [],
    status: "in the race",
    model: "tiny",
    parameters: [],
    seed: 0,
    local,
    score: { metric: "token-f1", value: 0.5, low: 0.4, high: 0.6, n: 100, errors: 0 },
    metrics: { "token-f1": 0.5 },
    errorsByKind: {},
    latency: { p50: 0.1, p95: 0.2, n: 50 },
    tokens: { input: 7, output: 3 },
    cost: { per1k: 100, perPass: 10, unit: "machine-seconds" },
    build: { seconds: 1, peakMemoryBytes: 1, labelledExamples: 0 },
    inference: { peakMemoryBytes: null },
    update: { seconds: 1, how: "the passages of one document are added" },
    artefacts: [],
    notes: [],
  };
}

async function shout({ input, candidate, onText }: AskOptions): Promise<Answer> {
  const output = input.toUpperCase();
  if (candidate === "tf-idf-linear") return answerOf(output);
  for (const piece of output.match(/\S+\s*/gu) ?? []) onText?.(piece);
  return answerOf(output, { passages: [passage], confidence: 0.75 });
}
