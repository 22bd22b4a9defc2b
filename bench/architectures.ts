// Tiny random models of every architecture: how far the training graph is from transformers, bare and with the adapter that PEFT loads.
// The peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Runtime, startRuntime } from "../src/runtime/runtime.ts";
import { openBase } from "../src/train/base.ts";
import { logits } from "../src/train/logits.ts";
import { tuneLora } from "../src/train/tune-lora.ts";
import { seededRandom } from "../src/util/random.ts";
import { writePeftAdapter } from "../src/weights/peft-adapter.ts";
import { writeSafetensors } from "../src/weights/safetensors.ts";
import { tinyArchitectures, writeTinyArchitecture } from "../test/support/tiny-architectures.ts";

export interface ArchitecturesOptions {
  /** Print one line of JSON last. */
  readonly json: boolean;
  /** A Python with the packages of bench/peer/requirements.txt. */
  readonly python?: string;
}

/** The largest gaps of log-probabilities over the whole vocabulary. */
interface Gaps {
  readonly name: string;
  readonly bare: number;
  readonly adapted: number;
}

export async function run({
  json,
  python = fileURLToPath(new URL("../.peer/bin/python", import.meta.url)),
}: ArchitecturesOptions): Promise<void> {
  if (!existsSync(python)) {
    console.log(`No ${python}, so no peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "sartor-architectures-"));
  try {
    await using runtime = startRuntime({ threads: 1 });
    for (const name of Object.keys(tinyArchitectures)) await writeCase(runtime, join(folder, name), name);
    const { stdout } = await promisify(execFile)(python, [fileURLToPath(new URL("peer/architectures.py", import.meta.url)), folder]);
    const gaps = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Gaps);
    console.log("architecture      bare model   with adapter   (largest gap of log-probabilities from transformers and PEFT)");
    for (const { name, bare, adapted } of gaps) console.log(`${name.padEnd(18)}${bare.toExponential(1)}      ${adapted.toExponential(1)}`);
    if (json) console.log(JSON.stringify(gaps));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeCase(runtime: Runtime, folder: string, name: string): Promise<void> {
  await mkdir(folder);
  const basePath = join(folder, "base.gguf");
  await writeTinyArchitecture(basePath, name);
  const { config, file, read } = await openBase(basePath);
  const random = seededRandom(name);
  const draw = (count: number) => Array.from({ length: count }, () => 3 + random.integer(250));
  const tokens = draw(60);
  const { architecture, rank, alpha, adapter } = await tuned(runtime, basePath, draw);
  const { heads, kvHeads, vocabulary } = config;
  await writePeftAdapter({ folder: join(folder, "peft"), baseModel: name, architecture, alpha, tensors: adapter, heads, kvHeads });
  const bare = await logits({ runtime, basePath, tokens });
  const adapted = await logits({ runtime, basePath, tokens, adapter: { rank, alpha, tensors: adapter } });
  const shape = [tokens.length, vocabulary];
  await writeSafetensors({
    path: join(folder, "logits.safetensors"),
    tensors: Object.entries({ bare, adapted }).map(([key, { data }]) => ({ name: key, shape, type: "F32", data })),
  });
  const weights = [];
  for (const { name: tensor, shape: of } of file.tensors.values())
    if (!tensor.startsWith("rope_")) weights.push({ name: tensor, shape: of, type: "F32" as const, data: await read(tensor) });
  await writeSafetensors({ path: join(folder, "weights.safetensors"), tensors: weights });
  await writeFile(join(folder, "model.json"), JSON.stringify({ config, tokens }));
}

async function tuned(runtime: Runtime, basePath: string, draw: (count: number) => number[]) {
  const train = Array.from({ length: 4 }, () => ({ tokens: draw(20), promptLength: 8 }));
  const events = tuneLora({ runtime, basePath, train, validation: [], epochs: 1, batchSize: 2, learningRate: 0.02, rank: 4 });
  for await (const event of events) if (event.kind === "done") return event;
  throw new Error("The run ended without its last event.");
}
