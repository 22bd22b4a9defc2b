// Speed and memory of a LoRA step at SmolLM2-135M's shape, beside PyTorch + PEFT in fp32, in turns on the same machine.
// The peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DecoderConfig } from "../src/nn/config.ts";
import { elementCount } from "../src/nn/parameters.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { makeUpdate, type Update } from "../src/train/batches.ts";
import { defaults } from "../src/train/defaults.ts";
import { type Engine, startEngine } from "../src/train/engine.ts";
import { mean } from "../src/util/mean.ts";
import { seededRandom } from "../src/util/random.ts";

export interface BenchOptions {
  /** Print one line of JSON last. */
  readonly json: boolean;
  /** A Python with the packages of bench/peer/requirements.txt. */
  readonly python?: string;
}

const config: DecoderConfig = {
  architecture: "llama",
  layers: 30,
  width: 576,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  hidden: 1536,
  vocabulary: 49_152,
  context: 2048,
  ropeBase: 100_000,
  epsilon: 1e-5,
  tied: true,
};

interface Shape {
  readonly name: string;
  readonly batch: number;
  readonly time: number;
  /** Tokens of each sequence that are learnt. */
  readonly completion: number;
}

const shapes: readonly Shape[] = [
  { name: "2x256", batch: 2, time: 256, completion: 256 },
  { name: "8x64", batch: 8, time: 64, completion: 16 },
];

const WARM_UP = 2;
const ROUNDS = 5;
const STEPS = 2;

interface Side {
  take(shape: Shape, steps: number): Promise<readonly number[]>;
  peakMemoryBytes(): number;
}

interface Result {
  readonly shape: string;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly peerSeconds?: number;
  readonly ratio?: number;
}

export async function run({ json, python = fileURLToPath(new URL("../.peer/bin/python", import.meta.url)) }: BenchOptions): Promise<void> {
  const threads = availableParallelism();
  const folder = await mkdtemp(join(tmpdir(), "sartor-bench-"));
  try {
    await using runtime = startRuntime({ threads });
    await using engine = await startEngine({
      runtime,
      config,
      method: { kind: "lora", rank: defaults.lora.rank, alpha: defaults.lora.alpha },
      read: randomWeights(),
      folder,
    });
    await initialise(engine);
    const own = ownSide(engine);
    if (!existsSync(python))
      console.log(`No ${python}, so no peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt`);
    await using peer = existsSync(python) ? await startPeer(python, threads) : undefined;
    const results: Result[] = [];
    for (const shape of shapes) results.push(await compare(shape, own, peer));
    print(results, own, peer);
    if (json) console.log(JSON.stringify(summary(results, own, peer, threads)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both sides in turns, so that what else the machine does falls on both. */
async function compare(shape: Shape, own: Side, peer: Side | undefined): Promise<Result> {
  await own.take(shape, WARM_UP);
  await peer?.take(shape, WARM_UP);
  const [mine, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const seconds = await own.take(shape, STEPS);
    mine.push(...seconds);
    const others = (await peer?.take(shape, STEPS)) ?? [];
    theirs.push(...others);
    ratios.push(mean(others) / mean(seconds));
  }
  const result = { shape: shape.name, seconds: median(mine), tokensPerSecond: (shape.batch * shape.time) / median(mine) };
  return peer === undefined ? result : { ...result, peerSeconds: median(theirs), ratio: median(ratios) };
}

function ownSide(engine: Engine): Side {
  let step = 0;
  return {
    async take(shape, steps) {
      const update = randomUpdate(shape);
      const seconds: number[] = [];
      for (let taken = 0; taken < steps; taken++) {
        const started = performance.now();
        await engine.step(update, { step: ++step, learningRate: 1e-4, weightDecay: 0, maxNorm: 1 });
        seconds.push((performance.now() - started) / 1000);
      }
      return seconds;
    },
    peakMemoryBytes: () => process.resourceUsage().maxRSS * 1024,
  };
}

async function startPeer(python: string, threads: number): Promise<Side & AsyncDisposable> {
  const script = fileURLToPath(new URL("peer/train_peft.py", import.meta.url));
  const shape = JSON.stringify({ ...config, rank: defaults.lora.rank, alpha: defaults.lora.alpha, threads });
  const child: ChildProcess = spawn(python, [script, shape], { stdio: ["pipe", "pipe", "inherit"] });
  if (child.stdout === null || child.stdin === null) throw new Error("The peer has no pipes.");
  const { stdin } = child;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("The peer ended early.");
    return JSON.parse(value);
  };
  await answer();
  let peak = 0;
  return {
    async take({ batch, time, completion }, steps) {
      stdin.write(`${JSON.stringify({ batch, time, completion, steps })}\n`);
      const { seconds, peakMemoryBytes } = (await answer()) as { seconds: number[]; peakMemoryBytes: number };
      peak = peakMemoryBytes;
      return seconds;
    },
    peakMemoryBytes: () => peak,
    async [Symbol.asyncDispose]() {
      stdin.end();
    },
  };
}

/** Normal numbers of the size that models have. */
function randomWeights(): (tensor: string) => Promise<Float32Array> {
  const random = seededRandom("bench");
  // One stretch of random numbers, repeated: drawing 135 million takes longer than the bench.
  const numbers = Float32Array.from({ length: 1 << 16 }, () => 0.04 * random.normal());
  return (tensor) =>
    Promise.resolve(
      Float32Array.from({ length: tensorSize(tensor) }, (_, index) => (tensor.includes("norm") ? 1 : (numbers[index % 65_521] ?? 0))),
    );
}

function tensorSize(tensor: string): number {
  const { width, hidden, vocabulary, kvHeads, heads } = config;
  const kvWidth = (kvHeads * width) / heads;
  const sizes: readonly (readonly [string, number])[] = [
    ["norm", width],
    ["token_embd", vocabulary * width],
    ["attn_q", width * width],
    ["attn_output", width * width],
    ["attn_k", kvWidth * width],
    ["attn_v", kvWidth * width],
    ["ffn", hidden * width],
  ];
  return sizes.find(([part]) => tensor.includes(part))?.[1] ?? 0;
}

async function initialise(engine: Engine): Promise<void> {
  const random = seededRandom("adapters");
  for (const { a } of engine.model.pairs) {
    await engine.write(
      "parameter",
      Float32Array.from({ length: elementCount(a) }, () => 0.1 * (random.next() - 0.5)),
      engine.view(a).offset,
    );
  }
}

function randomUpdate({ batch, time, completion }: Shape): Update {
  const random = seededRandom("tokens");
  const sequences = Array.from({ length: batch }, () => ({
    tokens: Array.from({ length: time + 1 }, () => random.integer(config.vocabulary)),
    promptLength: time + 1 - completion,
  }));
  return makeUpdate(sequences, batch * time);
}

function print(results: readonly Result[], own: Side, peer: Side | undefined): void {
  for (const { shape, seconds, tokensPerSecond, peerSeconds, ratio } of results) {
    const beside = ratio === undefined ? "" : `   PEFT fp32 ${((peerSeconds ?? 0) * 1000).toFixed(0)} ms   ratio ${ratio.toFixed(2)}`;
    console.log(
      `${shape.padEnd(6)} ${(seconds * 1000).toFixed(0).padStart(6)} ms a step  ${tokensPerSecond.toFixed(0).padStart(5)} tokens/s${beside}`,
    );
  }
  const gigabytes = (side: Side) => `${(side.peakMemoryBytes() / 1e9).toFixed(2)} GB`;
  console.log(`peak memory ${gigabytes(own)}${peer === undefined ? "" : `, PEFT ${gigabytes(peer)}`}`);
}

function summary(results: readonly Result[], own: Side, peer: Side | undefined, threads: number) {
  const by = (value: (result: Result) => number | undefined) =>
    Object.fromEntries(results.map((result) => [result.shape, value(result) ?? null]));
  return {
    bench: "train",
    threads,
    secondsPerStep: by(({ seconds }) => seconds),
    tokensPerSecond: by(({ tokensPerSecond }) => tokensPerSecond),
    peerSecondsPerStep: by(({ peerSeconds }) => peerSeconds),
    loraVsPeftFp32: by(({ ratio }) => ratio),
    peakMemoryBytes: own.peakMemoryBytes(),
    peerPeakMemoryBytes: peer?.peakMemoryBytes() ?? null,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : mean(sorted.slice(middle - 1, middle + 1));
}
