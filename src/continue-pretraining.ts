// Continued pre-training: a model goes on learning from plain text, with tokens for the text's own words where they are asked for.
import { UserError } from "./errors.ts";
import { type Sample, sampleOf } from "./sample.ts";
import { readTextSides } from "./text-sides.ts";
import type { TrainingRow } from "./data/training-rows.ts";
import { checkSettings } from "./train/check.ts";
import { type TuneEvent, type TuneOptions, type TuneResult, tuneRows } from "./tune.ts";

type Tuning = "model" | "output" | "newTokens" | "learningRate" | "epochs" | "maxSteps" | "batchSize" | "seed" | "environment" | "signal";

export interface ContinueOptions extends Pick<TuneOptions, Tuning> {
  /** A folder of documents, one document, or JSONL or CSV with a column `text`. */
  readonly data: string;
  /** Tokens that are read at once; a longer text is cut. Default: 512, at most the model's own context. */
  readonly context?: number;
}

export interface ContinueResult extends TuneResult {
  /** The validation loss of the weights kept, in bits a byte of text: comparable between vocabularies. */
  readonly bitsPerByte: number;
  /** How llama.cpp goes on with held-out text. */
  readonly sample?: Sample;
}

export type ContinueEvent = Exclude<TuneEvent, { readonly kind: "done" }> | ({ readonly kind: "done" } & ContinueResult);

/** Of the text held out, no more than is looked at quickly. */
const heldOutCharacters = 100_000;
const contextByDefault = 512;
/** At four tokens a character there is room for an answer. */
const promptCharacters = 32;
const sampleContext = 256;

/**
 * Trains every weight of a model on text and yields what happens; the last event names the files written and shows how the model goes on
 * with held-out text. Killed at any point, the same call goes on from its last checkpoint and ends with the same weights.
 * @throws {UserError} for data, a model or settings that cannot be used, and a run that diverges.
 */
export async function* continuePretraining(options: ContinueOptions): AsyncGenerator<ContinueEvent, void, void> {
  const { context = contextByDefault, ...tuning } = options;
  if (!Number.isSafeInteger(context) || context < 2) throw new UserError(`context is ${context}. Give a whole number from 2 on.`);
  checkSettings({ ...tuning });
  const { train, validation, characters } = await readTextSides(options.data);
  // As one text, of which all tokens but the first are predicted, however many texts it was.
  const held = validation.join("\n\n").slice(0, heldOutCharacters);
  const notices = [`The end of the text is held out: ${held.length} of ${characters} characters are looked at.`];
  const rows = { train: train.map(asRow), validation: [asRow(held)], notices };
  let predicted = Number.NaN;
  for await (const event of tuneRows(rows, { ...tuning, method: "full", maxLength: context })) {
    if (event.kind === "data") predicted = event.validationTokens;
    if (event.kind !== "done") {
      yield event;
      continue;
    }
    const loss = event.losses.find(({ epoch }) => epoch === event.bestEpoch)?.validation ?? Number.NaN;
    const bitsPerByte = (loss * predicted) / Math.LN2 / Buffer.byteLength(held);
    const sample = await sampleOf({ ...options, path: event.files["model"]!, prompt: promptOf(held), contextLength: sampleContext });
    yield { ...event, bitsPerByte, ...(sample && { sample }) };
  }
}

const asRow = (text: string): TrainingRow => ({ kind: "text", text });

/** What a text begins with. */
function promptOf(text: string): string {
  return Array.from(text.trimStart().slice(0, 2 * promptCharacters))
    .slice(0, promptCharacters)
    .join("")
    .trimEnd();
}
