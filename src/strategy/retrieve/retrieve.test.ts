// What the steps that retrieve choose, with validation scores as a test says.
import { expect, test } from "vitest";
import type { Candidate, GenerateCandidate, RetrieverSettings } from "../../candidate.ts";
import type { Metric, Row } from "../../evaluation.ts";
import { emptyManifest } from "../base.ts";
import type { StepResult, Strategy, StrategyContext, StrategyData } from "../strategy.ts";
import { abstainStep } from "./abstain.ts";
import { compressStep } from "./compress.ts";
import { ragStrategy, retrieverSettings } from "./rag.ts";

const start: GenerateCandidate = {
  kind: "generate",
  id: "base",
  manifest: emptyManifest(0),
  model: { name: "mock", reference: "mock", chat: true },
  prompt: {
    format: "chat",
    instruction: "Answer.",
    demonstrations: { kind: "none" },
    listLabels: false,
    inputPrefix: "Question: ",
    outputPrefix: "Answer:",
  },
  decoding: { constraint: { kind: "free" }, maxTokens: 10, temperature: 0, stop: [] },
};
const metric = { name: "score", higherIsBetter: true } as Metric;
const data: StrategyData = { train: [], validation: [], documents: [] };
const facts = { documents: 1, documentTokens: 100, abstention: false };

/** The step's result where a retriever's validation rows all score what `score` says. */
async function chosen(
  strategy: Strategy,
  from: Candidate,
  score: (settings: RetrieverSettings) => number,
  over = data,
): Promise<StepResult> {
  const validate = async (candidate: Candidate) => {
    const value = score((candidate as GenerateCandidate).retriever!);
    const rows = [value, value].map((one) => ({ scores: { score: { value: one } } }) as unknown as Row);
    return { score: value, evaluation: { candidate: "", set: "validation" as const, rows } };
  };
  const context = { metric, effort: { validationExamples: 2 }, validate, task: {} } as unknown as StrategyContext;
  for await (const event of strategy.run(from, over, context)) if (event.kind === "candidate") return event.result;
  throw new Error("no candidate");
}

const settingsOf = ({ candidate }: StepResult): RetrieverSettings => (candidate as GenerateCandidate).retriever!;

test("the order of passages is tried where there are several, and kept best first unless best last is better", async () => {
  const few = await chosen(ragStrategy("bm25"), start, ({ topK }) => 1 / topK);
  expect(few.parameters).toMatchObject({ topK: 1, order: "best-first", tried: { "1": 1, "2": 0.5, "4": 0.25 } });
  const last = await chosen(ragStrategy("bm25"), start, ({ topK, order }) => topK + (order === "best-last" ? 1 : 0));
  expect(last.parameters).toMatchObject({ topK: 4, order: "best-last", tried: { "1": 1, "2": 2, "4": 4, "4 best last": 5 } });
  const equal = await chosen(ragStrategy("bm25"), start, ({ topK }) => topK);
  expect(settingsOf(equal)).toMatchObject({ topK: 4, order: "best-first" });
});

test("ties are followed where documents have any and it helps", async () => {
  const graph = { ...data, documents: [{ id: "a", title: "", text: "", sha256: "", neighbours: ["b"] }] };
  const helps = ({ topK, hops }: RetrieverSettings): number => 1 / topK + (hops ?? 0);
  expect((await chosen(ragStrategy("bm25"), start, helps, graph)).parameters).toMatchObject({
    topK: 1,
    hops: 1,
    tried: { "1": 1, "1 with ties": 2 },
  });
  expect(settingsOf(await chosen(ragStrategy("bm25"), start, ({ topK }) => 1 / topK, graph))).not.toHaveProperty("hops");
  expect((await chosen(ragStrategy("bm25"), start, helps)).parameters).not.toHaveProperty("hops");
});

test("sentences of the same passages in half the room stand unless those of twice as many are better", async () => {
  const retrieving = { ...start, retriever: retrieverSettings("bm25", 2) };
  const half = await chosen(compressStep, retrieving, () => 1);
  expect(settingsOf(half)).toMatchObject({ topK: 2, compress: { tokens: 110 } });
  const twice = await chosen(compressStep, retrieving, ({ topK }) => topK);
  expect(settingsOf(twice)).toMatchObject({ topK: 4, compress: { tokens: 220 }, budget: 2 * retrieving.retriever.budget });
});

test("abstaining needs something retrieved, and an answer for what the documents do not say", () => {
  const estimate = (retrieves: boolean) => abstainStep.estimate({ start: { retrieves }, facts } as never);
  expect(estimate(false)).toEqual({ cannot: "Nothing is retrieved whose score could be too low." });
  expect(estimate(true)).toEqual({ cannot: expect.stringContaining("Set abstention") });
});
