// A step that shows only those sentences of the passages that match the question: the same passages in half the room, or twice as many in it.
import type { Candidate, GenerateCandidate } from "../../candidate.ts";
import { answering } from "../needs.ts";
import { firstWithinOneError } from "../one-error.ts";
import type { Scored, Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";

/** Tokens of a passage, about. */
const PASSAGE = 110;
/** Passages read for each that the start shows, and the share of the start's room that their sentences have: cheapest first. */
const choices = [
  { passages: 1, room: 0.5 },
  { passages: 2, room: 1 },
] as const;

export const compressStep: Strategy = {
  name: "compress",
  summary: "Of what was retrieved only the sentences that match the question are shown.",
  shape: (start) => start,
  estimate: ({ start, facts, machine, effort }) =>
    start.retrieves
      ? answering(start, facts, machine, choices.length * effort.validationExamples)
      : { cannot: "Nothing is retrieved that could be compressed." },
  run,
};

async function* run(start: Candidate, { validation }: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate" || start.retriever === undefined) return;
  const examples = validation.slice(0, context.effort.validationExamples);
  const tried: { name: string; candidate: GenerateCandidate; scored: Scored }[] = [];
  for (const { passages, room } of choices) {
    const { topK, budget } = start.retriever;
    const tokens = Math.round(room * topK * PASSAGE);
    const retriever = { ...start.retriever, topK: passages * topK, budget: passages * budget, compress: { tokens } };
    const candidate = { ...start, retriever };
    const name = `${retriever.topK} in ${tokens}`;
    tried.push({ name, candidate, scored: await context.validate(candidate, examples) });
    const detail = `${name}: ${tried.at(-1)!.scored.score.toFixed(2)}`;
    yield { kind: "progress", label: "compression", done: tried.length, of: choices.length, detail };
  }
  const { candidate } = firstWithinOneError(tried, context.metric);
  const { topK, compress } = candidate.retriever!;
  const scores = Object.fromEntries(tried.map(({ name, scored }) => [name, Number(scored.score.toFixed(4))]));
  const parameters = { topK, tokens: compress!.tokens, tried: scores };
  yield { kind: "candidate", result: { candidate, parameters, labelledExamples: examples.length } };
}
