// Training texts as batches of like length. Pure: an order is decided by seed and epoch alone, so it can be found again after a stop.

import type { TokenSequence } from "../model.ts";
import { UserError } from "../errors.ts";
import { seededRandom } from "../util/random.ts";

/** Sequences side by side, filled up at the end to one length. */
export interface Batch {
  readonly size: number;
  readonly time: number;
  /** [size, time], row by row. */
  readonly tokens: Int32Array;
  /** Places in size * time from which a token is predicted, and the token that comes there. */
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  /** Tokens without the filling. */
  readonly tokenCount: number;
  readonly sequences: readonly TokenSequence[];
}

/** What rows are kept near to: the base model's hidden states there, [rows, width], and what each row's divergence counts. */
export interface Anchor {
  readonly hidden: Float32Array;
  readonly weight: number;
}

/** A batch of an update: what is to be learnt, or general text against forgetting. */
export interface UpdateBatch extends Batch {
  readonly of: "task" | "replay";
  /** What each row's cross-entropy counts. */
  readonly weight: number;
  readonly anchor?: Anchor;
}

/** The batches whose gradients are added up for one update of the weights. */
export interface Update {
  readonly batches: readonly UpdateBatch[];
  /** Predicted tokens of the task's batches. */
  readonly rows: number;
  /** Of all batches. */
  readonly tokenCount: number;
}

export interface BatchOptions {
  /** Sequences an update. */
  readonly batchSize: number;
  /** Places a batch, filling included: what bounds memory. A longer sequence is a batch of its own. */
  readonly batchTokens: number;
}

/** @throws {UserError} for a sequence that is too long for the model, has nothing to learn or a token that the model does not know. */
export function checkSequences(
  sequences: readonly TokenSequence[],
  { context, vocabulary }: { readonly context: number; readonly vocabulary: number },
  name: string,
): void {
  for (const [index, { tokens, promptLength }] of sequences.entries()) {
    // The last token is only predicted, never read.
    if (tokens.length - 1 > context) {
      throw new UserError(
        `Sequence ${index + 1} of ${name} has ${tokens.length} tokens, more than the model's context of ${context}. Shorten the example, the passages or the demonstrations.`,
      );
    }
    if (tokens.length <= Math.max(promptLength, 1)) {
      throw new UserError(
        `Sequence ${index + 1} of ${name} has no completion (${tokens.length} tokens, ${promptLength} of them prompt). Give the example an output.`,
      );
    }
    const unknown = tokens.find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabulary));
    if (unknown !== undefined) {
      throw new UserError(
        `Sequence ${index + 1} of ${name} has the token ${unknown}; the model's vocabulary goes from 0 to ${vocabulary - 1}. Tokenise with the model's own tokenizer.`,
      );
    }
  }
}

/** Places of the longest sequence as it is read: as many positions as a run's graphs need. */
export function longestInput(sequences: readonly TokenSequence[]): number {
  return sequences.reduce((longest, sequence) => Math.max(longest, inputLength(sequence)), 1);
}

/** Updates an epoch. */
export function updatesPerEpoch(sequences: number, { batchSize }: Pick<BatchOptions, "batchSize">): number {
  return Math.ceil(sequences / batchSize);
}

// Sequences are sorted by length within windows of this many updates: little filling, and still a random order.
const WINDOW = 8;

/** One epoch's updates. */
export function epochUpdates(
  sequences: readonly TokenSequence[],
  options: BatchOptions & { readonly seed: number; readonly epoch: number },
): readonly Update[] {
  return epochGroups(sequences, options).map((group) => makeUpdate(group, options.batchTokens));
}

/** The sequences of each of an epoch's updates, in an order that seed and epoch decide. */
export function epochGroups(
  sequences: readonly TokenSequence[],
  { batchSize, seed, epoch }: Pick<BatchOptions, "batchSize"> & { readonly seed: number; readonly epoch: number },
): readonly (readonly TokenSequence[])[] {
  const random = seededRandom(`batches ${seed} ${epoch}`);
  const groups: (readonly TokenSequence[])[] = [];
  for (const window of chunks(random.shuffle(sequences), batchSize * WINDOW)) {
    groups.push(...chunks(byLength(window), batchSize));
  }
  return random.shuffle(groups);
}

/** All sequences in batches, shortest first: for a loss. */
export function evaluationBatches(sequences: readonly TokenSequence[], batchTokens: number): readonly Batch[] {
  return microBatches(byLength(sequences), batchTokens);
}

/** An update whose loss is the mean over the predicted tokens. */
export function makeUpdate(sequences: readonly TokenSequence[], batchTokens: number): Update {
  const plain = evaluationBatches(sequences, batchTokens);
  const rows = rowsOf(plain);
  const batches = plain.map((batch): UpdateBatch => ({ ...batch, of: "task", weight: 1 / rows }));
  return { batches, rows, tokenCount: plain.reduce((sum, { tokenCount }) => sum + tokenCount, 0) };
}

/** Predicted tokens of batches. */
export function rowsOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** Predicted tokens of a sequence. */
export function sequenceRows({ tokens, promptLength }: TokenSequence): number {
  return tokens.length - Math.max(promptLength, 1);
}

function microBatches(sorted: readonly TokenSequence[], batchTokens: number): readonly Batch[] {
  const batches: Batch[] = [];
  let current: TokenSequence[] = [];
  for (const sequence of sorted) {
    if (current.length > 0 && (current.length + 1) * inputLength(sequence) > batchTokens) {
      batches.push(makeBatch(current));
      current = [];
    }
    current.push(sequence);
  }
  if (current.length > 0) batches.push(makeBatch(current));
  return batches;
}

/** Sequences as one batch. The last token of each is only predicted, never read. */
export function makeBatch(sequences: readonly TokenSequence[]): Batch {
  const time = Math.max(...sequences.map(inputLength));
  const tokens = new Int32Array(sequences.length * time);
  const rows: number[] = [];
  const labels: number[] = [];
  for (const [row, sequence] of sequences.entries()) {
    tokens.set(sequence.tokens.slice(0, -1), row * time);
    const from = Math.max(sequence.promptLength, 1);
    for (const [offset, label] of sequence.tokens.slice(from).entries()) {
      rows.push(row * time + from - 1 + offset);
      labels.push(label);
    }
  }
  const tokenCount = sequences.reduce((sum, sequence) => sum + inputLength(sequence), 0);
  return { size: sequences.length, time, tokens, rows: Int32Array.from(rows), labels: Int32Array.from(labels), tokenCount, sequences };
}

function inputLength({ tokens }: TokenSequence): number {
  return tokens.length - 1;
}

// Ties keep their order, so that the result is one and the same everywhere.
function byLength(sequences: readonly TokenSequence[]): readonly TokenSequence[] {
  return sequences.toSorted((a, b) => a.tokens.length - b.tokens.length);
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
