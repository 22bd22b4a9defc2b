// Each architecture that can be tuned, as a tiny random GGUF: the graph against llama.cpp, bare, with an adapter, and fully tuned.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Runtime, startRuntime } from "../../src/runtime/runtime.ts";
import { type Base, openBase } from "../../src/train/base.ts";
import type { DoneEvent, TrainingEvent } from "../../src/train/events.ts";
import { logits, type OpenLogitsOptions } from "../../src/train/logits.ts";
import { tuneFull } from "../../src/train/tune-full.ts";
import { tuneLora } from "../../src/train/tune-lora.ts";
import { seededRandom } from "../../src/util/random.ts";
import { writeGgufAdapter } from "../../src/weights/gguf-adapter.ts";
import { mergeInto } from "../../src/weights/merge.ts";
import { servedScores } from "../support/served-scores.ts";
import { tinyArchitectures, writeTinyArchitecture } from "../support/tiny-architectures.ts";

vi.setConfig({ testTimeout: 60_000 });
let folder: string;
let runtime: Runtime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-architectures-"));
  runtime = startRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const random = seededRandom("tokens");
const draw = (count: number) => Array.from({ length: count }, () => 3 + random.integer(250));
const tokens = draw(60);
const train = Array.from({ length: 4 }, () => ({ tokens: draw(20), promptLength: 8 }));
const training = { train, validation: [], epochs: 1, batchSize: 2 } as const;

// Measured: .00002 at most, from adding up in other orders; .002 for gemma3, whose gelu llama.cpp looks up in a table of half precision.
const roundingOf = (name: string) => (name.startsWith("gemma3") ? 5e-3 : 1e-4);

describe.each(Object.keys(tinyArchitectures))("%s", (name) => {
  const rounding = roundingOf(name);
  let path: string;
  let base: Base;
  beforeAll(async () => {
    path = join(folder, `${name}.gguf`);
    await writeTinyArchitecture(path, name);
    base = await openBase(path);
  });

  test("log-probabilities of the graph are llama.cpp's", async () => {
    expect(largestGap(await graphScores({ path }), await servedScores({ path, tokens }))).toBeLessThan(rounding);
  });

  test("an adapter that was trained here is served as it was trained", async () => {
    const trained = await last(tuneLora({ runtime, basePath: path, ...training, learningRate: 0.02, rank: 4 }));
    const written = join(folder, `${name}-adapter.gguf`);
    const { architecture, rank, alpha, adapter } = trained;
    const matrices = [...base.file.tensors.values()].filter(({ name: tensor, shape }) => tensor.startsWith("blk.") && shape.length > 1);
    expect(adapter.map(({ target }) => target).sort()).toEqual(matrices.map(({ name: tensor }) => tensor).sort());
    await writeGgufAdapter({ path: written, architecture, alpha, tensors: adapter });
    const graph = await graphScores({ path, adapter: { rank, alpha, tensors: adapter } });
    expect(largestGap(graph, await graphScores({ path }))).toBeGreaterThan(0.1);
    expect(largestGap(graph, await servedScores({ path, tokens, adapter: written }))).toBeLessThan(rounding);
  });

  test("full tuning learns every tensor, and the model that comes of it is served as the graph has it", async () => {
    const { tensors } = await last(tuneFull({ runtime, basePath: path, ...training, learningRate: 0.01 }));
    expect([...tensors.keys()].sort()).toEqual([...base.file.tensors.keys()].filter((tensor) => !tensor.startsWith("rope_")).sort());
    for (const [tensor, { data }] of tensors) {
      expect({ tensor, changed: largestGap(data, await base.read(tensor)) > 1e-3 }).toEqual({ tensor, changed: true });
    }
    const merged = join(folder, `${name}-full.gguf`);
    await mergeInto({ base: base.file, path: merged, replacements: new Map([...tensors].map(([tensor, { data }]) => [tensor, data])) });
    expect(largestGap(await graphScores({ path: merged }), await servedScores({ path: merged, tokens }))).toBeLessThan(rounding);
  });
});

/** Natural-log probability of each token after the first, by the graph. */
async function graphScores(options: Pick<OpenLogitsOptions, "adapter"> & { readonly path: string }): Promise<readonly number[]> {
  const { path: basePath, ...adapted } = options;
  const { data, vocabulary } = await logits({ runtime, basePath, tokens, ...adapted });
  return tokens.slice(1).map((token, row) => {
    const values = data.subarray(row * vocabulary, (row + 1) * vocabulary);
    const highest = Math.max(...values);
    return values[token]! - highest - Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
  });
}

async function last<R>(events: AsyncIterable<TrainingEvent<R>>): Promise<DoneEvent<R>> {
  let done: TrainingEvent<R> | undefined;
  for await (const event of events) done = event;
  if (done?.kind !== "done") throw new Error("The run ended without its last event.");
  return done;
}

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}
