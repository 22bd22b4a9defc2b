// Is the training engine exact? The demo model's steps, logits, adapters and merges beside PyTorch + PEFT and llama.cpp, as one table.
// The peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startRuntime } from "../src/runtime/runtime.ts";
import { tuneLora } from "../src/train/tune-lora.ts";
import type { LoraTensor } from "../src/weights/lora.ts";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";
import { type Finding, holds } from "./exactness/finding.ts";
import { writeHuggingFace } from "./exactness/hugging-face.ts";
import { type Peer, startPeer } from "./exactness/peer.ts";
import { compareContinuations, compareLogits, compareMerged } from "./exactness/served.ts";
import { makeSetting, type TrainingSetting } from "./exactness/setting.ts";
import { compareExport, compareSteps } from "./exactness/steps.ts";

const defaultPython = fileURLToPath(new URL("../.peer/bin/python", import.meta.url));
/** Steps of the adapter that continuations and merges are tried with. */
const TUNED = 40;

/**
 * `--python <path>` has the packages of the peer; `--prompts <n>` continues fewer than 100; `--threads <n>` trains with fewer than all;
 * `--folder <path>` keeps the work and goes on with it.
 */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const text = { type: "string" } as const;
  const values = readArguments(given, { python: text, prompts: text, threads: text, folder: text });
  const { python = defaultPython, prompts = "100", threads = String(availableParallelism()), folder: kept } = values;
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "sartor-exactness-")));
  await mkdir(folder, { recursive: true });
  try {
    await using runtime = startRuntime({ threads: Number(threads) });
    const setting = await makeSetting({ folder, runtime, threads: Number(threads), data, heldOut: Number(prompts) });
    if (!existsSync(python))
      console.log(`No ${python}, so no peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt`);
    const findings = await compareAll(setting, existsSync(python) ? python : undefined);
    if (json)
      console.log(JSON.stringify({ bench: "exactness", findings: Object.fromEntries(findings.map(({ name, value }) => [name, value])) }));
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function compareAll(setting: TrainingSetting, python: string | undefined): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const show = (found: readonly Finding[]) => {
    findings.push(...found);
    for (const finding of found) console.error(row(finding).join("  "));
  };
  const tensors = await tuned(setting);
  const logits = await compareLogits(setting);
  show(logits.findings);
  show(await compareMerged(setting, tensors));
  show(await compareContinuations(setting, { tensors, deviations: logits.deviations }));
  if (python !== undefined) {
    await using peer = await openPeer(setting, python);
    show([await compareExport(setting, peer, tensors)]);
    show(await compareSteps(setting, peer));
  }
  printTable(["what", "found", "bound", "holds", "note"], findings.map(row));
  return findings;
}

async function openPeer({ folder, base, threads }: TrainingSetting, python: string): Promise<Peer> {
  await writeHuggingFace(base, join(folder, "hugging-face"));
  return startPeer({ python, folder: join(folder, "hugging-face"), threads });
}

/** A short adapter on real data. */
async function tuned({ runtime, files, folder, texts }: TrainingSetting): Promise<readonly LoraTensor[]> {
  const options = {
    train: texts.train,
    validation: [],
    epochs: 1,
    maxSteps: TUNED,
    checkpointEvery: 10,
    checkpointFolder: join(folder, "tuning"),
  };
  for await (const event of tuneLora({ runtime, basePath: files.f32, ...options })) if (event.kind === "done") return event.adapter;
  throw new Error("Tuning ended without an adapter.");
}

function row(finding: Finding): readonly string[] {
  const { what, value, bound, note = "" } = finding;
  const limit = bound === undefined ? "" : "atMost" in bound ? `<= ${bound.atMost}` : `>= ${bound.atLeast}`;
  return [what, shown(value), limit, bound === undefined ? "" : holds(finding) ? "yes" : "NO", note];
}

const shown = (value: number): string => (value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : value.toFixed(3));
