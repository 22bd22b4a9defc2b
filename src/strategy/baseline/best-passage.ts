// The best sentence of the best passage: retrieval without a language model.
import type { Candidate, Classifier, RetrieverSettings } from "../../candidate.ts";
import type { LabelledExample } from "../../task.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy, StrategyContext } from "../strategy.ts";

const settings: RetrieverSettings = { scorer: "bm25", chunk: { words: 80, overlap: 16 }, topK: 2, budget: 192, order: "best-first" };

export const bestPassage: Strategy = {
  name: "best-passage",
  summary: "Baseline without a language model: the sentence of the best BM25 passages that shares most with the question.",
  shape: (start) => ({ ...start, kind: "classify", adapter: false }),
  estimate: ({ facts }) => {
    if (facts.documents === 0) return { cannot: "The task has no documents to retrieve from." };
    return facts.output.kind === "text" ? { ...nothingNeeded, seconds: 1 } : { cannot: "A sentence of a passage is no label and no JSON." };
  },
  async *run(start, { validation }, context) {
    const plain = asCandidate(start, { kind: "extract", retriever: settings });
    const choices = [plain, ...(await withThresholds({ start, validation, context, plain }))];
    let best = { candidate: plain, score: Number.NEGATIVE_INFINITY };
    for (const candidate of choices) {
      const { score } = await context.validate(candidate, validation);
      if (score > best.score) best = { candidate, score };
    }
    const { classifier } = best.candidate as Candidate & { kind: "classify" };
    const threshold = classifier.kind === "extract" ? classifier.abstention?.threshold : undefined;
    yield {
      kind: "candidate",
      result: {
        candidate: best.candidate,
        parameters: { scorer: "bm25", ...(threshold === undefined ? {} : { abstainBelow: threshold }) },
        labelledExamples: context.task.abstention === undefined ? 0 : validation.length,
      },
    };
  },
};

const asCandidate = (start: Candidate, classifier: Classifier): Candidate => ({
  kind: "classify",
  id: start.id,
  manifest: start.manifest,
  classifier,
});

/** Abstaining below each tenth of the best scores seen on validation, for tasks where "not in the documents" is an answer. */
async function withThresholds({
  start,
  validation,
  context,
  plain,
}: {
  start: Candidate;
  validation: readonly LabelledExample[];
  context: StrategyContext;
  plain: Candidate;
}): Promise<readonly Candidate[]> {
  const text = context.task.abstention;
  if (text === undefined || validation.length === 0) return [];
  const { evaluation } = await context.validate(plain, validation);
  const scores = evaluation.rows.map((row) => row.passages[0]?.score ?? 0).toSorted((a, b) => a - b);
  const thresholds = [1, 2, 3, 4, 5].map((tenth) => scores[Math.floor((tenth / 10) * scores.length)] ?? 0);
  return [...new Set(thresholds)].map((threshold) =>
    asCandidate(start, { kind: "extract", retriever: settings, abstention: { text, threshold } }),
  );
}
