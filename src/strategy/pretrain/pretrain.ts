// Training from scratch: a tokenizer and a small transformer on the task's own text. Small and honest: it knows nothing else.
import { render } from "../../answer/render.ts";
import type { Candidate, GenerateCandidate } from "../../candidate.ts";
import type { TokenSequence } from "../../model.ts";
import type { LabelledExample } from "../../task.ts";
import { type BpeModel, createTokenizer, type Tokenizer } from "../../tokenizer/bpe.ts";
import { trainBpe } from "../../tokenizer/train-bpe.ts";
import type { TrainingRecord } from "../../train/events.ts";
import { pretrain, type PretrainResult } from "../../train/pretrain.ts";
import { vocabularySizeFor } from "../../train/model-plan.ts";
import { tokenWindows } from "../../train/windows.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { followTraining, trainingCurve } from "../training-events.ts";
import { endOfText, writeModel } from "./write-model.ts";

const contextLength = 512;
const batchSize = 16;
const learningRate = 2e-3;
const shape = { layers: 4, width: 128, heads: 4, kvHeads: 4, hidden: 384, context: contextLength, ropeBase: 10_000 };

export const pretrainStrategy: Strategy = {
  name: "pretrain",
  summary: "Trains a tokenizer and a small transformer from scratch on the task's own text.",
  shape: (start) => ({
    ...start,
    local: true,
    trained: true,
    retrieves: false,
    embeds: false,
    passageWords: 0,
    demonstrations: 0,
    adapter: false,
    modelBytes: 6e6,
    parameters: 1.5e6,
  }),
  estimate: ({ effort, machine }) => {
    const tokens = effort.pretrainSteps * batchSize * 64;
    return {
      ...nothingNeeded,
      seconds: 5 + (tokens * 0.02) / machine.speeds.trainTokensPerSecond,
      memoryBytes: 800e6,
      diskBytes: 10e6,
      tokens,
    };
  },
  run,
};

async function* run(start: Candidate, data: StrategyData, strategyContext: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate") return;
  const { store } = strategyContext;
  const candidate = bare(start);
  const texts = [...data.documents.map((document) => document.text), ...data.train.map((example) => `${example.input}\n${example.output}`)];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const model = trainBpe({ texts, vocabularySize: vocabularySizeFor(characters), specialTokens: [endOfText] });
  const trained = yield* trainOn({ candidate, data, model, context: strategyContext });
  await writeModel({ path: await store.path("model.gguf"), model, config: trained.config, tensors: trained.tensors });
  const artefact = await strategyContext.artefact("model.gguf");
  const { bestEpoch, steps, trainedParameters: weights } = trained;
  yield {
    kind: "candidate",
    result: {
      candidate: { ...candidate, model: { ...candidate.model, trained: artefact } },
      parameters: { ...shape, vocabulary: model.tokens.length, weights, characters, steps, bestEpoch },
      artefacts: [artefact],
      training: trainingCurve(trained),
    },
  };
}

interface TrainOptions {
  readonly candidate: GenerateCandidate;
  readonly data: StrategyData;
  readonly model: BpeModel;
  readonly context: StrategyContext;
}

async function* trainOn({ candidate, data, model, context }: TrainOptions): AsyncGenerator<StrategyEvent, TrainingRecord & PretrainResult> {
  const { effort, seed, signal } = context;
  const tokenizer = createTokenizer(model);
  const settings = { config: { ...shape, vocabulary: model.tokens.length }, batchSize, learningRate, seed };
  const asExamples = (examples: readonly LabelledExample[]): readonly TokenSequence[] =>
    examples.map((example) => exampleSequence(candidate, example, tokenizer)).filter(fits);
  return yield* followTraining(
    pretrain({
      ...settings,
      runtime: await context.runtime(),
      train: [...tokenWindows(textOf(data, tokenizer), window), ...asExamples(data.train)],
      validation: asExamples(data.validation),
      maxSteps: effort.pretrainSteps,
      epochs: epochsFor(effort.pretrainSteps, data),
      ...(signal && { signal }),
    }),
  );
}

/** A base model that only continues text: no template, no instruction (it has learnt none), ends at the end of text. */
function bare(start: GenerateCandidate): GenerateCandidate {
  const { retriever: _retriever, adapter: _adapter, ...rest } = start;
  return {
    ...rest,
    model: { name: "from-scratch", reference: start.model.reference, chat: false },
    prompt: { ...start.prompt, format: "completion", instruction: "", demonstrations: { kind: "none" }, listLabels: false },
    decoding: { ...start.decoding, stop: ["\n"] },
  };
}

const fits = ({ tokens }: TokenSequence): boolean => tokens.length > 1 && tokens.length <= contextLength;

const window = 128;

const textOf = ({ documents }: StrategyData, tokenizer: Tokenizer): readonly number[] =>
  documents.flatMap((document) => [...tokenizer.encode(document.text), tokenizer.id(endOfText)!]);

/** The rendered input, then the answer and the end of text: learnt from the answer on. */
function exampleSequence(candidate: GenerateCandidate, example: LabelledExample, tokenizer: Tokenizer): TokenSequence {
  const { input, completion } = render({ candidate, input: example.input, demonstrations: [] });
  const prompt = tokenizer.encode(input.kind === "completion" ? input.text : "");
  return { tokens: [...prompt, ...tokenizer.encode(completion(example.output)), tokenizer.id(endOfText)!], promptLength: prompt.length };
}

/** As many epochs as the steps make; validation is looked at after each. */
function epochsFor(steps: number, { documents, train }: StrategyData): number {
  const words = documents.reduce((sum, document) => sum + document.text.length / 4, 0);
  const perEpoch = Math.max(1, Math.ceil((words / window + train.length) / batchSize));
  return Math.max(1, Math.ceil(steps / perEpoch));
}
