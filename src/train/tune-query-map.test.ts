import { afterAll, expect, test } from "vitest";
import { startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { type TunedQueryMap, tuneQueryMap, type TuneQueryMapOptions, type TuningQuery } from "./tune-query-map.ts";

const runtime = startRuntime({ threads: 1 });
afterAll(() => runtime[Symbol.asyncDispose]());

const width = 16;
const random = seededRandom("tune query map");

function unit(values: Float32Array): Float32Array {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

const passages = Array.from({ length: 120 }, () => unit(Float32Array.from({ length: width }, () => random.normal())));

/** Questions are their passages with neighbouring numbers exchanged, and a little noise: a map can undo that. */
function questions(from: number, to: number): TuningQuery[] {
  return passages.slice(from, to).map((passage, index) => ({
    vector: unit(passage.map((_, i) => passage[i ^ 1]! + 0.1 * random.normal())),
    answers: [from + index],
    others: [(from + index + 7) % passages.length],
  }));
}

const shared = {
  runtime,
  passages,
  train: questions(0, 90),
  validation: questions(90, 120),
  learningRate: 0.02,
  weightDecay: 0.01,
  seed: 3,
};

async function tuned(options: Partial<TuneQueryMapOptions> = {}): Promise<TunedQueryMap> {
  const running = tuneQueryMap({ ...shared, ...options });
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
  }
}

test("a map that answers unseen questions is learnt, and the same seed learns the same", async () => {
  const first = await tuned({ batchSize: 30 });
  const [before, after] = [first.losses[0]!, first.losses[first.bestEpoch]!];
  expect(after.validationLoss).toBeLessThan(0.5 * before.validationLoss);
  const best = ({ vector }: TuningQuery): number => {
    const mapped = vector.map((_, row) => vector.reduce((sum, value, i) => sum + value * first.matrix[row * width + i]!, 0));
    const scores = passages.map((passage) => passage.reduce((sum, value, i) => sum + value * mapped[i]!, 0));
    return scores.indexOf(Math.max(...scores));
  };
  const right = shared.validation.filter((query) => best(query) === query.answers[0]).length;
  expect(right).toBeGreaterThan(20);
  expect((await tuned({ batchSize: 30 })).matrix).toEqual(first.matrix);
});

test("where nothing helps unseen questions, the identity stays", async () => {
  // Answers drawn by lot: what is learnt of some tells nothing of others.
  const lots = seededRandom("lots");
  const train = shared.train.map((query, at) => ({ ...query, vector: passages[at]!, answers: [lots.integer(90)] }));
  const validation = shared.validation.map((query, at) => ({ ...query, vector: passages[90 + at]! }));
  const { bestEpoch, matrix } = await tuned({ train, validation, patience: 2 });
  expect(bestEpoch).toBe(0);
  expect(matrix).toEqual(Float32Array.from({ length: width ** 2 }, (_, place) => Number(place % (width + 1) === 0)));
});

test("a question with several answers counts once, and none of them as a negative of another", async () => {
  const one = { ...shared.train[0]!, others: [] };
  const two = { ...one, answers: [0, 1] };
  // In a batch of its own there is nothing but answers: no loss is left.
  const { losses } = await tuned({ train: [two], validation: [two], randomNegatives: 0, epochs: 1 });
  expect(losses[0]!.validationLoss).toBeCloseTo(0, 6);
});

test("an aborted signal stops it", async () => {
  await expect(tuned({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
});
