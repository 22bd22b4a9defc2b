// What the loop makes of a loss that explodes: on a real engine, one step of which is made to tell a broken loss.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { openBase } from "./base.ts";
import { Checkpoints } from "./checkpoint.ts";
import { commonDefaults, loraDefaults } from "./defaults.ts";
import { type Engine, startEngine } from "./engine.ts";
import { writeTinyLlama } from "./fixtures/tiny-llama.ts";
import { type Outcome, trainingLoop } from "./loop.ts";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "sartor-loop-"));
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test.each([Number.NaN, 1e9])("a loss of %d after a good epoch ends the run with that epoch's weights", async (loss) => {
  const { outcome, parameters } = await runUntil(5, loss);
  expect(outcome).toMatchObject({ stoppedEarly: true, step: 4, best: { epoch: 1 } });
  expect(outcome.diverged).toMatch(/^Training diverged at step 5 of 9: loss .*, learning rate .*\. Lower the learning rate\.$/);
  expect(parameters.some((value) => value !== 0)).toBe(true);
  expect(parameters).toEqual((await runUntil(3)).parameters);
});

test("a loss that explodes before any epoch has ended is an error", async () => {
  await expect(runUntil(2, Number.NaN)).rejects.toThrow(/^Training diverged at step 2 of 9: loss NaN/);
});

let runs = 0;

/** Three epochs of three steps; step `last` is the last one, with a broken loss where one is given. */
async function runUntil(last: number, loss?: number): Promise<{ readonly outcome: Outcome; readonly parameters: Float32Array }> {
  const own = join(folder, String(++runs));
  const { config, read } = await openBase(await writeTinyLlama(folder));
  await using engine = await startEngine({ runtime, config, method: { kind: "lora", rank: 2, alpha: 4 }, read, folder });
  await engine.write("parameter", new Float32Array(engine.size).fill(0.01), 0);
  const broken: Engine = {
    ...engine,
    step: async (update, options) => ({
      ...(await engine.step(update, options)),
      ...(options.step === last && loss !== undefined && { loss }),
    }),
  };
  const train = Array.from({ length: 12 }, (_, index) => ({ tokens: [1, index, 2, 63 - index], promptLength: 2 }));
  const running = trainingLoop(broken, {
    ...commonDefaults,
    ...loraDefaults,
    train,
    validation: [],
    epochs: 3,
    batchSize: 4,
    ...(loss === undefined && { maxSteps: last }),
    // One schedule for whatever number of steps.
    schedule: "constant",
    warmup: 0,
    checkpointEvery: 50,
    checkpoints: new Checkpoints({ folder: own, key: "" }),
    now: () => 0,
  });
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return { outcome: value, parameters: await engine.read("parameter", 0, engine.size) };
  }
}
