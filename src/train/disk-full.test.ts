// A disk without room while a run writes: one line that says so, and what was kept before still stands. A limit on file sizes stands for it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeError } from "../errors.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { seededRandom } from "../util/random.ts";
import { writeGgufAdapter } from "../weights/gguf-adapter.ts";
import { writeTinyLlama } from "./fixtures/tiny-llama.ts";
import { type LoraResult, tuneLora } from "./tune-lora.ts";

let runtime: Runtime;
let folder: string;
let basePath: string;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "sartor-disk-"));
  basePath = await writeTinyLlama(folder);
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const random = seededRandom("disk");
const train = Array.from({ length: 8 }, () => ({ tokens: Array.from({ length: 6 }, () => random.integer(64)), promptLength: 2 }));
// Adapters of 1.1 MB: larger than every other file of the run, so that a limit can fall between the two.
const settings = { train, validation: [], rank: 200, alpha: 200, learningRate: 1e-3, epochs: 4, batchSize: 4, checkpointEvery: 1 };
const limitKilobytes = 600;

test.skipIf(process.platform === "win32")(
  "a full disk ends a run in one line, and with room again it goes on to the same bits",
  async () => {
    const checkpointFolder = join(folder, "checkpoints");
    const expected = await tune({});
    let steps = 0;
    for await (const event of run({ checkpointFolder })) if (event.kind === "step" && ++steps === 4) break;
    const kept = await readdir(checkpointFolder);

    const { code, out, error } = await limited({ ...settings, basePath, checkpointFolder });
    expect(error).toBe(
      `user error: Cannot write ${checkpointFolder}: a limit on file sizes was reached. Make room and run it again: it goes on from its last checkpoint.\n`,
    );
    expect({ code, first: out.split(" ")[0] }).toEqual({ code: 1, first: "4" });
    expect(await readdir(checkpointFolder)).toEqual(kept);
    expect((await tune({ checkpointFolder })).adapter).toEqual(expected.adapter);
  },
  60_000,
);

test("an adapter that cannot be written leaves no half file, and whatever is not the disk's stays what it was", async () => {
  const error = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  expect(writeError(error, "/tmp/x")).toMatchObject({
    name: "UserError",
    message: "Cannot write /tmp/x: there is no space left on the disk. Make room and run it again.",
    cause: error,
  });
  const other = Object.assign(new Error("EACCES"), { code: "EACCES" });
  expect(writeError(other, "/tmp/x")).toBe(other);

  await writeFile(join(folder, "file"), "");
  const path = join(folder, "file", "adapter.gguf");
  await expect(writeGgufAdapter({ path, architecture: "llama", alpha: 1, tensors: [] })).rejects.toThrow(/ENOTDIR|EEXIST/);
});

const run = (options: object) => tuneLora({ ...settings, runtime, basePath, ...options });

async function tune(options: object): Promise<LoraResult> {
  for await (const event of run(options)) if (event.kind === "done") return event;
  throw new Error("The run ended without its last event.");
}

/** The run in a process whose files can grow to the limit only. */
async function limited(options: object): Promise<{ readonly code: unknown; readonly out: string; readonly error: string }> {
  const script = fileURLToPath(new URL("fixtures/train-process.ts", import.meta.url));
  // `ulimit -f` counts blocks of 512 bytes (POSIX).
  const shell = `ulimit -f ${2 * limitKilobytes}; exec "$0" --import tsx "$1" "$2"`;
  const child = spawn("sh", ["-c", shell, process.execPath, script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, out, error };
}
