// Trains a LoRA adapter on token sequences and writes it as the GGUF file that llama.cpp serves: what is measured is that file.
import type { GenerateCandidate } from "../../candidate.ts";
import { UserError } from "../../errors.ts";
import { isLocal, type LocalLanguageModel, type TokenSequence } from "../../model.ts";
import { openBase } from "../../train/base.ts";
import { chooseSettings, type ChosenSettings } from "../../train/choose.ts";
import type { TrainingRecord } from "../../train/events.ts";
import { type LoraResult, tuneLora } from "../../train/tune-lora.ts";
import { mean } from "../../util/mean.ts";
import { writeGgufAdapter } from "../../weights/gguf-adapter.ts";
import type { StrategyContext, StrategyEvent } from "../strategy.ts";
import type { Texts } from "./texts.ts";
import { followTraining, trainingCurve } from "../training-events.ts";

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
  const { effort, store } = context;
  const model = await localModel(candidate, context);
  yield { kind: "progress", label: "rendering training texts", done: 0, of: 1 };
  const { train, validation } = await options.texts(model);
  if (train.sequences.length === 0) {
    throw new UserError(`Every training text is longer than ${effort.maxSequence} tokens. Shorten the passages or raise the effort.`);
  }
  const settings = await settingsFor("lora", model, train.sequences);
  const trained = yield* trainOn({ model, train, validation, context, settings });
  const { architecture, alpha, adapter: tensors } = trained;
  await writeGgufAdapter({ path: await store.path("adapter.gguf"), architecture, alpha, tensors });
  await store.remove("checkpoints");
  const artefact = await context.artefact("adapter.gguf");
  const { bestEpoch, steps } = trained;
  const note = noteOf(train, effort.maxSequence, [options.note?.(), trained.diverged]);
  yield {
    kind: "candidate",
    result: {
      candidate: { ...served, adapter: { path: artefact.path, sha256: artefact.sha256, scale: 1 } },
      parameters: { ...settings, epochs: effort.epochs, bestEpoch, steps, ...parameters },
      artefacts: [artefact],
      training: trainingCurve(trained),
      ...(note === "" ? {} : { note }),
    },
  };
}

interface TrainOptions {
  readonly model: LocalLanguageModel;
  readonly train: Texts;
  readonly validation: Texts;
  readonly context: StrategyContext;
  readonly settings: Settings;
}

type Settings = Pick<ChosenSettings, "learningRate" | "batchSize" | "rank" | "alpha">;

/** How many epochs is decided by the effort. */
export async function settingsFor(
  kind: "lora" | "full",
  model: LocalLanguageModel,
  sequences: readonly TokenSequence[],
): Promise<Settings> {
  const lengths = sequences.map(({ tokens, promptLength }) => ({ tokens: tokens.length, promptLength }));
  const { config } = await openBase(model.path);
  const { learningRate, batchSize, rank, alpha } = chooseSettings({ kind, config, sequences: lengths });
  return { learningRate, batchSize, rank, alpha };
}

async function* trainOn({
  model,
  train,
  validation,
  context,
  settings,
}: TrainOptions): AsyncGenerator<StrategyEvent, TrainingRecord & LoraResult> {
  const { effort, seed, signal, store } = context;
  return yield* followTraining(
    tuneLora({
      ...settings,
      seed,
      basePath: model.path,
      runtime: await context.runtime(),
      train: train.sequences,
      validation: validation.sequences.slice(0, effort.validationExamples),
      epochs: effort.epochs,
      maxSteps: stepsWithin(effort.trainingTokens, train.sequences, settings.batchSize),
      checkpointFolder: await store.path("checkpoints"),
      ...(signal && { signal }),
    }),
  );
}

function noteOf({ tooLong }: Texts, longest: number, more: readonly (string | undefined)[]): string {
  const left = tooLong === 0 ? undefined : `${tooLong} examples were longer than ${longest} tokens and left out of training.`;
  return [left, ...more].filter((one) => one !== undefined).join(" ");
}

/** Steps that read about `tokens` tokens, at least one. */
export function stepsWithin(tokens: number, sequences: readonly TokenSequence[], sequencesAStep: number): number {
  const length = mean(sequences.map((sequence) => sequence.tokens.length));
  return Math.max(1, Math.floor(tokens / (length * sequencesAStep)));
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
