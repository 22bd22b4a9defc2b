// This project's side of bench/train.ts: an engine with random weights that takes steps when told.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { decoderParameters } from "../src/nn/architectures.ts";
import { allParameters, elementCount } from "../src/nn/parameters.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { epochUpdates } from "../src/train/batches.ts";
import { defaults } from "../src/train/defaults.ts";
import { type Engine, startEngine } from "../src/train/engine.ts";
import { smolLm2 as config } from "../src/train/fixtures/smollm2.ts";
import { seededRandom } from "../src/util/random.ts";
import type { Answer, Command, Method } from "./train-sides.ts";

const { method, threads } = JSON.parse(process.argv[2] ?? "{}") as { readonly method: Method; readonly threads: number };
const { rank, alpha } = defaults.lora;

const sizes = new Map(
  allParameters(decoderParameters(config)).flatMap(({ parts, shape }) =>
    parts.map(({ tensor, rows }): [string, number] => [tensor, shape.length === 1 ? rows : rows * shape[1]!]),
  ),
);
// One stretch of random numbers, repeated: drawing 135 million takes longer than the bench.
const random = seededRandom("bench");
const numbers = Float32Array.from({ length: 65_521 }, () => 0.04 * random.normal());
const weights = (tensor: string): Float32Array =>
  Float32Array.from({ length: sizes.get(tensor) ?? 0 }, (_, index) => (tensor.includes("norm") ? 1 : numbers[index % 65_521]!));

const folder = await mkdtemp(join(tmpdir(), "sartor-bench-"));
await using runtime = startRuntime({ threads });
await using engine = await startEngine({
  runtime,
  config,
  method: method === "full" ? { kind: "full", trains: () => true } : { kind: "lora", rank, alpha },
  precision: method === "fast lora" ? "fast" : "exact",
  read: (tensor) => Promise.resolve(weights(tensor)),
  folder,
});
await rm(folder, { recursive: true, force: true });
await initialise(engine);

let step = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { passes, ...work } = JSON.parse(line) as Command;
  const updates = updatesOf(work);
  const seconds: number[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const started = performance.now();
    for (const update of updates) await engine.step(update, { step: ++step, learningRate: 1e-4, weightDecay: 0, maxNorm: 1 });
    seconds.push((performance.now() - started) / 1000);
  }
  const answer: Answer = { seconds, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
  console.log(JSON.stringify(answer));
}

function updatesOf({ batches, batchTokens }: Omit<Command, "passes">) {
  const sequences = batches.flat().map(({ length, completion }) => ({
    tokens: Array.from({ length: length + 1 }, () => random.integer(config.vocabulary)),
    promptLength: length + 1 - completion,
  }));
  return epochUpdates(sequences, { batchSize: batches[0]!.length, batchTokens, seed: 0, epoch: 0 });
}

async function initialise(started: Engine): Promise<void> {
  for (const { a } of started.model.pairs) {
    const drawn = Float32Array.from({ length: elementCount(a) }, () => 0.1 * (random.next() - 0.5));
    await started.write("parameter", drawn, started.view(a).offset);
  }
  if (started.model.pairs.length > 0) return;
  for (const parameter of started.model.trained) {
    let { offset } = started.view(parameter);
    for (const { tensor } of parameter.parts) {
      const drawn = weights(tensor);
      await started.write("parameter", drawn, offset);
      offset += drawn.length;
    }
  }
}
