// How a candidate that retrieves comes to its answer, with a model that says what it was shown.
import { afterEach, expect, test } from "vitest";
import type { GenerateCandidate, RetrieverSettings } from "../candidate.ts";
import type { LanguageModel } from "../model.ts";
import { mockModel } from "../model/mock.ts";
import { memoryStore } from "../store/memory.ts";
import { answer, prepare } from "./answer.ts";
import { createResources, type Resources } from "./resources.ts";

const documents = [
  {
    id: "deposits.md",
    title: "Deposits",
    text: "The deposit for a Skiff is two monthly payments. It is paid by card. A letter follows.",
    sha256: "1",
  },
  {
    id: "depots.md",
    title: "Depots",
    text: "The depot opens at eight. The depot for a Skiff is in the harbour. Ring the bell.",
    sha256: "2",
  },
];
const settings: RetrieverSettings = { scorer: "bm25", chunk: { words: 80, overlap: 16 }, topK: 2, budget: 200, order: "best-first" };
const candidateOf = (retriever: RetrieverSettings, more: Partial<GenerateCandidate> = {}): GenerateCandidate => ({
  kind: "generate",
  id: "rag",
  manifest: {
    strategy: "",
    steps: [],
    parents: [],
    seed: 0,
    labelledExamples: 0,
    build: { seconds: 0, peakMemoryBytes: 0 },
    weightsChanged: false,
    artefacts: [],
  },
  model: { name: "mock", reference: "mock", chat: true },
  retriever,
  prompt: {
    format: "chat",
    instruction: "Answer.",
    demonstrations: { kind: "none" },
    listLabels: false,
    inputPrefix: "Question: ",
    outputPrefix: "Answer:",
  },
  decoding: { constraint: { kind: "free" }, maxTokens: 10, temperature: 0, stop: [] },
  ...more,
});

const opened: Resources[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

/** Resources over the documents, and every prompt the model was asked. */
function open({ contextLength = 4096, reply = "ok" } = {}): { resources: Resources; asked: string[] } {
  const asked: string[] = [];
  const model: LanguageModel = mockModel({
    contextLength,
    answer: (text) => {
      asked.push(text);
      return reply;
    },
  });
  const resources = createResources({
    documents,
    store: memoryStore(),
    openModel: async () => model,
    openEmbedding: async () => {
      throw new Error("nothing here is embedded");
    },
    openCrossEncoder: async () => {
      throw new Error("nothing here is read by a cross-encoder");
    },
  });
  opened.push(resources);
  return { resources, asked };
}

const input = "What is the deposit for a Skiff?";

test("passages are cut to the budget in the model's own tokens, and to what its context has room for", async () => {
  const { resources } = open();
  const whole = await prepare({ candidate: candidateOf(settings), input, resources });
  expect(whole.passages.map(({ document }) => document)).toEqual(["deposits.md", "depots.md"]);
  const tight = await prepare({ candidate: candidateOf({ ...settings, budget: 5 }), input, resources });
  expect(tight.passages.map(({ text }) => text)).toEqual(["The deposit for a Skiff"]);
  const small = open({ contextLength: 110 });
  const fitting = await prepare({ candidate: candidateOf(settings), input, resources: small.resources });
  expect(fitting.passages.length).toBe(1);
});

test("below the threshold it says so without asking the model, above it answers", async () => {
  const { resources, asked } = open();
  const abstention = { text: "The documents do not say.", threshold: 0.5 };
  const candidate = candidateOf(settings, { abstention });
  expect(await answer({ candidate, input: "Zebras?", resources })).toMatchObject({ output: abstention.text, abstained: true });
  expect(asked).toEqual([]);
  const sure = await answer({ candidate, input, resources });
  expect(sure).toMatchObject({ output: "ok" });
  expect(sure.abstained).toBeUndefined();
});

test("compressed passages show their sentences on the question; the passages themselves stay whole, numbered as shown", async () => {
  const { resources, asked } = open();
  const done = await answer({ candidate: candidateOf({ ...settings, compress: { tokens: 10 } }), input, resources });
  expect(asked[0]).toContain("The deposit for a Skiff is two monthly payments.");
  expect(asked[0]).not.toContain("A letter follows.");
  expect(done.passages[0]).toMatchObject({ document: "deposits.md", text: documents[0]!.text });
});

test("a summary is made once for the same passages and question, and again where latency is measured", async () => {
  const { resources, asked } = open({ reply: "Two payments." });
  const candidate = candidateOf({ ...settings, summarise: { maxTokens: 10 } });
  const summaries = (): number => asked.filter((text) => text.includes("Summarise")).length;
  const first = await answer({ candidate, input, resources });
  const second = await answer({ candidate, input, resources });
  expect([summaries(), second.tokens]).toEqual([1, first.tokens]);
  await answer({ candidate, input, resources, cached: false });
  await answer({ candidate, input: "What is the deposit?", resources });
  expect(summaries()).toBe(3);
});

test("a follow-up is searched with what it leaves unsaid, or as the model condenses it", async () => {
  const conversation = "User: Where is the depot?\nAssistant: In the harbour.\nUser: When does it open?";
  const { resources, asked } = open({ reply: "What is the deposit for a Skiff?" });
  const plain = await answer({ candidate: candidateOf({ ...settings, topK: 1 }), input: conversation, resources });
  expect([plain.query, plain.passages[0]?.document]).toEqual(["Where is the depot? When does it open?", "depots.md"]);
  expect(asked).toHaveLength(1);
  const condensed = await answer({ candidate: candidateOf({ ...settings, topK: 1, rewrite: "condense" }), input: conversation, resources });
  expect([condensed.query, condensed.passages[0]?.document]).toEqual([input, "deposits.md"]);
});
