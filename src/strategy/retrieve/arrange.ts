// Steps that only rearrange a candidate that retrieves: summarise what was found first, or stop retrieving.
import { answering, nothingNeeded } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

const summaryTokens = 64;

export const summariseStep: Strategy = {
  name: "summarise",
  summary: "What was retrieved is summarised by the model before it answers.",
  always: true,
  shape: (start) => start,
  estimate: ({ start, facts, machine }) =>
    start.retrieves
      ? { ...answering(start, { ...facts, outputTokens: summaryTokens }, machine, 0) }
      : { cannot: "Nothing is retrieved that could be summarised." },
  async *run(start) {
    if (start.kind !== "generate" || start.retriever === undefined) return;
    const candidate = { ...start, retriever: { ...start.retriever, summarise: { maxTokens: summaryTokens } } };
    yield { kind: "candidate", result: { candidate, parameters: { maxTokens: summaryTokens }, labelledExamples: 0 } };
  },
};

export const closedBook: Strategy = {
  name: "closed-book",
  summary: "Stops retrieving: what was learnt must suffice.",
  always: true,
  shape: (start) => ({ ...start, retrieves: false, embeds: false, passageWords: 0 }),
  estimate: ({ start }) => (start.retrieves ? nothingNeeded : { cannot: "Nothing is retrieved that could be dropped." }),
  async *run(start) {
    if (start.kind !== "generate") return;
    const { retriever: _dropped, ...candidate } = start;
    yield { kind: "candidate", result: { candidate, parameters: {}, labelledExamples: 0 } };
  },
};
