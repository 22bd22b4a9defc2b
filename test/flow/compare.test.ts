// The whole flow with a tiny random model: no test example reaches a strategy, a stopped run goes on, the same seed gives the same result.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { compare, type CompareEvent, type CompareResult } from "../../src/adapt.ts";
import type { EffortName } from "../../src/compare/plan.ts";
import { answeringPart, type Candidate } from "../../src/candidate.ts";
import { openServed } from "../../src/served.ts";
import { defaultModelsFolder } from "../../src/model/model-files.ts";
import { reportSchema } from "../../src/report/schema.ts";
import { stepsOf, strategies as registered } from "../../src/strategy/registry.ts";
import { realModel } from "../model/real-model.ts";
import { tinyEnvironment, type TinyTaskOptions, writeTinyTask } from "../support/tiny-task.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function tinyTask(options: Omit<TinyTaskOptions, "folder">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sartor-flow-"));
  folders.push(folder);
  await writeTinyTask({ folder, ...options });
  return folder;
}

async function run(
  path: string,
  { until, id = "run", ...rest }: { until?: (event: CompareEvent) => boolean; id?: string; repeats?: number; effort?: EffortName } = {},
): Promise<CompareResult | undefined> {
  const environment = { ...tinyEnvironment, modelsFolder: defaultModelsFolder(process.env) };
  const running = compare({ path, environment, id, now: new Date(0), effort: "brief", ...rest });
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
    if (until?.(value) === true) {
      await running.return(undefined as never);
      return undefined;
    }
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function candidatesOf(folder: string, id = "run"): Promise<{ [id: string]: unknown }> {
  const files = await filesBelow(join(folder, ".sartor", "runs", id, "candidates"));
  const candidates = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Candidate));
  return Object.fromEntries(candidates.map((candidate) => [candidate.id, portable(answeringPart(candidate))]));
}

/** The model of a task lies in the task's folder, which differs between two copies. */
const portable = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(/"[^"]*tiny\.gguf"/gu, '"tiny.gguf"'));

/** What may differ between equal runs: times, memory, ids. */
function stable({ report }: CompareResult): unknown {
  return report.candidates.map(({ id, score, metrics, tokens, parameters }) => ({
    id,
    score,
    metrics,
    tokens,
    steps: parameters.map((step) => [step.step, step.parameters]),
  }));
}

const forText = [
  "zero-shot",
  "few-shot",
  "knn-few-shot",
  "prompt",
  "nearest-example",
  "best-passage",
  "rag-tf-idf > abstain",
  "rag-bm25 > summarise",
  "rag-bm25 > compress",
  "lora > rag-bm25",
  "rag-bm25 > raft",
  "rag-bm25 > tune-text > closed-book > prompt",
  "full",
  "pretrain",
];
const forLabels = ["zero-shot", "tf-idf-linear", "nearest-example", "lora", "cascade", "route"];
const embedding = ["rag-dense", "rag-hybrid", "rag-convex"];
const encoder = await realModel("all-minilm-l6-v2");
const cases = [
  { output: "text", strategies: forText, skip: "" },
  { output: "labels", strategies: forLabels, skip: "" },
  { output: "text", strategies: embedding, skip: "missing" in encoder ? encoder.missing : "" },
] as const;

test("every strategy is in one of the cases below", () => {
  const steps = new Set(cases.flatMap((one) => one.strategies.flatMap(stepsOf)));
  expect(steps).toEqual(new Set(registered.map(({ name }) => name)));
});

test.for(cases)(
  "no test example reaches a strategy ($output, $strategies.length chains): all candidates are the same when the test is a canary",
  { timeout: 300_000 },
  async ({ output, strategies, skip }, { skip: leave }) => {
    if (skip !== "") leave(skip);
    const [plain, canary] = [await tinyTask({ output, strategies }), await tinyTask({ output, strategies, canary: "CANARYBIRD" })];
    const result = await run(plain);
    await run(canary);
    expect(await candidatesOf(canary)).toEqual(await candidatesOf(plain));
    for (const file of await filesBelow(join(canary, ".sartor", "candidates")))
      expect([file, (await readFile(file)).includes("CANARYBIRD")]).toEqual([file, false]);
    expect(reportSchema.parse(JSON.parse(await readFile(result!.files.json, "utf8")))).toEqual(result!.report);
    const told = [
      ...result!.report.candidates.map(({ strategy }) => strategy),
      ...result!.report.notRun.map(({ strategy }) => strategy.replace(/ \(.*\)$/u, "")),
    ];
    expect(told.toSorted()).toEqual([...strategies].toSorted());
  },
);

test("a run that is stopped while building and again while testing goes on and ends with the same result", async () => {
  const strategies = ["zero-shot", "few-shot", "rag-bm25", "lora", "nearest-example"];
  const [whole, cut] = [await tinyTask({ output: "text", strategies }), await tinyTask({ output: "text", strategies })];
  const expected = await run(whole);
  await run(cut, { until: (event) => event.kind === "built" && event.order.chain === "few-shot" });
  await run(cut, { until: (event) => event.kind === "evaluate" && event.done === 5, id: "second" });
  const resumed = await run(cut, { id: "third" });
  expect(resumed!.report.runId).toBe("run");
  expect(resumed!.report.testUses).toBe(1);
  expect(stable(resumed!)).toEqual(stable(expected!));
}, 300_000);

test("killed without warning while training, and again while answering, the same command ends with the same result", async () => {
  const strategies = ["zero-shot", "rag-bm25 > lora", "tf-idf-linear"];
  const [whole, cut] = [await tinyTask({ output: "labels", strategies }), await tinyTask({ output: "labels", strategies })];
  const expected = await run(whole);
  await killedAt(cut, "build lora", 2);
  await killedAt(cut, "evaluate ", 20);
  const resumed = await run(cut, { id: "last" });
  expect(resumed!.report.runId).toBe("run");
  expect(stable(resumed!)).toEqual(stable(expected!));
}, 300_000);

/** Starts the comparison as a process and kills it at the `count`th of these events. */
async function killedAt(path: string, event: string, count: number): Promise<void> {
  const script = fileURLToPath(new URL("../support/compare-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, path, "run"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) if (line === event && ++seen === count) child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}

test("those in the race that learnt from examples are built again from fewer of them and with other seeds", async () => {
  const task = await tinyTask({ output: "labels", strategies: ["tf-idf-linear", "zero-shot"] });
  const { report } = (await run(task, { repeats: 2, effort: "standard" }))!;
  const learner = report.candidates.find(({ id }) => id === "tf-idf-linear")!;
  const { train } = report.split;
  expect(learner.curve!.map(({ examples }) => examples)).toEqual([Math.round(train / 4), Math.round(train / 2), train]);
  expect(learner.curve!.at(-1)!.score).toBe(learner.score.value);
  expect(learner.repeats!.map(({ seed }) => seed)).toEqual([report.seed + 1, report.seed + 2]);
  expect(report.candidates.find(({ id }) => id.startsWith("zero-shot"))!.repeats).toBeUndefined();
  expect(report.wordings).toMatch(/^(other wordings|rule-based rewordings)/u);
}, 300_000);

test("over two models every chain with a language model has a row for each, one without it a single row", async () => {
  const strategies = ["zero-shot", "rag-bm25 > lora", "tf-idf-linear", "cascade"];
  const { report } = (await run(await tinyTask({ output: "labels", strategies, twoModels: true })))!;
  const rows = (strategy: string): readonly unknown[] =>
    report.candidates.filter((candidate) => candidate.strategy === strategy).map(({ model }) => model);
  expect(rows("zero-shot")).toEqual(["tiny", "other"]);
  expect(rows("rag-bm25 > lora")).toEqual(["tiny", "other"]);
  expect(rows("tf-idf-linear")).toEqual([null]);
  expect(report.task.models).toEqual(["tiny", "other"]);
  expect(new Set(report.candidates.map(({ id }) => id)).size).toBe(report.candidates.length);
}, 300_000);

test("a finished run is opened before it is asked, so that what is missing is said at once", async () => {
  const task = await tinyTask({ output: "text", strategies: ["rag-bm25"] });
  await run(task);
  {
    await using served = await openServed({ path: task, environment: tinyEnvironment });
    await served.warmUp();
    expect((await served.ask({ input: "What does the lock cost?" })).passages.length).toBeGreaterThan(0);
  }
  await writeFile(join(task, "tiny.gguf"), "no model any more");
  await using broken = await openServed({ path: task, environment: tinyEnvironment });
  await expect(broken.warmUp()).rejects.toThrow('is no usable GGUF file: it does not begin with "GGUF". Fetch or export it again.');
}, 300_000);
