import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import type { TokenSequence } from "../model.ts";
import { checkSequences, epochUpdates, evaluationBatches, makeBatch, type Batch } from "./batches.ts";
import { learningRateAt } from "./schedule.ts";

test("a batch predicts completions only, from the place before each token", () => {
  const two = [
    { tokens: [3, 7, 1, 12, 19], promptLength: 3 },
    { tokens: [5, 2, 11], promptLength: 0 },
  ];
  expect(makeBatch(two)).toEqual({
    size: 2,
    time: 4,
    tokens: Int32Array.of(3, 7, 1, 12, 5, 2, 0, 0),
    rows: Int32Array.of(2, 3, 4, 5),
    labels: Int32Array.of(12, 19, 2, 11),
    tokenCount: 6,
    sequences: two,
  });
});

const sequences = fc.array(
  fc.integer({ min: 2, max: 40 }).chain((length) =>
    fc.record({
      tokens: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: length, maxLength: length }),
      promptLength: fc.integer({ min: 0, max: length - 1 }),
    }),
  ),
  { minLength: 1, maxLength: 60 },
);

test("an epoch holds every sequence once, in the same order for the same seed, within the bounds of size and memory", () => {
  fc.assert(
    fc.property(sequences, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 40, max: 200 }), (train, batchSize, batchTokens) => {
      const options = { batchSize, batchTokens, seed: 1, epoch: 2 };
      const updates = epochUpdates(train, options);
      expect(epochUpdates(train, options)).toEqual(updates);
      expect(updates.length).toBe(Math.ceil(train.length / batchSize));
      const batches = updates.flatMap((update) => update.batches);
      expect(batches.flatMap(learnt).sort()).toEqual(
        train.map(({ tokens, promptLength }) => tokens.slice(Math.max(promptLength, 1)).join()).sort(),
      );
      for (const { size, time } of batches) expect(size === 1 || size * time <= batchTokens).toBe(true);
      for (const { batches: some } of updates) expect(some.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(batchSize);
    }),
  );
});

test("another epoch, or another seed, is another order", () => {
  const train = Array.from({ length: 50 }, (_, index) => ({ tokens: [1, index + 2], promptLength: 1 }));
  const order = (seed: number, epoch: number) =>
    epochUpdates(train, { batchSize: 1, batchTokens: 64, seed, epoch }).map(({ batches: [batch] }) => batch?.labels[0]);
  expect(order(0, 0)).not.toEqual(order(0, 1));
  expect(order(0, 0)).not.toEqual(order(1, 0));
});

test("sequences of like length stand together: little of a batch is filling", () => {
  const train = Array.from({ length: 400 }, (_, index) => ({
    tokens: Array.from({ length: 10 + (index % 90) }, () => 1),
    promptLength: 5,
  }));
  const batches = epochUpdates(train, { batchSize: 8, batchTokens: 1024, seed: 0, epoch: 0 }).flatMap((update) => update.batches);
  const filled =
    batches.reduce((sum, { size, time }) => sum + size * time, 0) / batches.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  expect(filled).toBeLessThan(1.15);
});

test("evaluation batches hold every sequence once", () => {
  fc.assert(
    fc.property(sequences, (validation) => {
      const rows = evaluationBatches(validation, 64).reduce((sum, batch) => sum + batch.rows.length, 0);
      expect(rows).toBe(validation.reduce((sum, { tokens, promptLength }) => sum + tokens.length - Math.max(promptLength, 1), 0));
    }),
  );
});

test("a sequence without a completion, too long or with an unknown token is named", () => {
  const check = (sequence: TokenSequence) => () =>
    checkSequences([{ tokens: [1, 2], promptLength: 1 }, sequence], { context: 4, vocabulary: 10 }, "the training data");
  expect(check({ tokens: [1, 2], promptLength: 2 })).toThrow(
    new UserError("Sequence 2 of the training data has no completion (2 tokens, 2 of them prompt). Give the example an output."),
  );
  expect(check({ tokens: [1, 2, 3, 4, 5, 6], promptLength: 2 })).toThrow(
    "Sequence 2 of the training data has 6 tokens, more than the model's context of 4.",
  );
  for (const token of [10, -1, 2.5])
    expect(check({ tokens: [1, token], promptLength: 1 })).toThrow(
      `Sequence 2 of the training data has the token ${token}; the model's vocabulary goes from 0 to 9.`,
    );
  expect(check({ tokens: [1, 2, 3, 4, 5], promptLength: 0 })).not.toThrow();
});

test.each([
  ["cosine", "0.5000 1.0000 0.9657 0.8682 0.7222 0.5500 0.3778 0.2318 0.1343 0.1000"],
  ["linear", "0.5000 1.0000 0.8875 0.7750 0.6625 0.5500 0.4375 0.3250 0.2125 0.1000"],
  ["constant", "0.5000 1.0000 1.0000 1.0000 1.0000 1.0000 1.0000 1.0000 1.0000 1.0000"],
] as const)("the learning rate rises, then follows its curve: %s", (schedule, expected) => {
  const options = { learningRate: 1, schedule, warmup: 0.2, steps: 10 };
  expect(Array.from({ length: 10 }, (_, index) => learningRateAt(index + 1, options).toFixed(4)).join(" ")).toBe(expected);
});

/** The labels of each sequence of a batch. */
function learnt({ size, time, rows, labels }: Batch): readonly string[] {
  return Array.from({ length: size }, (_, row) =>
    [...labels].filter((_label, index) => Math.floor((rows[index] ?? -1) / time) === row).join(),
  );
}
