// `sartor pretrain`: a small model from scratch, or a model that goes on learning from text, with progress on standard error.
import {
  type ContinueOptions,
  type ContinueResult,
  continuePretraining,
  pretrain,
  type PretrainOptions,
  type PretrainPlan,
  type PretrainResult,
  UserError,
} from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { flagOf, number, type Readers, readSettings, wholeNumber } from "./options.ts";
import { describeRun, fileLines, noticeLines, showTuning, type TrainingProgress, trainingProgress } from "./training-progress.ts";

/** What commander reads: texts under the names of the options. */
interface PretrainVerbOptions {
  readonly data: string;
  readonly output: string;
  readonly model?: string;
  readonly json?: boolean;
  readonly [option: string]: string | boolean | undefined;
}

const common: Readers<PretrainOptions & ContinueOptions> = {
  context: (text, flag) => ({ context: wholeNumber(text, flag) }),
  seed: (text, flag) => ({ seed: wholeNumber(text, flag) }),
};
const ofScratch: Readers<PretrainOptions> = {
  depth: (text, flag) => ({ depth: wholeNumber(text, flag) }),
  tokens: (text, flag) => ({ tokens: wholeNumber(text, flag) }),
  vocabulary: (text, flag) => ({ vocabulary: wholeNumber(text, flag) }),
};
const ofModel: Readers<ContinueOptions> = {
  newTokens: (text, flag) => ({ newTokens: wholeNumber(text, flag) }),
  learningRate: (text, flag) => ({ learningRate: number(text, flag) }),
  epochs: (text, flag) => ({ epochs: wholeNumber(text, flag) }),
  steps: (text, flag) => ({ maxSteps: wholeNumber(text, flag) }),
  batchSize: (text, flag) => ({ batchSize: wholeNumber(text, flag) }),
};

export async function pretrainVerb({ data, output, model, json = false, ...given }: PretrainVerbOptions): Promise<void> {
  const foreign = Object.keys(model === undefined ? ofModel : ofScratch).find((option) => given[option] !== undefined);
  if (foreign !== undefined) {
    const say = model === undefined ? "training a model on. Name one with --model" : "training from scratch. Leave it out, or --model";
    throw new UserError(`${flagOf(foreign)} belongs to ${say}.`);
  }
  const options = { data, output, environment: readEnvironment(), signal: interruptSignal(), ...readSettings(common, given) };
  const progress = trainingProgress();
  const result =
    model === undefined
      ? await fromScratch({ ...options, ...readSettings(ofScratch, given) }, progress)
      : await goOn({ ...options, model, ...readSettings(ofModel, given) }, progress);
  progress.clear();
  console.log(json ? JSON.stringify(result, undefined, 2) : described(result));
}

async function fromScratch(options: PretrainOptions, progress: TrainingProgress): Promise<PretrainResult> {
  progress.update("reading the text, learning a tokenizer");
  for await (const event of pretrain(options)) {
    if (event.kind === "plan") progress.note(planLine(event));
    else if (event.kind === "done") return resultOf(event);
    else progress.show(event);
  }
  throw new Error("The run ended without its last event.");
}

async function goOn(options: ContinueOptions, progress: TrainingProgress): Promise<ContinueResult> {
  progress.update("reading the text, opening the model");
  for await (const event of continuePretraining(options)) {
    if (event.kind === "done") return resultOf(event);
    showTuning(event, progress);
  }
  throw new Error("The run ended without its last event.");
}

function resultOf<R extends { readonly kind: string }>({ kind: _kind, ...result }: R): Omit<R, "kind"> {
  return result;
}

function planLine({ config, parameters, characters, textTokens, tokens, steps, worth }: PretrainPlan): string {
  const short = worth > tokens ? ` (a model of this size is worth ${millions(worth)})` : "";
  return [
    `${millions(characters)} characters, ${millions(textTokens)} tokens of a vocabulary of ${config.vocabulary}`,
    `${config.layers} layers of width ${config.width}: ${millions(parameters)} weights`,
    `reads ${millions(tokens)} tokens in ${steps} steps${short}`,
  ].join("\n");
}

function described(result: PretrainResult | ContinueResult): string {
  const { sample, bitsPerByte, files } = result;
  const notices = "notices" in result ? noticeLines(result.notices) : "";
  const written = sample === undefined ? "" : `\n\n${sample.prompt}|${sample.text}`;
  return `${notices}${describeRun(result)}\nHeld-out text takes ${bitsPerByte.toFixed(3)} bits a byte.${written}\n\n${fileLines(files)}`;
}

const millions = (count: number): string => `${(count / 1e6).toPrecision(3)} M`;
