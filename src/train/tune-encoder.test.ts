// The encoder beside transformers' BERT, its contrastive derivative beside finite differences, and that its adapters learn and merge.
// Reference values: src/nn/fixtures/tiny_bert.py.
import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { interpret, type Numbers } from "../graph/interpret.ts";
import { serialise } from "../graph/onnx.ts";
import { encoderConfig, encoderData } from "../nn/encoder.ts";
import { adaptEncoder, contrastiveGraphs, embeddingGraph } from "../nn/encoder-programs.ts";
import { startRuntime } from "../runtime/runtime.ts";
import { float32Data, type Tensors } from "../runtime/tensor.ts";
import { seededRandom } from "../util/random.ts";
import { encoderFeeds } from "./encoder-feeds.ts";
import { tuneEncoder, type TunedEncoder } from "./tune-encoder.ts";

interface Fixture {
  readonly texts: readonly (readonly number[])[];
  readonly embeddings: readonly (readonly number[])[];
  readonly weights: { readonly [name: string]: { readonly shape: readonly number[]; readonly data: readonly number[] } };
}

const fixture = JSON.parse(await readFile(new URL("../nn/fixtures/tiny-bert.json", import.meta.url), "utf8")) as Fixture;
const tensors = new Map(Object.entries(fixture.weights).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
const config = encoderConfig(tensors, 2, 1e-12);
const weights = encoderData(tensors);
const runtime = startRuntime({ threads: 1 });
afterAll(() => runtime[Symbol.asyncDispose]());

async function embedded(texts: readonly (readonly number[])[], data = weights): Promise<number[][]> {
  const bytes = serialise(embeddingGraph(config), { weights: (name) => ({ data: data.get(name)! }) });
  await using session = await runtime.load({ source: { bytes } });
  const rows = float32Data(await session.run(encoderFeeds(texts)), "embeddings");
  return texts.map((_, row) => [...rows.subarray(row * config.width, (row + 1) * config.width)]);
}

function expectNear(actual: readonly number[], expected: readonly number[], digits: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, digits));
}

test("its sizes are read from its tensors", () => {
  expect(config).toEqual({ layers: 2, width: 8, heads: 2, hidden: 12, vocabulary: 12, positions: 8, epsilon: 1e-12 });
});

test("sentence embeddings are those of transformers, in a batch with shorter and longer texts and alone", async () => {
  expectNear((await embedded(fixture.texts)).flat(), fixture.embeddings.flat(), 5);
  expectNear((await embedded([fixture.texts[1]!])).flat(), fixture.embeddings[1]!, 5);
});

test("the derivative of the contrastive loss by the adapters is that of finite differences", () => {
  const adapted = adaptEncoder(config, { rank: 1, alpha: 2, targets: ["query", "down"] });
  const graphs = contrastiveGraphs(adapted, 0.5);
  const random = seededRandom("adapters");
  const leaves: Record<string, Numbers> = numbersOf(encoderFeeds(fixture.texts));
  for (const [name, data] of weights) leaves[name] = { dims: tensors.get(name)!.shape, data: Float64Array.from(data) };
  const trained = adapted.pairs.flatMap(({ a, b }) => [a, b]);
  for (const { name, shape } of trained)
    leaves[name] = { dims: shape, data: Float64Array.from({ length: shape[0]! * shape[1]! }, () => 0.3 * random.normal()) };
  const whole = (values: readonly number[]): Numbers => ({ dims: [values.length], data: Float64Array.from(values) });
  const rest = { queryRows: whole([0]), passageRows: whole([1, 2]), labels: whole([1]), weights: whole([1]) };
  Object.assign(leaves, rest, { blocked: { dims: [1, 2], data: new Float64Array(2) } });
  const exact = interpret(graphs.training, leaves);
  const lossAt = (name: string, place: number, change: number): number => {
    const { dims, data } = leaves[name]!;
    return interpret(graphs.loss, { ...leaves, [name]: { dims, data: data.with(place, data[place]! + change) } })["loss"]!.data[0]!;
  };
  for (const { name } of [trained[0]!, trained[1]!, trained.at(-2)!, trained.at(-1)!]) {
    const gradient = exact[`gradient/${name}`]!.data;
    for (const place of [0, gradient.length - 1])
      expect(gradient[place]).toBeCloseTo((lossAt(name, place, 1e-5) - lossAt(name, place, -1e-5)) / 2e-5, 6);
  }
});

test("adapters learn which passage answers, and merged into the weights they embed as they learnt", async () => {
  // A question is its passage's first token; passages differ in their second.
  const passages = Array.from({ length: 6 }, (_, at) => [1, 3 + at, 10, 2]);
  const queries = passages.map((passage, at) => ({ tokens: [1, 9 - at, 2], answers: [at], others: [(at + 1) % 6] }));
  const running = tuneEncoder({
    runtime,
    config,
    weights,
    passages,
    train: queries,
    validation: queries,
    rank: 4,
    learningRate: 0.02,
    epochs: 30,
    patience: 30,
    batchSize: 6,
  });
  const { merged, bestEpoch, losses } = await lastOf(running);
  expect(losses[bestEpoch]!.validationLoss).toBeLessThan(0.5 * losses[0]!.validationLoss);
  const data = new Map([...weights, ...merged]);
  const [asked, found] = [
    await embedded(
      queries.map(({ tokens }) => tokens),
      data,
    ),
    await embedded(passages, data),
  ];
  const loss = asked.reduce((sum, vector, at) => {
    const shares = found.map((other) => Math.exp(other.reduce((total, value, i) => total + value * vector[i]!, 0) / 0.05));
    return sum - Math.log(shares[at]! / shares.reduce((total, share) => total + share, 0)) / queries.length;
  }, 0);
  expect(loss).toBeCloseTo(losses[bestEpoch]!.validationLoss, 3);
});

async function lastOf(running: ReturnType<typeof tuneEncoder>): Promise<TunedEncoder> {
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
  }
}

function numbersOf(feeds: Tensors): Record<string, Numbers> {
  return Object.fromEntries(Object.entries(feeds).map(([name, { dims, data }]) => [name, { dims, data: Float64Array.from(data, Number) }]));
}
