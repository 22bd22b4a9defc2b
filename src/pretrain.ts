// Training from scratch on its own: text in, a folder with a small model and its tokenizer out. No task, no comparison.
import type { Environment } from "./answer/open.ts";
import { UserError } from "./errors.ts";
import type { TokenSequence } from "./model.ts";
import { startRuntime } from "./runtime/runtime.ts";
import { type Sample, sampleOf } from "./sample.ts";
import { endOfText, writeModel } from "./strategy/pretrain/write-model.ts";
import { readTextSides } from "./text-sides.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer/bpe.ts";
import { trainBpe } from "./tokenizer/train-bpe.ts";
import { commonDefaults } from "./train/defaults.ts";
import type { EpochEvent, StepEvent, TrainingRecord } from "./train/events.ts";
import { type ModelPlan, modelPlan, vocabularySizeFor } from "./train/model-plan.ts";
import { pretrain as trainModel } from "./train/pretrain.ts";
import { sequencesKey } from "./train/sequences-key.ts";
import { tokenWindows } from "./train/windows.ts";
import { openTrainingFolder, type TrainingFolder } from "./training-folder.ts";
import { contentKey } from "./util/hash.ts";

export interface PretrainOptions {
  /** A folder of documents, one document, or JSONL or CSV with a column `text`. */
  readonly data: string;
  /** The folder to write. A stopped run with the same options goes on in it. */
  readonly output: string;
  /** Layers of the model; its width is 64 times that. */
  readonly depth?: number;
  /** Or the tokens to be read in all: the model is as deep as they are enough for. Without either, as deep as the text allows. */
  readonly tokens?: number;
  /** Tokens of the vocabulary, at most. Default: one for about 25 characters of text, 512 to 4,096. */
  readonly vocabulary?: number;
  /** Tokens that the model looks back at most. Default: 256. */
  readonly context?: number;
  readonly seed?: number;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export interface PretrainResult extends TrainingRecord {
  /** By name: `model` and `curve`. */
  readonly files: { readonly [name: string]: string };
  /** The validation loss of the weights kept, in bits a byte of text: comparable between vocabularies. */
  readonly bitsPerByte: number;
  /** How llama.cpp goes on with held-out text; absent where it is not installed. */
  readonly sample?: Sample;
}

export interface PretrainPlan extends ModelPlan {
  readonly characters: number;
  /** Tokens of the text that is trained on. */
  readonly textTokens: number;
  readonly steps: number;
}

export type PretrainEvent =
  | ({ readonly kind: "plan" } & PretrainPlan)
  | StepEvent
  | EpochEvent
  | ({ readonly kind: "done" } & PretrainResult);

/** Windows an update. */
const batchSize = 8;
/** Up to this depth an update is computed at once; the memory of deeper models is bounded as in tuning. */
const deepestAtOnce = 8;
/** Of the text held out, no more than is looked at quickly. */
const heldOutWindows = 256;
const leastContext = 32;

/**
 * Learns a tokenizer and a small llama from text and yields what happens; the last event names the files written and shows how the model
 * goes on with held-out text. Killed at any point, the same call goes on from its last checkpoint and ends with the same weights.
 * @throws {UserError} for data or settings that cannot be used.
 */
export async function* pretrain(options: PretrainOptions): AsyncGenerator<PretrainEvent, void, void> {
  const { data, output, seed = commonDefaults.seed } = options;
  const text = await prepare(options);
  const { plan, train: windows, validation } = text;
  yield { kind: "plan", ...plan };
  const { config, learningRate, epochs, steps: maxSteps } = plan;
  const settings = { config, learningRate, epochs, maxSteps, batchSize, seed };
  const folder = await openTrainingFolder<Saved>({
    output,
    key: contentKey({
      settings,
      train: await sequencesKey(windows),
      validation: await sequencesKey(validation),
      merges: text.tokenizer.model.merges,
    }),
    settings: { kind: "pretrain", data, ...settings },
  });
  const saved = folder.finished ?? (yield* run({ options, text, folder, settings }));
  const { record, files, ...rest } = saved;
  const paths = Object.entries(files).map(([name, file]) => [name, folder.path(file)] as const);
  yield { kind: "done", ...record, ...rest, files: Object.fromEntries(paths) };
}

/** What run.json holds; files by their name in the folder. */
interface Saved extends Pick<PretrainResult, "files" | "bitsPerByte" | "sample"> {
  readonly record: TrainingRecord;
}

interface Text {
  readonly tokenizer: Tokenizer;
  readonly train: readonly TokenSequence[];
  readonly validation: readonly TokenSequence[];
  readonly plan: PretrainPlan;
}

async function prepare(options: PretrainOptions): Promise<Text> {
  const { data, depth, tokens, context = 256 } = options;
  if (!Number.isSafeInteger(context) || context < leastContext)
    throw new UserError(`context is ${context}. Give a whole number from ${leastContext}.`);
  const { characters, ...sides } = await readTextSides(data);
  const { vocabulary = vocabularySizeFor(characters) } = options;
  const tokenizer = createTokenizer(trainBpe({ texts: sides.train, vocabularySize: vocabulary, specialTokens: [endOfText] }));
  const stream = streamOf(sides.train, tokenizer);
  const sizes = { textTokens: stream.length, vocabulary: tokenizer.model.tokens.length, context };
  const plan = modelPlan({ depth, tokens, ...sizes });
  const steps = Math.max(1, Math.round(plan.tokens / (batchSize * context)));
  return {
    tokenizer,
    train: tokenWindows(stream, context),
    validation: tokenWindows(streamOf(sides.validation, tokenizer), context).slice(0, heldOutWindows),
    plan: { ...plan, characters, textTokens: stream.length, steps },
  };
}

/** All texts as one stream of tokens, with the end of text before each and at the end. */
function streamOf(texts: readonly string[], tokenizer: Tokenizer): readonly number[] {
  const end = tokenizer.id(endOfText)!;
  return [...texts.flatMap((text) => [end, ...tokenizer.encode(text)]), end];
}

interface Run {
  readonly options: PretrainOptions;
  readonly text: Text;
  readonly folder: TrainingFolder<Saved>;
  readonly settings: {
    readonly config: ModelPlan["config"];
    readonly learningRate: number;
    readonly epochs: number;
    readonly maxSteps: number;
    readonly batchSize: number;
    readonly seed: number;
  };
}

async function* run({ options, text, folder, settings }: Run): AsyncGenerator<StepEvent | EpochEvent, Saved> {
  const { environment, signal } = options;
  const { tokenizer, train, validation } = text;
  const { layers, context } = settings.config;
  await using runtime = startRuntime(environment);
  const batchTokens = layers <= deepestAtOnce ? batchSize * context : commonDefaults.batchTokens;
  const { checkpointFolder } = folder;
  const running = trainModel({ ...settings, runtime, train, validation, batchTokens, checkpointFolder, ...(signal && { signal }) });
  const { record, learnt } = yield* folder.follow(running);
  await writeModel({ path: folder.path("model.gguf"), model: tokenizer.model, ...learnt });
  const sample = await continuation(folder.path("model.gguf"), text, options);
  const files = { model: "model.gguf", curve: "curve.svg" };
  const saved = { record, files, bitsPerByte: bitsPerByte(record, text), ...(sample && { sample }) };
  await folder.finish(saved);
  return saved;
}

/** Loss in nats a token to bits a byte. */
function bitsPerByte({ losses, bestEpoch }: TrainingRecord, { validation, tokenizer }: Text): number {
  const loss = losses.find(({ epoch }) => epoch === bestEpoch)?.validation ?? Number.NaN;
  const predicted = validation.flatMap(({ tokens }) => tokens.slice(1));
  return (loss * predicted.length) / Math.LN2 / Buffer.byteLength(tokenizer.decode(predicted));
}

/** Eight tokens of held-out text, and what the written file makes of them. */
function continuation(path: string, { validation, tokenizer, plan }: Text, options: PretrainOptions): Promise<Sample | undefined> {
  const prompt = tokenizer.decode(validation[0]?.tokens.slice(1, 9) ?? []).trimEnd();
  const { environment, seed, signal } = options;
  return sampleOf({ path, prompt, contextLength: plan.config.context, environment, seed, signal });
}
