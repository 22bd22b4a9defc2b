// Plain text as training sequences: for training from scratch, for training a model on, and for general text beside a task. Pure.

import { UserError } from "../errors.ts";
import type { TokenSequence } from "../model.ts";
import { seededRandom } from "../util/random.ts";

/** A long text as sequences of at most `length` + 1 tokens, all of them to be learnt; each begins with the last token of the one before. */
export function tokenWindows(tokens: readonly number[], length: number): readonly TokenSequence[] {
  const count = Math.ceil((tokens.length - 1) / length);
  return Array.from({ length: Math.max(count, 0) }, (_, index) => ({
    tokens: tokens.slice(index * length, (index + 1) * length + 1),
    promptLength: 0,
  }));
}

export interface TextDataOptions {
  /** Tokens of each text. */
  readonly texts: readonly (readonly number[])[];
  /** Tokens that one sequence reads. */
  readonly length: number;
  /** The token that ends a text: the model's end of sequence. */
  readonly separator: number;
  /** Share of the tokens kept for validation: whole texts; of a single text its end. */
  readonly validationShare?: number;
  readonly seed?: number;
}

/** Texts one after another as sequences for training and validation. @throws {UserError} if there is too little text for both. */
export function textData({ texts, length, separator, validationShare = 0.1, seed = 0 }: TextDataOptions): {
  readonly train: readonly TokenSequence[];
  readonly validation: readonly TokenSequence[];
} {
  const ended = texts.filter((text) => text.length > 0).map((text) => [...text, separator]);
  const total = ended.reduce((sum, { length: count }) => sum + count, 0);
  const wanted = Math.ceil(validationShare * total);
  const all = ended.length === 1 ? halves(ended[0] ?? [], wanted) : apart(seededRandom(`text ${seed}`).shuffle(ended), wanted);
  const [train, validation] = [tokenWindows(all.train.flat(), length), tokenWindows(all.validation.flat(), length)];
  if (train.length === 0 || (wanted > 0 && validation.length === 0))
    throw new UserError(
      `The text has ${total} tokens, too few to train on and to keep ${100 * validationShare} % for validation. Give it more text.`,
    );
  return { train, validation };
}

interface Sides {
  readonly train: readonly (readonly number[])[];
  readonly validation: readonly (readonly number[])[];
}

function halves(text: readonly number[], wanted: number): Sides {
  return { train: [text.slice(0, text.length - wanted)], validation: [text.slice(text.length - wanted)] };
}

/** Texts go to validation until it has as many tokens as wanted; the last one stays to be learnt. */
function apart(texts: readonly (readonly number[])[], wanted: number): Sides {
  let count = 0;
  let kept = 0;
  while (kept < texts.length - 1 && count < wanted) count += texts[kept++]?.length ?? 0;
  return { train: texts.slice(kept), validation: texts.slice(0, kept) };
}
