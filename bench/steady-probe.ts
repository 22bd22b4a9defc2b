// A training run in a process of its own, watched from beside it: how long anything else had to wait for its turn, and the memory held.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { startRuntime } from "../src/runtime/runtime.ts";
import type { TrainingEvent } from "../src/train/events.ts";
import { pretrain } from "../src/train/pretrain.ts";
import { tuneFull } from "../src/train/tune-full.ts";
import { tuneLora } from "../src/train/tune-lora.ts";
import { seededRandom } from "../src/util/random.ts";
import type { SteadyRequest, SteadyResult } from "./steady.ts";

const {
  kind,
  config,
  basePath,
  checkpointFolder,
  steps,
  checkpointEvery,
  sequences: count,
  tokens,
  threads,
} = JSON.parse(process.argv[2]!) as SteadyRequest;
const random = seededRandom("steady");
const sequences = Array.from({ length: count }, () => ({
  tokens: Array.from({ length: tokens }, () => random.integer(config.vocabulary)),
  promptLength: tokens - 16,
}));
const shared = {
  runtime: startRuntime({ threads }),
  train: sequences,
  validation: sequences.slice(0, 8),
  epochs: steps,
  maxSteps: steps,
  patience: steps,
  batchSize: 8,
  learningRate: 1e-5,
  checkpointFolder,
  checkpointEvery,
};
const runs: { readonly [K in SteadyRequest["kind"]]: () => AsyncIterable<TrainingEvent<unknown>> } = {
  lora: () => tuneLora({ ...shared, basePath }),
  full: () => tuneFull({ ...shared, basePath }),
  pretrain: () => pretrain({ ...shared, config }),
};

/** Milliseconds that the main thread has computed so far: on a busy machine a turn lasts longer than it computes. */
function computed(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let [last, longestTurn] = [computed(), 0];
setInterval(() => {
  const now = computed();
  longestTurn = Math.max(longestTurn, now - last);
  last = now;
}, 1);
const held: number[] = [];
for await (const event of runs[kind]()) {
  if (event.kind === "step" && event.step % (steps / 4) === 0) held.push(process.memoryUsage.rss());
}
const result: SteadyResult = { longestTurn, longestDelay: delay.max / 1e6, usualDelay: delay.percentile(99) / 1e6, held };
console.log(JSON.stringify(result));
process.exit(0);
