// Continues training on the passages that training questions retrieve: the text itself, every token learnt.
import type { Candidate } from "../../candidate.ts";
import type { LocalLanguageModel, TokenSequence } from "../../model.ts";
import { tokenWindows } from "../../train/windows.ts";
import { training } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { tuneAdapter } from "./adapter.ts";

const passagesEach = 3;

export const tuneTextStrategy: Strategy = {
  name: "tune-text",
  summary: "Continues training (LoRA) on the passages that the training questions retrieve.",
  shape: (start) => ({ ...start, adapter: true }),
  estimate: (options) =>
    options.start.retrieves
      ? training({ shape: options.start, ...options, method: "lora" })
      : { cannot: "It trains on what was retrieved: put a retriever before it, as in rag-bm25 > tune-text." },
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate" || start.retriever === undefined) return;
  const train = await retrievedTexts(data.train, start, context);
  const seen = new Set(train);
  const validation = (await retrievedTexts(data.validation, start, context)).filter((text) => !seen.has(text));
  yield* tuneAdapter({
    candidate: start,
    context,
    parameters: { passages: train.length },
    texts: async (model) => ({
      train: { sequences: asSequences(train, model, context.effort.maxSequence), tooLong: 0 },
      validation: {
        sequences: asSequences(validation.length > 0 ? validation : train.slice(-4), model, context.effort.maxSequence),
        tooLong: 0,
      },
    }),
  });
}

/** Different passages, in the order in which they are first retrieved. */
async function retrievedTexts(
  examples: StrategyData["train"],
  start: Candidate & { kind: "generate" },
  { resources }: StrategyContext,
): Promise<readonly string[]> {
  const retriever = await resources.retriever(start.retriever!);
  const texts = new Set<string>();
  for (const example of examples) {
    for (const passage of await retriever.search(example.input, { k: passagesEach })) texts.add(`${passage.title}\n${passage.text}`);
  }
  return [...texts];
}

const asSequences = (texts: readonly string[], model: LocalLanguageModel, longest: number): readonly TokenSequence[] =>
  texts.flatMap((text) => tokenWindows(model.tokenizeText(text), longest - 1));
