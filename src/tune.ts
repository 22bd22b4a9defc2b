// Fine-tuning on its own: a model and a file of rows in, a folder with the tuned weights out. No task, no comparison.
import { basename } from "node:path";
import type { Environment } from "./answer/open.ts";
import { trainingSequences } from "./answer/training-sequences.ts";
import { readTrainingRows, type TrainingRow } from "./data/training-rows.ts";
import { UserError } from "./errors.ts";
import type { LocalLanguageModel, TokenSequence } from "./model.ts";
import { catalogue } from "./model/catalogue.ts";
import type { FetchEvent } from "./model/fetch-model.ts";
import { startRuntime } from "./runtime/runtime.ts";
import { openBase } from "./train/base.ts";
import { sequenceRows } from "./train/batches.ts";
import { checkSettings } from "./train/check.ts";
import { chooseSettings } from "./train/choose.ts";
import { commonDefaults } from "./train/defaults.ts";
import type { EpochEvent, StepEvent, TrainingRecord } from "./train/events.ts";
import { plannedSteps } from "./train/loop.ts";
import { replayDefaults } from "./train/replay.ts";
import type { TrainingOptions } from "./train/run.ts";
import { sequencesKey } from "./train/sequences-key.ts";
import { tuneFull, type TuneFullOptions } from "./train/tune-full.ts";
import { tuneLora, type TuneLoraOptions } from "./train/tune-lora.ts";
import { tokenWindows } from "./train/windows.ts";
import { readTexts } from "./text-sides.ts";
import { openTrainingFolder, type TrainingFolder } from "./training-folder.ts";
import { fetchNamed, openTrainable, withNewTokens } from "./training-model.ts";
import { counted } from "./util/figures.ts";
import { contentKey, sha256File } from "./util/hash.ts";
import { seededRandom } from "./util/random.ts";
import { writeGgufAdapter } from "./weights/gguf-adapter.ts";
import { type GgufFile, readGguf } from "./weights/gguf-read.ts";
import type { LoraWeights } from "./weights/lora.ts";
import { mergeInto } from "./weights/merge.ts";
import { writePeftAdapter } from "./weights/peft-adapter.ts";

/** Low-rank adapters on a frozen model, or every weight. */
export type TuneMethod = "lora" | "full";

/**
 * Settings of a run. Rank, learning rate, epochs and batch size are chosen by the size of model and data where they are left out; alpha is
 * then twice the rank.
 */
type Training = Pick<TrainingOptions, "learningRate" | "epochs" | "batchSize" | "maxSteps" | "schedule" | "precision" | "seed">;
type OfLora = Pick<TuneLoraOptions, "rank" | "alpha" | "rsLora" | "targets" | "dropout">;
interface OfFull extends Pick<TuneFullOptions, "lastLayers"> {
  /** Tokens added for the training texts' own words, at most, for a model whose tokenizer is a byte-level BPE. Default: 0. */
  readonly newTokens?: number;
}

/** What keeps the model from forgetting what it knew (docs/log.md has what each does to task and forgetting). */
interface AgainstForgetting {
  /** General texts, some read in every update: a folder of documents, one document, or JSONL or CSV with a column `text`. */
  readonly replay?: string;
  /** What their mean loss counts beside the data's. Default: .5, and 0 where `kl` is given. */
  readonly replayWeight?: number;
  /** What the divergence from the base model counts, on the replayed texts, or on the data's own answers where there are none. */
  readonly kl?: number;
  /** Take weights between the base model's and the tuned ones, as near to the base as validation allows. */
  readonly averaging?: boolean;
}

export interface TuneOptions extends Training, OfLora, OfFull, AgainstForgetting {
  /** A name of the catalogue, or the path of a .gguf file. */
  readonly model: string;
  /** JSONL or CSV with `prompt` and `completion`, `input` and `output`, `messages`, or `text`. */
  readonly data: string;
  /** The same for validation. Without it a tenth of the data is held out, where there are 20 rows or more. */
  readonly validation?: string;
  /** The folder to write. A stopped run with the same options goes on in it. */
  readonly output: string;
  /** Default: lora. */
  readonly method?: TuneMethod;
  /** Tokens of the longest sequence; longer answers are left out, longer texts cut. Default: 1024, at most the model's context. */
  readonly maxLength?: number;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

/** How it went, and what was written, by name: `adapter` and `peft`, or `model`; `curve`. */
export interface TuneResult extends TrainingRecord {
  readonly files: { readonly [name: string]: string };
  readonly notices: readonly string[];
}

export type TuneSettings = { readonly method: TuneMethod } & Training &
  OfLora &
  OfFull &
  AgainstForgetting &
  Required<Pick<Training, "epochs" | "batchSize" | "seed">>;

/** Why the settings that were not given are what they are. */
export type TuneReasons = { readonly [setting: string]: string };

export type TuneEvent =
  | { readonly kind: "fetch"; readonly event: FetchEvent }
  | {
      readonly kind: "data";
      readonly train: number;
      readonly validation: number;
      /** Of the training sequences, once. */
      readonly tokens: number;
      /** Predicted for the validation loss. */
      readonly validationTokens: number;
      /** At most. */
      readonly steps: number;
      readonly settings: TuneSettings;
      readonly reasons: TuneReasons;
      readonly notices: readonly string[];
    }
  | StepEvent
  | EpochEvent
  | ({ readonly kind: "done" } & TuneResult);

/**
 * Tunes a model on rows of text and yields what happens; the last event names the files written. Killed at any point, the same call goes
 * on from its last checkpoint and ends with the same weights.
 * @throws {UserError} for data, a model or settings that cannot be used, and a run that diverges.
 */
export async function* tune(options: TuneOptions): AsyncGenerator<TuneEvent, void, void> {
  checkOptions(options);
  yield* tuneRows(await readSides(options), options);
}

/** The same on rows that have been read. */
export async function* tuneRows(rows: Sides<TrainingRow>, options: TuneOptions): AsyncGenerator<TuneEvent, void, void> {
  const { model, data, output, newTokens = 0 } = options;
  yield* fetchNamed(options);
  await using start = await withNewTokens(options, rows.train.flatMap(textsOf), newTokens);
  const found = await tokenise(rows, { ...options, model: start.model });
  const { basePath, train, validation, replayed } = found;
  const notices = [...found.notices, ...start.notices];
  const { settings, reasons } = await settingsFor(options, basePath, train);
  const counts = {
    train: train.length,
    validation: validation.length,
    tokens: train.reduce((sum, sequence) => sum + sequence.tokens.length - 1, 0),
    validationTokens: validation.reduce((sum, sequence) => sum + sequenceRows(sequence), 0),
    steps: plannedSteps({ ...settings, train }),
  };
  yield { kind: "data", ...counts, settings, reasons, notices };
  const sides = {
    train: await sequencesKey(train),
    validation: await sequencesKey(validation),
    ...(replayed.length > 0 && { replayed: await sequencesKey(replayed) }),
  };
  const folder = await openTrainingFolder<Saved>({
    output,
    key: contentKey({ settings, base: await sha256File(basePath), ...sides }),
    settings: { kind: "tune", model, data, ...settings },
  });
  const saved = folder.finished ?? (yield* run({ ...found, notices, settings, folder, options }));
  const files = Object.entries(saved.files).map(([name, file]) => [name, folder.path(file)] as const);
  yield { kind: "done", ...saved.record, notices: saved.notices, files: Object.fromEntries(files) };
}

/** What run.json holds; files by their name in the folder. */
interface Saved extends Pick<TuneResult, "files" | "notices"> {
  readonly record: TrainingRecord;
}

const longestByDefault = 1024;

const ofLora = ["rank", "alpha", "rsLora", "targets", "dropout"] as const satisfies readonly (keyof OfLora)[];
const ofFull = ["lastLayers", "newTokens"] as const satisfies readonly (keyof OfFull)[];
const ofForgetting = ["replay", "replayWeight", "kl", "averaging"] as const satisfies readonly (keyof AgainstForgetting)[];
const foreign: { readonly [M in TuneMethod]: { readonly names: readonly (keyof TuneOptions)[]; readonly say: string } } = {
  lora: { names: ofFull, say: "full fine-tuning. Leave it out of LoRA." },
  full: { names: ofLora, say: "LoRA. Leave it out of full fine-tuning." },
};

/** What can be told before anything is read. */
function checkOptions(options: TuneOptions): void {
  const { method = "lora", maxLength = longestByDefault } = options;
  if (!Number.isSafeInteger(maxLength) || maxLength < 2) throw new UserError(`maxLength is ${maxLength}. Give a whole number from 2 on.`);
  const { names, say } = foreign[method];
  const wrong = names.find((name) => options[name] !== undefined);
  if (wrong !== undefined) throw new UserError(`${wrong} belongs to ${say}`);
  if ((options.newTokens ?? 0) > 0 && options.lastLayers !== undefined)
    throw new UserError(
      "Rows of new tokens have to be learnt, and lastLayers leaves the embedding as it is. Give newTokens or lastLayers.",
    );
  if (options.replayWeight !== undefined && options.replay === undefined)
    throw new UserError(`replayWeight is ${options.replayWeight}, and there are no texts to replay. Give replay too.`);
  const { replay: _replay, kl: _kl, averaging: _averaging, ...settings } = options;
  checkSettings(settings);
}

/** What is not given is chosen by the size of model and data. */
async function settingsFor(
  { method = "lora", ...options }: TuneOptions,
  basePath: string,
  train: readonly TokenSequence[],
): Promise<{ readonly settings: TuneSettings; readonly reasons: TuneReasons }> {
  const { config } = await openBase(basePath);
  const sequences = train.map(({ tokens, promptLength }) => ({ tokens: tokens.length, promptLength }));
  const { reasons: because, alpha: _alpha, rank, ...chosen } = chooseSettings({ kind: method, config, sequences });
  const found: Partial<TuneOptions> = method === "lora" ? { ...chosen, rank, alpha: 2 * (options.rank ?? rank) } : chosen;
  const names = [
    "learningRate",
    "epochs",
    "batchSize",
    "maxSteps",
    "schedule",
    "precision",
    ...ofLora,
    ...ofFull,
    ...ofForgetting,
  ] as const;
  const given = Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
  const left = Object.keys(because).filter((name) => name in found && !(name in given));
  return {
    settings: { method, ...found, ...given, seed: options.seed ?? commonDefaults.seed } as TuneSettings,
    reasons: Object.fromEntries(left.map((name) => [name, because[name as keyof typeof because]])),
  };
}

export interface Sides<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  readonly notices: readonly string[];
}

/** Fewer rows than this are all trained on. */
const fewestToHoldOut = 20;
const mostHeldOut = 100;

/** What a row says, for its words. */
function textsOf(row: TrainingRow): readonly string[] {
  if (row.kind === "text") return [row.text];
  return row.kind === "pair" ? [row.prompt, row.completion] : row.messages.map(({ content }) => content);
}

async function readSides({ data, validation, seed = commonDefaults.seed }: TuneOptions): Promise<Sides<TrainingRow>> {
  const rows = await readTrainingRows(data);
  if (validation !== undefined) return { train: rows, validation: await readTrainingRows(validation), notices: [] };
  if (rows.length < fewestToHoldOut)
    return {
      train: rows,
      validation: [],
      notices: [`${counted(rows.length, "row")}: none is held out, so the last epoch is kept. Name a validation file to stop early.`],
    };
  const held = Math.min(mostHeldOut, Math.floor(rows.length / 10));
  const shuffled = seededRandom(`tune ${seed}`).shuffle(rows);
  return {
    train: shuffled.slice(held),
    validation: shuffled.slice(0, held),
    notices: [`${counted(held, "row")} of ${rows.length} held out for validation.`],
  };
}

interface Tokenised extends Sides<TokenSequence> {
  readonly basePath: string;
  /** General texts. */
  readonly replayed: readonly TokenSequence[];
}

/** Tokens of a replayed text, and how many are drawn from what is given: the base model's states of all of them are held for `kl`. */
const replayWindow = 64;
const mostReplayed = 400;

async function readReplayed(
  { replay, seed = commonDefaults.seed }: Pick<TuneOptions, "replay" | "seed">,
  model: LocalLanguageModel,
): Promise<readonly TokenSequence[]> {
  if (replay === undefined) return [];
  const windows = (await readTexts(replay)).flatMap((text) => tokenWindows(model.tokenizeText(text), replayWindow));
  if (windows.length === 0) throw new UserError(`${replay} holds no text to replay. Name a file or folder of general text.`);
  return seededRandom(`replayed ${seed}`).shuffle(windows).slice(0, mostReplayed);
}

async function tokenise(rows: Sides<TrainingRow>, { data, maxLength = longestByDefault, ...named }: TuneOptions): Promise<Tokenised> {
  await using model = await openTrainable(named);
  const { metadata } = await readGguf(model.path);
  const chat = typeof metadata["tokenizer.chat_template"] === "string";
  const options = { model, chat, longest: Math.min(maxLength, model.contextLength) };
  const [train, validation] = [trainingSequences(rows.train, options), trainingSequences(rows.validation, options)];
  if (train.sequences.length === 0)
    throw new UserError(`Every row of ${data} is longer than ${options.longest} tokens. Shorten them, or raise the longest length.`);
  const tooLong = train.tooLong + validation.tooLong;
  const left =
    tooLong === 0 ? [] : [`${counted(tooLong, "answer")} longer than ${options.longest} tokens with what stands before left out.`];
  const sides = { train: train.sequences, validation: validation.sequences, replayed: await readReplayed(named, model) };
  return { basePath: model.path, ...sides, notices: [...rows.notices, ...left] };
}

interface Run extends Tokenised {
  readonly settings: TuneSettings;
  readonly folder: TrainingFolder<Saved>;
  readonly options: TuneOptions;
}

async function* run(given: Run): AsyncGenerator<StepEvent | EpochEvent, Saved> {
  const { basePath, train, validation, settings, folder, options } = given;
  const { method, newTokens: _added, replay: _texts, replayWeight: _weight, kl: _kl, averaging: _averaging, ...training } = settings;
  await using runtime = startRuntime(options.environment);
  const { checkpointFolder } = folder;
  const sides = { train, validation, ...againstForgetting(given), ...(options.signal && { signal: options.signal }) };
  const written = yield* methods[method](given, { runtime, basePath, ...sides, ...training, checkpointFolder });
  const saved = { ...written, files: { ...written.files, curve: "curve.svg" }, notices: [...given.notices, ...written.notices] };
  await folder.finish(saved);
  return saved;
}

function againstForgetting({
  replayed,
  settings: { replayWeight, kl, averaging },
}: Run): Pick<TuneLoraOptions, "replay" | "kl" | "averaging"> {
  const weight = replayWeight ?? (kl === undefined ? replayDefaults.weight : 0);
  return {
    ...(replayed.length > 0 && { replay: { sequences: replayed, weight } }),
    ...(kl !== undefined && { kl: { weight: kl, on: replayed.length > 0 ? "replay" : "task" } }),
    ...(averaging === true && { averaging: {} }),
  };
}

type Method = (run: Run, training: TuneLoraOptions & TuneFullOptions) => AsyncGenerator<StepEvent | EpochEvent, Saved>;

const methods: { readonly [M in TuneMethod]: Method } = {
  async *lora({ folder, options, basePath }, training) {
    // A checkpoint of adapters is small.
    const { record, learnt } = yield* folder.follow(tuneLora({ ...training, checkpointEvery: 10 }));
    const file = await readGguf(basePath);
    const weights = { architecture: learnt.architecture, alpha: learnt.alpha, tensors: learnt.adapter };
    await writeGgufAdapter({ path: folder.path("adapter.gguf"), ...weights });
    const { rsLora = false, dropout = 0 } = training;
    const refused = await writePeft({ folder: folder.path("peft"), file, model: options.model, rsLora, dropout, weights });
    if (refused !== undefined) return { record, files: { adapter: "adapter.gguf" }, notices: [refused] };
    return { record, files: { adapter: "adapter.gguf", peft: "peft" }, notices: [] };
  },
  async *full({ folder, basePath }, training) {
    const { record, learnt } = yield* folder.follow(tuneFull(training));
    const replacements = new Map([...learnt.tensors].map(([name, { data }]) => [name, data]));
    await mergeInto({ base: await readGguf(basePath), path: folder.path("model.gguf"), type: "F16", replacements });
    return { record, files: { model: "model.gguf" }, notices: [] };
  },
};

interface WritePeft {
  readonly folder: string;
  readonly file: GgufFile;
  readonly model: string;
  readonly rsLora: boolean;
  readonly dropout: number;
  readonly weights: LoraWeights;
}

/** Why there is no PEFT folder, where there is none: the adapter for llama.cpp is written all the same. */
async function writePeft({ file, model, weights, ...rest }: WritePeft): Promise<string | undefined> {
  const count = (key: string) => file.metadata[`${weights.architecture}.attention.${key}`];
  const heads = Number(count("head_count"));
  const baseModel = catalogue.find(({ name }) => name === model)?.original ?? basename(file.path, ".gguf");
  try {
    await writePeftAdapter({ ...rest, baseModel, ...weights, heads, kvHeads: Number(count("head_count_kv") ?? heads) });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
