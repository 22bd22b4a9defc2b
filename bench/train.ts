// Speed and memory of training at SmolLM2-135M's shape, beside PyTorch (and PEFT) in fp32, in turns on the same machine.
// The peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { mean } from "../src/util/mean.ts";
import { seededRandom } from "../src/util/random.ts";
import { printTable } from "./bench.ts";
import { secondsToFirstStep } from "./train-first-step.ts";
import { type Method, ownSide, peerSide, type Side, type Work } from "./train-sides.ts";

export interface BenchOptions {
  /** Print one line of JSON last. */
  readonly json: boolean;
  /** A Python with the packages of bench/peer/requirements.txt. */
  readonly python?: string;
  /** One method's rows, or "first step", instead of all. */
  readonly only?: string;
}

interface Row extends Work {
  readonly name: string;
}

const alike = (batch: number, length: number, completion: number): Work => ({
  batches: [Array.from({ length: batch }, () => ({ length, completion }))],
  batchTokens: batch * length,
});

/** Lengths as they come: ours are batched by length, the peer's in the order of the data, as its trainers do. */
function mixed(): Work {
  const random = seededRandom("mixed");
  const lengths = Array.from({ length: 32 }, () => 24 + Math.floor(232 * random.next() ** 2));
  const sequences = lengths.map((length) => ({ length, completion: Math.ceil(length / 4) }));
  return { batches: [0, 8, 16, 24].map((start) => sequences.slice(start, start + 8)), batchTokens: 512 };
}

const loraRows: readonly Row[] = [
  { name: "2x256, every row", ...alike(2, 256, 256) },
  { name: "2x256, 25 % of rows", ...alike(2, 256, 64) },
  { name: "8x64, 16 of each", ...alike(8, 64, 16) },
  { name: "24 to 256, 25 %", ...mixed() },
];
const fullRows: readonly Row[] = [{ name: "2x256, every row", ...alike(2, 256, 256) }];

const rowsOf: { readonly [M in Method]: readonly Row[] } = { lora: loraRows, "fast lora": loraRows, full: fullRows };

const WARM_UP = 2;
const ROUNDS = 3;
const STARTS = 5;

interface Result {
  readonly method: Method;
  readonly row: string;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly peakMemoryBytes: number;
  readonly peerSeconds?: number;
  readonly peerPeakMemoryBytes?: number;
  readonly ratio?: number;
}

export async function run({
  json,
  only,
  python = fileURLToPath(new URL("../.peer/bin/python", import.meta.url)),
}: BenchOptions): Promise<void> {
  const threads = availableParallelism();
  const peer = existsSync(python) ? python : undefined;
  if (peer === undefined)
    console.log(`No ${python}, so no peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt`);
  const results: Result[] = [];
  for (const [method, rows] of Object.entries(rowsOf) as readonly [Method, readonly Row[]][])
    if (only === undefined || only === method) results.push(...(await compare(method, rows, threads, peer)));
  const firstSteps = only === undefined || only === "first step" ? await secondsToFirstStep(threads, STARTS) : [];
  const firstStep = firstSteps.length === 0 ? undefined : median(firstSteps);
  printTable(
    ["", "", "ms", "tokens/s", "GB", "peer ms", "peer GB", "ratio"],
    results.map(({ method, row, seconds, tokensPerSecond, peakMemoryBytes, peerSeconds, peerPeakMemoryBytes, ratio }) => [
      method,
      row,
      (1000 * seconds).toFixed(0),
      tokensPerSecond.toFixed(0),
      (peakMemoryBytes / 1e9).toFixed(2),
      ...(peerSeconds === undefined ? ["", ""] : [(1000 * peerSeconds).toFixed(0), ((peerPeakMemoryBytes ?? 0) / 1e9).toFixed(2)]),
      ratio?.toFixed(2) ?? "",
    ]),
  );
  console.log(
    firstStep === undefined
      ? "first step: not measured (not asked for, or the model is not fetched)"
      : `first step ${firstStep.toFixed(1)} s after a cold start of the built program (median of ${firstSteps.map((seconds) => seconds.toFixed(1)).join(", ")})`,
  );
  console.log("PyTorch in bf16 on AMX: not measured here unless the processor has it; run the peer with --bf16.");
  if (json) console.log(JSON.stringify(summary(results, threads, firstStep)));
}

/** Both sides in turns, so that what else the machine does falls on both. Each side is a process of its own, so that peaks are its own. */
async function compare(method: Method, rows: readonly Row[], threads: number, python: string | undefined): Promise<readonly Result[]> {
  await using own = ownSide(method, threads);
  await using peer = python === undefined ? undefined : peerSide(python, method, threads);
  const results: Result[] = [];
  for (const row of rows) {
    const result = { method, ...(await compareRow(row, own, peer)) };
    results.push(result);
    // A run takes a quarter of an hour: what it has found is there if it is cut.
    console.error(`${method}, ${row.name}: ${(1000 * result.seconds).toFixed(0)} ms, ratio ${result.ratio?.toFixed(2) ?? "not measured"}`);
  }
  return results;
}

async function compareRow(row: Row, own: Side, peer: Side | undefined): Promise<Omit<Result, "method">> {
  await own.take(row, WARM_UP);
  await peer?.take(row, WARM_UP);
  const [mine, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const seconds = await own.take(row, 2);
    mine.push(...seconds);
    const others = (await peer?.take(row, 2)) ?? [];
    theirs.push(...others);
    ratios.push(mean(others) / mean(seconds));
  }
  const seconds = median(mine);
  const tokens = row.batches.flat().reduce((sum, { length }) => sum + length, 0);
  const result = { row: row.name, seconds, tokensPerSecond: tokens / seconds, peakMemoryBytes: own.peakMemoryBytes() };
  if (peer === undefined) return result;
  return { ...result, peerSeconds: median(theirs), peerPeakMemoryBytes: peer.peakMemoryBytes(), ratio: median(ratios) };
}

function summary(results: readonly Result[], threads: number, firstStepSeconds: number | undefined) {
  const ratioOf = (method: Method) =>
    Object.fromEntries(results.filter((one) => one.method === method).map(({ row, ratio }) => [row, ratio ?? null]));
  return {
    bench: "train",
    threads,
    loraVsPeftFp32: ratioOf("lora"),
    fastLoraVsPeftFp32: ratioOf("fast lora"),
    fullVsTorchFp32: ratioOf("full"),
    firstStepSeconds: firstStepSeconds ?? null,
    results,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : mean(sorted.slice(middle - 1, middle + 1));
}
