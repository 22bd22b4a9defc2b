// A step that has a candidate say that the documents do not say, where what it retrieved is too far from the question.
import { chooseAbstention } from "../abstention.ts";
import { answering } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

export const abstainStep: Strategy = {
  name: "abstain",
  summary:
    "Says that the documents do not say, where no sentence of the passages answers well enough: the threshold is chosen on validation.",
  shape: (start) => start,
  estimate: ({ start, facts, machine, effort }) => {
    if (!start.retrieves) return { cannot: "Nothing is retrieved whose score could be too low." };
    if (!facts.abstention) return { cannot: "The task has no answer for what its documents do not say. Set abstention to one." };
    return answering(start, facts, machine, effort.validationExamples);
  },
  async *run(start, { validation }, context) {
    const text = context.task.abstention;
    if (start.kind !== "generate" || start.retriever === undefined || text === undefined) return;
    const { evaluation } = await context.validate(start, validation);
    const { metric, resources } = context;
    const settings = start.retriever;
    const chosen = await chooseAbstention({ rows: evaluation.rows, examples: validation, metric, text, settings, resources });
    yield {
      kind: "candidate",
      result: {
        candidate: chosen === undefined ? start : { ...start, abstention: chosen.abstention },
        parameters: chosen === undefined ? {} : { abstainBelow: chosen.abstention.threshold, tried: chosen.tried },
        labelledExamples: validation.length,
        ...(chosen === undefined && { note: "No threshold was better on validation than always answering." }),
      },
    };
  },
};
