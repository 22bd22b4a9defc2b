// A short training run in a process of its own: what it held at most, and how long its steps took. Reads a shape, prints one line of JSON.
import { startRuntime } from "../src/runtime/runtime.ts";
import type { TrainingEvent } from "../src/train/events.ts";
import { pretrain } from "../src/train/pretrain.ts";
import { tuneFull } from "../src/train/tune-full.ts";
import { tuneLora } from "../src/train/tune-lora.ts";
import { seededRandom } from "../src/util/random.ts";
import type { ProbeRequest, ProbeResult } from "./estimate.ts";

const { kind, config, basePath, lastLayers, batchSize, time, learnt, steps, threads } = JSON.parse(process.argv[2]!) as ProbeRequest;
const random = seededRandom("probe");
const sequences = Array.from({ length: batchSize }, () => ({
  tokens: Array.from({ length: time + 1 }, () => random.integer(config.vocabulary)),
  promptLength: time + 1 - learnt,
}));
const shared = { runtime: startRuntime({ threads }), train: sequences, validation: sequences, batchSize, epochs: steps, patience: steps };
const runs: { readonly [K in ProbeRequest["kind"]]: () => AsyncIterable<TrainingEvent<unknown>> } = {
  lora: () => tuneLora({ ...shared, basePath }),
  full: () => tuneFull({ ...shared, basePath, ...(lastLayers === undefined ? {} : { lastLayers }) }),
  pretrain: () => pretrain({ ...shared, config }),
};

const seconds = () => performance.now() / 1000;
const processorSeconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const began = seconds();
let [start, at, processorAt] = [0, 0, 0];
const each: { readonly seconds: number; readonly processorSeconds: number }[] = [];
for await (const event of runs[kind]()) {
  // The first step warms up, and an epoch's end measures validation.
  if (event.kind === "step" && event.step === 1) start = seconds() - began;
  if (event.kind === "step" && event.step > 1) each.push({ seconds: seconds() - at, processorSeconds: processorSeconds() - processorAt });
  [at, processorAt] = [seconds(), processorSeconds()];
}
const middle = (of: (one: (typeof each)[number]) => number): number => each.map(of).toSorted((a, b) => a - b)[Math.floor(each.length / 2)]!;
const result: ProbeResult = {
  startSeconds: start,
  secondsPerStep: middle((one) => one.seconds),
  processorSecondsPerStep: middle((one) => one.processorSeconds),
  peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(result));
process.exit(0);
