// How the cost of a LoRA step grows with the length of a sequence, from 64 to 2,048 tokens, beside PyTorch + PEFT; one sequence a step,
// a quarter of it learnt.
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";
import { lengthsPlot, type Point } from "./lengths-plot.ts";
import { ownSide, peerSide, type Side } from "./train-sides.ts";

const lengths = [64, 128, 256, 512, 1024, 2048];
const PASSES = 2;

/** `--write` draws docs/lengths.svg; `--python <path>` as in `bench -- train`. */
export async function run({ json, arguments: given }: BenchOptions): Promise<void> {
  const { write = false, python = fileURLToPath(new URL("../.peer/bin/python", import.meta.url)) } = readArguments(given, {
    write: { type: "boolean" },
    python: { type: "string" },
  });
  const threads = availableParallelism();
  await using own = ownSide("lora", threads);
  await using peer = existsSync(python) ? peerSide(python, "lora", threads) : undefined;
  const points: Point[] = [];
  for (const tokens of lengths) {
    points.push({ side: "Sartor", ...(await measure(own, tokens)) });
    if (peer !== undefined) points.push({ side: "PyTorch + PEFT", ...(await measure(peer, tokens)) });
  }
  printTable(
    ["side", "tokens", "ms a step", "ms a token", "peak GB"],
    points.map(({ side, tokens, seconds, peakMemoryBytes }) => [
      side,
      String(tokens),
      (1000 * seconds).toFixed(0),
      ((1000 * seconds) / tokens).toFixed(2),
      (peakMemoryBytes / 1e9).toFixed(2),
    ]),
  );
  if (write) await writeFile(new URL("../docs/lengths.svg", import.meta.url), await lengthsPlot(points));
  if (json) console.log(JSON.stringify({ bench: "lengths", threads, points }));
}

/** The quickest of the passes after one that is not counted: what else the machine does only makes them slower. */
async function measure(side: Side, tokens: number): Promise<Omit<Point, "side">> {
  const work = { batches: [[{ length: tokens, completion: tokens / 4 }]], batchTokens: tokens };
  await side.take(work, 1);
  const seconds = Math.min(...(await side.take(work, PASSES)));
  return { tokens, seconds, peakMemoryBytes: side.peakMemoryBytes() };
}
