import fc from "fast-check";
import { expect, test } from "vitest";
import { epochUpdates } from "./batches.ts";
import { withReplay } from "./replay.ts";

const sequences = (count: number, first: number) =>
  Array.from({ length: count }, (_, index) => ({ tokens: [first, first + index, 5, 6], promptLength: first === 0 ? 2 : 0 }));

test("every update holds the task's batches as they were and its share of general texts, all of them once before any twice", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0.05, max: 2, noNaN: true }),
      (tasks, batchSize, texts, share) => {
        const [train, general] = [sequences(tasks, 0), sequences(texts, 1000)];
        const options = { batchSize, batchTokens: 12, seed: 3 };
        const replay = { sequences: general, share, weight: 0.5 };
        const epochs = [0, 1, 2].map((epoch) => {
          const plain = epochUpdates(train, { ...options, epoch });
          const add = () => plain.map((update, index) => withReplay(update, { ...options, replay, index: epoch * plain.length + index }));
          const updates = add();
          expect(add()).toEqual(updates);
          expect(updates.map(({ batches }) => batches.filter((batch) => batch.of === "task"))).toEqual(plain.map(({ batches }) => batches));
          return updates;
        });
        const drawn = epochs.flat().map(({ batches }) => batches.filter((batch) => batch.of === "replay"));
        const count = Math.max(1, Math.round(share * batchSize));
        expect(drawn.every((batches) => batches.reduce((sum, { size }) => sum + size, 0) === count)).toBe(true);
        for (const batches of drawn) expect(batches.reduce((sum, { rows, weight }) => sum + rows.length * weight, 0)).toBeCloseTo(0.5);
        const times = new Map<number, number>();
        for (const text of drawn.flat().flatMap((batch) => batch.sequences))
          times.set(text.tokens[1]!, (times.get(text.tokens[1]!) ?? 0) + 1);
        const counts = general.map(({ tokens }) => times.get(tokens[1]!) ?? 0);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test("another seed draws in another order", () => {
  const order = (seed: number) => {
    const options = { batchSize: 2, batchTokens: 64, seed, epoch: 0 };
    const replay = { sequences: sequences(20, 1000) };
    const updates = epochUpdates(sequences(20, 0), options).map((update, index) => withReplay(update, { ...options, replay, index }));
    return updates.flatMap(({ batches }) => batches.filter((batch) => batch.of === "replay").map(({ tokens }) => tokens[1]));
  };
  expect(order(0)).not.toEqual(order(1));
});
