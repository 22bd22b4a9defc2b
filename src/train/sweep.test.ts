// A whole sweep on a random two-layer llama.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { writeTinyLlama } from "./fixtures/tiny-llama.ts";
import { type SweepEvent, sweepLora, type SweepLoraOptions } from "./sweep.ts";

let runtime: Runtime;
let folder: string;
let basePath: string;
beforeAll(async () => {
  runtime = startRuntime({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "sartor-sweep-"));
  basePath = await writeTinyLlama(folder);
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const train = Array.from({ length: 12 }, (_, index) => ({ tokens: [1, index, 2, 63 - index], promptLength: 2 }));
const options = { basePath: "", train, validation: train, batchSize: 4 } as const;
const grid = { learningRate: [1e-30, 1e-2, 1e30], epochs: [10], rank: [4] };

async function sweep(more: Partial<SweepLoraOptions>): Promise<readonly SweepEvent[]> {
  const events: SweepEvent[] = [];
  for await (const event of sweepLora({ ...options, runtime, basePath, grid, budgetTokens: 12 * 3 * 32, ...more })) events.push(event);
  return events;
}

test("the settings that learn are found, those that diverge or stand still are dropped, and the last run is theirs", async () => {
  const events = await sweep({});
  expect(events[0]).toMatchObject({ kind: "schedule", rungs: [{ trials: 3 }, { trials: 2 }, { trials: 1 }] });
  const done = events.at(-1);
  if (done?.kind !== "done") throw new Error("The sweep ended without its last event.");
  expect(done.settings).toMatchObject({ learningRate: 1e-2, rank: 4 });
  expect(done.trials.map(({ round }) => round)).toEqual([1, 1, 1, 2, 2, 3]);
  expect(done.run.losses.at(-1)?.validation).toBeLessThan(done.trials[0]?.validationLoss ?? 0);
  expect(done.run).toMatchObject({ rank: 4, alpha: 8 });
  expect(events.filter(({ kind }) => kind === "trial").map((event) => ({ ...event, kind: undefined }))).toEqual(
    done.trials.map((trial) => ({ ...trial, kind: undefined })),
  );
});

test("trials that only differ in epochs that they do not reach are trained once", async () => {
  const events = await sweep({ grid: { learningRate: [1e-2], epochs: [40, 20], rank: [4] } });
  const trained = events.flatMap((event) =>
    event.kind === "step" && event.round === 1 && event.step.step === 1 ? [event.settings.epochs] : [],
  );
  expect(trained).toEqual([40]);
  const first = events.filter((event) => event.kind === "trial" && event.round === 1);
  expect(first.length).toBe(2);
});

test("a sweep that was stopped goes on where it was", async () => {
  const checkpointFolder = join(folder, "sweep");
  const expected = (await sweep({ checkpointFolder })).at(-1);
  const events = await sweep({ checkpointFolder });
  // Only a trial that diverged, of which nothing is kept, takes its steps again.
  expect(events.flatMap((event) => (event.kind === "step" ? [event.settings.learningRate] : [])).filter((rate) => rate < 1)).toEqual([]);
  const done = events.at(-1);
  if (done?.kind !== "done" || expected?.kind !== "done") throw new Error("The sweep ended without its last event.");
  expect(done.run.adapter).toEqual(expected.run.adapter);
  expect(done.trials).toEqual(expected.trials);
});

test("a sweep needs validation, and something that learns", async () => {
  await expect(sweep({ validation: [] })).rejects.toThrow("There are no validation examples to choose settings by.");
  const broken = { ...grid, learningRate: [1e30] };
  await expect(sweep({ grid: broken })).rejects.toThrow("Every trial of the sweep diverged. Lower the learning rates.");
});
