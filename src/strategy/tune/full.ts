// Full fine-tuning: every weight learnt, written as a whole GGUF model in F16.
import type { Candidate } from "../../candidate.ts";
import { tuneFull } from "../../train/tune-full.ts";
import { readGguf } from "../../weights/gguf-read.ts";
import { mergeInto } from "../../weights/merge.ts";
import { training } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { localModel, settingsFor, stepsWithin } from "./adapter.ts";
import { forTraining } from "./lora.ts";
import { renderTexts } from "./texts.ts";
import { followTraining, trainingCurve } from "../training-events.ts";

export const fullStrategy: Strategy = {
  name: "full",
  summary: "Trains every weight of the model on the training examples.",
  shape: (start) => ({ ...start, trained: true, modelBytes: start.parameters * 2 }),
  estimate: ({ start, facts, machine, effort }) => training({ shape: start, facts, machine, effort, method: "full" }),
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate") return;
  const { effort, seed, signal, store } = context;
  const candidate = forTraining(start);
  const model = await localModel(candidate, context);
  const { sequences: train } = await renderTexts({ candidate, model, examples: data.train, context });
  const { sequences: validation } = await renderTexts({ candidate, model, examples: data.validation, context });
  const { learningRate, batchSize } = await settingsFor("full", model, train);
  const settings = { basePath: model.path, learningRate, batchSize, seed };
  const trained = yield* followTraining(
    tuneFull({
      ...settings,
      runtime: await context.runtime(),
      train,
      validation: validation.slice(0, effort.validationExamples),
      epochs: effort.epochs,
      maxSteps: stepsWithin(effort.trainingTokens, train, batchSize),
      ...(signal && { signal }),
    }),
  );
  const replacements = new Map([...trained.tensors].map(([name, { data: numbers }]) => [name, numbers]));
  await mergeInto({ base: await readGguf(model.path), path: await store.path("model.gguf"), type: "F16", replacements });
  const artefact = await context.artefact("model.gguf");
  const { bestEpoch, steps } = trained;
  yield {
    kind: "candidate",
    result: {
      candidate: { ...candidate, model: { ...candidate.model, trained: artefact } },
      parameters: { learningRate, batchSize, epochs: effort.epochs, bestEpoch, steps, type: "F16" },
      artefacts: [artefact],
      training: trainingCurve(trained),
      ...(trained.diverged === undefined ? {} : { note: trained.diverged }),
    },
  };
}
