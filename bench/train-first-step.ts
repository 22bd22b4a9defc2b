// Seconds from starting a process to the first training step of the real model. Run by itself it is that process.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readEnvironment } from "../src/cli/environment.ts";
import { listModels } from "../src/model/model-files.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { tuneLora } from "../src/train/tune-lora.ts";

const name = "smollm2-135m-instruct";

/** One figure, or none where the model has not been fetched. */
export async function secondsToFirstStep(threads: number): Promise<readonly number[]> {
  const { modelsFolder, extraFolders } = readEnvironment();
  const model = (await listModels({ modelsFolder, extraFolders })).find(({ entry }) => entry.name === name)?.local;
  if (model === undefined) return [];
  const script = fileURLToPath(import.meta.url);
  const started = performance.now();
  const child = spawn(process.execPath, ["--import", "tsx", script, model.files[0].path, String(threads)], { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`The first step was not reached: exit code ${String(code)}.`);
  return [(performance.now() - started) / 1000];
}

async function firstStep(basePath: string, threads: number): Promise<void> {
  await using runtime = startRuntime({ threads });
  const train = Array.from({ length: 8 }, (_, row) => ({
    tokens: Array.from({ length: 65 }, (__, at) => 100 + row + at),
    promptLength: 48,
  }));
  for await (const { kind } of tuneLora({ basePath, runtime, train, validation: [], maxSteps: 1 })) if (kind === "step") process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await firstStep(process.argv[2]!, Number(process.argv[3]));
