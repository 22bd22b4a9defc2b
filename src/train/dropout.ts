// The codes that decide what a training step drops. From seed, step and batch alone, so that a run that goes on drops the same.

import type { Model } from "../nn/programs.ts";
import { dropoutPrefix } from "../nn/programs.ts";
import type { Tensor, Tensors } from "../runtime/tensor.ts";
import { seededRandom } from "../util/random.ts";
import type { Batch } from "./batches.ts";

export interface DropoutOptions {
  readonly seed: number;
  /** Of the update, from 1. */
  readonly step: number;
  /** Of the batch within it. */
  readonly index: number;
}

/** What a training step of a model with dropout reads besides its batch; nothing for one without. */
export function dropoutFeeds({ dropoutColumns }: Model, { size, time, rows }: Batch, { seed, step, index }: DropoutOptions): Tensors {
  if (dropoutColumns === 0) return {};
  const random = seededRandom(`dropout ${seed} ${step} ${index}`);
  const counts = { columns: dropoutColumns, "batch*time": size * time, rows: rows.length };
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [dropoutPrefix + name, codes(count, () => random.integer(2 ** 32))]),
  );
}

/** Odd numbers of 32 bits, with their sign. */
function codes(count: number, draw: () => number): Tensor {
  const data = new BigInt64Array(count);
  // Two halves each, the lower first: making a BigInt of every code takes ten times as long.
  const halves = new Int32Array(data.buffer);
  for (let index = 0; index < count; index++) {
    const code = draw() | 1;
    halves[2 * index] = code;
    halves[2 * index + 1] = code >> 31;
  }
  return { type: "int64", data, dims: [count] };
}
