// LoRA on every linear layer (Hu et al. 2022), trained on the texts that will be served; the adapter is a GGUF file for llama.cpp.
import type { Candidate, GenerateCandidate } from "../../candidate.ts";
import { training } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { tuneAdapter } from "./adapter.ts";
import { renderTexts } from "./texts.ts";

export const loraStrategy: Strategy = {
  name: "lora",
  summary: "Trains low-rank adapters on the training examples, as they will be asked.",
  shape: (start) => ({ ...start, adapter: true }),
  estimate: ({ start, facts, machine, effort }) => training({ shape: start, facts, machine, effort, method: "lora" }),
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate") return;
  const candidate = forTraining(start);
  const render = (examples: StrategyData["train"], model: Parameters<typeof renderTexts>[0]["model"]) =>
    renderTexts({ candidate, model, examples, context });
  yield* tuneAdapter({
    candidate,
    context,
    texts: async (model) => ({ train: await render(data.train, model), validation: await render(data.validation, model) }),
  });
}

/** A tuned model knows the labels: listing them only costs tokens (and points: .80 with the list, .89 without on banking77). */
export function forTraining(start: GenerateCandidate): GenerateCandidate {
  return { ...start, prompt: { ...start.prompt, listLabels: false } };
}
