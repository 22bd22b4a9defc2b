// The best sentence of the best passage: retrieval without a language model.
import type { Abstention, Candidate, Classifier, RetrieverSettings } from "../../candidate.ts";
import type { LabelledExample } from "../../task.ts";
import { chooseAbstention } from "../abstention.ts";
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
    const abstention = await abstentionFor(plain, validation, context);
    yield {
      kind: "candidate",
      result: {
        candidate: abstention === undefined ? plain : asCandidate(start, { kind: "extract", retriever: settings, abstention }),
        parameters: { scorer: "bm25", ...(abstention && { abstainBelow: abstention.threshold }) },
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

/** For tasks where "not in the documents" is an answer. */
async function abstentionFor(
  plain: Candidate,
  validation: readonly LabelledExample[],
  context: StrategyContext,
): Promise<Abstention | undefined> {
  const { metric, resources, task } = context;
  const { abstention: text } = task;
  if (text === undefined || validation.length === 0) return undefined;
  const { evaluation } = await context.validate(plain, validation);
  return (await chooseAbstention({ rows: evaluation.rows, examples: validation, metric, text, settings, resources }))?.abstention;
}
