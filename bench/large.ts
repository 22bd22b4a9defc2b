// Models beyond the demo's: LoRA on one of half a billion weights, from a quantised file and from one of more than 2 GB of float32.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { decoderParameters } from "../src/nn/architectures.ts";
import type { DecoderConfig } from "../src/nn/config.ts";
import { allParameters } from "../src/nn/parameters.ts";
import { llamaMetadata } from "../src/train/fixtures/tiny-llama.ts";
import { estimateTraining } from "../src/train/estimate.ts";
import { seededRandom } from "../src/util/random.ts";
import { type TensorToWrite, writeGguf } from "../src/weights/gguf-write.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { probe } from "./estimate.ts";

/** As Qwen2.5-0.5B: 494 million weights, 136 million of them the table. */
const config: DecoderConfig = {
  architecture: "llama",
  layers: 24,
  width: 896,
  heads: 14,
  kvHeads: 2,
  headDim: 64,
  hidden: 4864,
  vocabulary: 151_936,
  context: 2048,
  ropeBase: 1_000_000,
  epsilon: 1e-6,
  tied: true,
};

const shape = { kind: "lora", batchSize: 4, time: 128, learnt: 32 } as const;

/** `--steps` (3) of LoRA each; `--threads`. */
export async function run({ json, arguments: given }: BenchOptions): Promise<void> {
  const { steps = "3", threads = String(availableParallelism()) } = readArguments(given, {
    steps: { type: "string" },
    threads: { type: "string" },
  });
  const folder = await mkdtemp(join(tmpdir(), "sartor-large-"));
  const rows = [];
  try {
    for (const type of ["Q8_0", "F32"] as const) {
      const path = join(folder, `${type}.gguf`);
      await writeGguf({ path, metadata: llamaMetadata(config), tensors: randomWeights(type) });
      const { size } = await stat(path);
      const sequences = Array.from({ length: shape.batchSize }, () => ({
        tokens: shape.time + 1,
        promptLength: shape.time + 1 - shape.learnt,
      }));
      const { memoryBytes } = estimateTraining({ ...shape, config, quantised: type === "Q8_0", sequences, epochs: 1 });
      const result = await probe({ ...shape, config, basePath: path, steps: Number(steps), threads: Number(threads) });
      rows.push({ type, fileBytes: size, estimatedBytes: memoryBytes, ...result });
      await rm(path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`LoRA, 494 million weights, ${shape.batchSize} x ${shape.time}, ${shape.learnt} learnt of each`);
  printTable(
    ["file", "GB", "GB held", "estimated", "first step s", "s a step"],
    rows.map(({ type, fileBytes, peakMemoryBytes, estimatedBytes, startSeconds, secondsPerStep }) => [
      type,
      ...[fileBytes, peakMemoryBytes, estimatedBytes].map((bytes) => figure(bytes / 1e9)),
      startSeconds.toFixed(1),
      secondsPerStep.toFixed(2),
    ]),
  );
  if (json) console.log(JSON.stringify({ bench: "large", rows }));
}

/** One stretch of random numbers, repeated: what they are changes no time and no memory. */
function* randomWeights(type: "Q8_0" | "F32"): Iterable<TensorToWrite> {
  const random = seededRandom("large");
  const numbers = Float32Array.from({ length: 65_521 }, () => 0.03 * random.normal());
  for (const { parts, shape: dims, kind } of allParameters(decoderParameters(config))) {
    for (const { tensor, rows } of parts) {
      const count = rows * (dims[1] ?? 1);
      const data = () => Float32Array.from({ length: count }, (_, index) => (kind === "norm" ? 1 : numbers[index % 65_521]!));
      yield { name: tensor, shape: dims.length === 1 ? [rows] : [rows, dims[1]!], type: kind === "norm" ? "F32" : type, data };
    }
  }
}
