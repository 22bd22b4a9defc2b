// What is estimated before a run beside what it takes: memory, and time from the speed of one calibrating run. Each run in its own process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { DecoderConfig } from "../src/nn/config.ts";
import { openBase } from "../src/train/base.ts";
import { estimateTraining } from "../src/train/estimate.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { demoModel } from "./demo-model.ts";

interface Shape {
  readonly name: string;
  readonly kind: "lora" | "full" | "pretrain";
  readonly lastLayers?: number;
  readonly batchSize: number;
  readonly time: number;
  /** Tokens of each sequence that are learnt. */
  readonly learnt: number;
}

export interface ProbeRequest extends Omit<Shape, "name"> {
  readonly config: DecoderConfig;
  readonly basePath: string;
  readonly steps: number;
  readonly threads: number;
}

export interface ProbeResult {
  /** To the end of the first step. */
  readonly startSeconds: number;
  readonly secondsPerStep: number;
  readonly processorSecondsPerStep: number;
  readonly peakMemoryBytes: number;
}

/** The first is what the others' time is told from. */
const shapes: readonly Shape[] = [
  { name: "LoRA 8 x 96, 16 learnt", kind: "lora", batchSize: 8, time: 96, learnt: 16 },
  { name: "LoRA 8 x 64, 16 learnt", kind: "lora", batchSize: 8, time: 64, learnt: 16 },
  { name: "LoRA 2 x 256, all learnt", kind: "lora", batchSize: 2, time: 256, learnt: 256 },
  { name: "LoRA 1 x 1024, 64 learnt", kind: "lora", batchSize: 1, time: 1024, learnt: 64 },
  { name: "LoRA 1 x 2048, 64 learnt", kind: "lora", batchSize: 1, time: 2048, learnt: 64 },
  { name: "last two layers, 8 x 64, 16 learnt", kind: "full", lastLayers: 2, batchSize: 8, time: 64, learnt: 16 },
  { name: "all weights, 8 x 64, 16 learnt", kind: "full", batchSize: 8, time: 64, learnt: 16 },
  { name: "from scratch, 1.5M, 16 x 128, all learnt", kind: "pretrain", batchSize: 16, time: 128, learnt: 128 },
];

const scratch: DecoderConfig = {
  architecture: "llama",
  layers: 4,
  width: 128,
  headDim: 32,
  heads: 4,
  kvHeads: 4,
  hidden: 384,
  vocabulary: 2048,
  context: 512,
  ropeBase: 10_000,
  epsilon: 1e-5,
  tied: true,
};

interface Row extends ProbeResult {
  readonly name: string;
  readonly estimatedBytes: number;
  readonly operations: number;
}

/** `--steps` (4) of each run; `--only` runs the shapes whose name holds a text; time is processor time with `--threads 1`. */
export async function run({ json, arguments: given }: BenchOptions): Promise<void> {
  const {
    steps = "4",
    only = "",
    threads = String(availableParallelism()),
  } = readArguments(given, { steps: { type: "string" }, only: { type: "string" }, threads: { type: "string" } });
  const basePath = await demoModel();
  const { config } = await openBase(basePath);
  const rows: Row[] = [];
  for (const { name: title, ...shape } of shapes.filter((one) => one.name.includes(only))) {
    const own = shape.kind === "pretrain" ? scratch : config;
    const sequences = Array.from({ length: shape.batchSize }, () => ({
      tokens: shape.time + 1,
      promptLength: shape.time + 1 - shape.learnt,
    }));
    const { memoryBytes, operations } = estimateTraining({
      ...shape,
      config: own,
      sequences,
      epochs: 1,
    });
    const result = await probe({ ...shape, config: own, basePath, steps: Number(steps), threads: Number(threads) });
    rows.push({ name: title, ...result, estimatedBytes: memoryBytes, operations });
    console.error(line(rows.at(-1)!, rows[0]!).join("  "));
  }
  printTable(
    ["run", "MB held", "estimated", "ratio", "start s", "s a step", "processor s", "estimated", "ratio"],
    rows.map((row) => line(row, rows[0]!)),
  );
  if (json) console.log(JSON.stringify({ bench: "estimate", threads: Number(threads), rows }));
}

/** A run in a process of its own. */
export async function probe(request: ProbeRequest): Promise<ProbeResult> {
  const script = fileURLToPath(new URL("estimate-probe.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(request)], { stdio: ["ignore", "pipe", "inherit"] });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The run ended with code ${String(code)}.`);
  return JSON.parse(out) as ProbeResult;
}

function line(row: Row, calibrating: Row): readonly string[] {
  const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6));
  const estimated = (row.operations * calibrating.processorSecondsPerStep) / calibrating.operations;
  return [
    row.name,
    megabytes(row.peakMemoryBytes),
    megabytes(row.estimatedBytes),
    figure(row.estimatedBytes / row.peakMemoryBytes),
    row.startSeconds.toFixed(1),
    row.secondsPerStep.toFixed(2),
    row.processorSecondsPerStep.toFixed(2),
    estimated.toFixed(2),
    figure(estimated / row.processorSecondsPerStep),
  ];
}
