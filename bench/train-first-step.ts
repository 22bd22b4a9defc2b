// Seconds from starting a process of the built program to the first training step of the real model.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEnvironment } from "../src/cli/environment.ts";
import { listModels } from "../src/model/model-files.ts";

const name = "smollm2-135m-instruct";
const built = new URL("../dist/", import.meta.url);

/** What the process runs: without a compiler of TypeScript in it, as for everybody who has the package. */
const script = `
import { startRuntime } from ${JSON.stringify(new URL("runtime/runtime.js", built))};
import { tuneLora } from ${JSON.stringify(new URL("train/tune-lora.js", built))};
const [basePath, threads] = process.argv.slice(2);
const runtime = startRuntime({ threads: Number(threads) });
const train = Array.from({ length: 8 }, (_, row) => ({
  tokens: Array.from({ length: 65 }, (__, at) => 100 + row + at),
  promptLength: 48,
}));
for await (const { kind } of tuneLora({ basePath, runtime, train, validation: [], maxSteps: 1 })) if (kind === "step") process.exit(0);
`;

/** Seconds of each of so many starts, one after another; none where the model has not been fetched. */
export async function secondsToFirstStep(threads: number, starts: number): Promise<readonly number[]> {
  const { modelsFolder, extraFolders } = readEnvironment();
  const model = (await listModels({ modelsFolder, extraFolders })).find(({ entry }) => entry.name === name)?.local;
  if (model === undefined) return [];
  await succeeded("npm", ["run", "--silent", "build"]);
  const folder = await mkdtemp(join(tmpdir(), "sartor-first-step-"));
  const path = join(folder, "first-step.mjs");
  await writeFile(path, script);
  const seconds: number[] = [];
  for (let start = 0; start < starts; start++) {
    const started = performance.now();
    await succeeded(process.execPath, [path, model.files[0].path, String(threads)]);
    seconds.push((performance.now() - started) / 1000);
  }
  await rm(folder, { recursive: true });
  return seconds;
}

async function succeeded(command: string, given: readonly string[]): Promise<void> {
  const child = spawn(command, given, { stdio: "inherit", shell: command === "npm" && process.platform === "win32" });
  const [code]: unknown[] = await once(child, "exit");
  if (code !== 0) throw new Error(`${command} ${given[0]!} ended with exit code ${String(code)}.`);
}
