// Whether training leaves the event loop to others, and holds no more memory from step to step. Each run in its own process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { checkConfig, type DecoderConfig } from "../src/nn/config.ts";
import { openBase } from "../src/train/base.ts";
import { tinyConfig, writeTinyLlama } from "../src/train/fixtures/tiny-llama.ts";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";
import { demoModel } from "./demo-model.ts";

export interface SteadyRequest {
  readonly kind: "lora" | "full" | "pretrain";
  readonly config: DecoderConfig;
  readonly basePath: string;
  readonly checkpointFolder: string;
  /** A multiple of four. */
  readonly steps: number;
  readonly checkpointEvery: number;
  /** Sequences, and tokens of each. */
  readonly sequences: number;
  readonly tokens: number;
  readonly threads: number;
}

export interface SteadyResult {
  /** Milliseconds that the main thread computed at a stretch, at most. */
  readonly longestTurn: number;
  /** Milliseconds that a timer came late, at most and in 99 of 100 cases: what else the machine does is in it. */
  readonly longestDelay: number;
  readonly usualDelay: number;
  /** Bytes after each quarter of the steps. */
  readonly held: readonly number[];
}

/** `--steps` (8) of the demo model; 1,000 of a tiny one. */
export async function run({ json, arguments: given }: BenchOptions): Promise<void> {
  const { steps = "8", threads = String(availableParallelism()) } = readArguments(given, {
    steps: { type: "string" },
    threads: { type: "string" },
  });
  const folder = await mkdtemp(join(tmpdir(), "sartor-steady-"));
  try {
    const demo = await demoModel();
    const tiny = await writeTinyLlama(folder);
    const { config } = await openBase(demo);
    const few = { steps: Number(steps), checkpointEvery: Number(steps) / 2, sequences: 16, tokens: 64, threads: Number(threads) };
    const many = { ...few, steps: 1000, checkpointEvery: 50, sequences: 80, tokens: 40 };
    const scratch = checkConfig({ ...config, layers: 4, width: 256, headDim: 64, heads: 4, kvHeads: 4, hidden: 768 }, "The model");
    const requests: readonly (readonly [string, Omit<SteadyRequest, "checkpointFolder">])[] = [
      ["LoRA, demo model", { ...few, kind: "lora", config, basePath: demo }],
      ["all weights, demo model", { ...few, kind: "full", config, basePath: demo }],
      ["from scratch, its vocabulary", { ...few, kind: "pretrain", config: scratch, basePath: demo }],
      ["LoRA, tiny model, 1,000 steps", { ...many, kind: "lora", config: tinyConfig, basePath: tiny }],
    ];
    const rows: (readonly [string, SteadyResult])[] = [];
    for (const [index, [name, request]] of requests.entries())
      rows.push([name, await probe({ ...request, checkpointFolder: join(folder, String(index)) })]);
    print(rows);
    if (json) console.log(JSON.stringify({ bench: "steady", threads: Number(threads), results: Object.fromEntries(rows) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function probe(request: SteadyRequest): Promise<SteadyResult> {
  const script = fileURLToPath(new URL("steady-probe.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(request)], { stdio: ["ignore", "pipe", "inherit"] });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The run ended with code ${String(code)}.`);
  return JSON.parse(out) as SteadyResult;
}

function print(rows: readonly (readonly [string, SteadyResult])[]): void {
  console.log("Longest stretch that the main thread computed, lateness of timers, memory after each quarter of the steps");
  printTable(
    ["run", "stretch ms", "late ms", "99 %", "MB held"],
    rows.map(([name, { longestTurn, longestDelay, usualDelay, held }]) => [
      name,
      ...[longestTurn, longestDelay, usualDelay].map((value) => value.toFixed(0)),
      held.map((bytes) => Math.round(bytes / 1e6)).join(" "),
    ]),
  );
}
