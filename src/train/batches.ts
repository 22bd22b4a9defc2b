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
}

/** The batches whose gradients are added up for one update of the weights. */
export interface Update {
  readonly batches: readonly Batch[];
  /** Predicted tokens of all batches. */
  readonly rows: number;
  readonly tokenCount: number;
}

export interface BatchOptions {
  /** Sequences an update. */
  readonly batchSize: number;
  /** Places a batch, filling included: what bounds memory. A longer sequence is a batch of its own. */
  readonly batchTokens: number;
}

/** @throws {UserError} for a sequence that is too long for the model or has nothing to learn. */
export function checkSequences(sequences: readonly TokenSequence[], context: number, name: string): void {
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
  }
}

/** Updates an epoch. */
export function updatesPerEpoch(sequences: number, { batchSize }: Pick<BatchOptions, "batchSize">): number {
  return Math.ceil(sequences / batchSize);
}

// Sequences are sorted by length within windows of this many updates: little filling, and still a random order.
const WINDOW = 8;

/** One epoch's updates, in an order that seed and epoch decide. */
export function epochUpdates(
  sequences: readonly TokenSequence[],
  options: BatchOptions & { readonly seed: number; readonly epoch: number },
): readonly Update[] {
  const { batchSize, batchTokens, seed, epoch } = options;
  const random = seededRandom(`batches ${seed} ${epoch}`);
  const groups: (readonly TokenSequence[])[] = [];
  for (const window of chunks(random.shuffle(sequences), batchSize * WINDOW)) {
    groups.push(...chunks(byLength(window), batchSize));
  }
  return random.shuffle(groups).map((group) => makeUpdate(group, batchTokens));
}

/** All sequences in batches, shortest first: for a loss. */
export function evaluationBatches(sequences: readonly TokenSequence[], batchTokens: number): readonly Batch[] {
  return microBatches(byLength(sequences), batchTokens);
}

export function makeUpdate(sequences: readonly TokenSequence[], batchTokens: number): Update {
  const batches = microBatches(byLength(sequences), batchTokens);
  const sum = (of: (batch: Batch) => number) => batches.reduce((total, batch) => total + of(batch), 0);
  return { batches, rows: sum((batch) => batch.rows.length), tokenCount: sum((batch) => batch.tokenCount) };
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
  return { size: sequences.length, time, tokens, rows: Int32Array.from(rows), labels: Int32Array.from(labels), tokenCount };
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
