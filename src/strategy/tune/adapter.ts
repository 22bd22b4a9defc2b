// Trains a LoRA adapter on token sequences and writes it as the GGUF file that llama.cpp serves: what is measured is that file.
import type { GenerateCandidate } from "../../candidate.ts";
import { UserError } from "../../errors.ts";
import { isLocal, type LocalLanguageModel, type TokenSequence } from "../../model.ts";
import { tuneLora } from "../../train/tune-lora.ts";
import { writeGgufAdapter } from "../../weights/gguf-adapter.ts";
import type { StrategyContext, StrategyEvent } from "../strategy.ts";
import type { Texts } from "./texts.ts";
import { followTraining, trainingCurve } from "../training-events.ts";

const rank = 8;
const alpha = 16;
const learningRate = 1e-3;
const batchSize = 8;

export interface TuneAdapterOptions {
  /** What the adapter is put on; `served` where the candidate is asked otherwise than it was trained. */
  readonly candidate: GenerateCandidate;
  readonly served?: GenerateCandidate;
  readonly context: StrategyContext;
  readonly texts: (model: LocalLanguageModel) => Promise<{ readonly train: Texts; readonly validation: Texts }>;
  readonly parameters?: { readonly [name: string]: unknown };
  readonly note?: () => string | undefined;
}

/** Stops early by validation loss, keeps the best epoch; a killed run goes on from its last checkpoint. */
export async function* tuneAdapter(options: TuneAdapterOptions): AsyncIterable<StrategyEvent> {
  const { candidate, served = candidate, context, parameters = {} } = options;
  const model = await localModel(candidate, context);
  yield { kind: "progress", label: "rendering training texts", done: 0, of: 1 };
  const { train, validation } = await options.texts(model);
  if (train.sequences.length === 0)
    throw new UserError(
      `Every training text is longer than ${context.effort.maxSequence} tokens. Shorten the passages or raise the effort.`,
    );
  const checkpointFolder = await context.store.path("checkpoints");
  const trained = yield* followTraining(
    tuneLora({
      basePath: model.path,
      runtime: await context.runtime(),
      train: train.sequences,
      validation: validation.sequences.slice(0, context.effort.validationExamples),
      rank,
      alpha,
      learningRate,
      batchSize,
      epochs: context.effort.epochs,
      maxSteps: stepsWithin(context.effort.trainingTokens, train.sequences, batchSize),
      seed: context.seed,
      checkpointFolder,
      ...(context.signal && { signal: context.signal }),
    }),
  );
  await writeGgufAdapter({ path: await context.store.path("adapter.gguf"), architecture: "llama", alpha, tensors: trained.adapter });
  await context.store.remove("checkpoints");
  const artefact = await context.artefact("adapter.gguf");
  const left =
    train.tooLong === 0
      ? undefined
      : `${train.tooLong} examples were longer than ${context.effort.maxSequence} tokens and left out of training.`;
  const note = [left, options.note?.()].filter((one) => one !== undefined).join(" ");
  yield {
    kind: "candidate",
    result: {
      candidate: { ...served, adapter: { path: artefact.path, sha256: artefact.sha256, scale: 1 } },
      parameters: {
        rank,
        alpha,
        learningRate,
        batchSize,
        epochs: context.effort.epochs,
        bestEpoch: trained.bestEpoch,
        steps: trained.steps,
        ...parameters,
      },
      artefacts: [artefact],
      training: trainingCurve(trained),
      ...(note === "" ? {} : { note }),
    },
  };
}

/** Steps that read about `tokens` tokens, at least one. */
export function stepsWithin(tokens: number, sequences: readonly TokenSequence[], sequencesAStep: number): number {
  const mean = sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0) / Math.max(1, sequences.length);
  return Math.max(1, Math.floor(tokens / (mean * sequencesAStep)));
}

/** The opened model of a candidate, to be tuned. Throws {@link UserError} where it cannot be. */
export async function localModel(
  { model: named, adapter }: GenerateCandidate,
  { resources }: StrategyContext,
): Promise<LocalLanguageModel> {
  const model = await resources.model(named);
  if (!isLocal(model))
    throw new UserError(`${named.name} is behind an API; its weights are not here to be tuned. Name a local model in task.models.`);
  if (adapter !== undefined) throw new UserError(`The candidate has an adapter already. Put one tuning step into a chain.`);
  return model;
}
