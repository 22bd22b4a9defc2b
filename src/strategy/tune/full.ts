// Full fine-tuning: every weight learnt, written as a whole GGUF model in F16.
import type { Candidate } from "../../candidate.ts";
import { tuneFull } from "../../train/tune-full.ts";
import { readGguf } from "../../weights/gguf-read.ts";
import { mergeInto } from "../../weights/merge.ts";
import { training } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { localModel, stepsWithin } from "./adapter.ts";
import { forTraining } from "./lora.ts";
import { renderTexts } from "./texts.ts";
import { followTraining, trainingCurve } from "../training-events.ts";

const learningRate = 5e-5;
const batchSize = 8;

export const fullStrategy: Strategy = {
  name: "full",
  summary: "Trains every weight of the model on the training examples.",
  shape: (start) => ({ ...start, trained: true, modelBytes: start.parameters * 2 }),
  estimate: ({ start, facts, machine, effort }) => training({ shape: start, facts, machine, effort, method: "full" }),
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate") return;
  const candidate = forTraining(start);
  const model = await localModel(candidate, context);
  const [train, validation] = [
    await renderTexts({ candidate, model, examples: data.train, context }),
    await renderTexts({ candidate, model, examples: data.validation, context }),
  ];
  const trained = yield* followTraining(
    tuneFull({
      basePath: model.path,
      runtime: await context.runtime(),
      train: train.sequences,
      validation: validation.sequences.slice(0, context.effort.validationExamples),
      learningRate,
      batchSize,
      epochs: context.effort.epochs,
      maxSteps: stepsWithin(context.effort.trainingTokens, train.sequences, batchSize),
      seed: context.seed,
      ...(context.signal && { signal: context.signal }),
    }),
  );
  const replacements = new Map([...trained.tensors].map(([name, { data: numbers }]) => [name, numbers]));
  await mergeInto({ base: await readGguf(model.path), path: await context.store.path("model.gguf"), type: "F16", replacements });
  const artefact = await context.artefact("model.gguf");
  yield {
    kind: "candidate",
    result: {
      candidate: { ...candidate, model: { ...candidate.model, trained: artefact } },
      parameters: {
        learningRate,
        batchSize,
        epochs: context.effort.epochs,
        bestEpoch: trained.bestEpoch,
        steps: trained.steps,
        type: "F16",
      },
      artefacts: [artefact],
      training: trainingCurve(trained),
    },
  };
}
