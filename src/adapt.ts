// The whole flow on one page: read the task, plan, build candidates, measure them on examples none of them has seen, compare, report.
// The only holder of the test split, which it hands to the evaluation alone.
import { type Candidate, usesOnlyLocalModels } from "./candidate.ts";
import { type CandidateProfile, compareEvaluations, type Comparison } from "./compare/compare.ts";
import { costPer1k } from "./compare/cost.ts";
import type { Plan } from "./compare/plan.ts";
import { servedDollarsPer1k } from "./compare/prices.ts";
import { evaluate } from "./evaluate/evaluate.ts";
import { measureAll, type MeasureEvent, type Measurements } from "./evaluate/measure-all.ts";
import { openRun, type Run } from "./evaluate/run.ts";
import { type Evaluation, scoreOf } from "./evaluation.ts";
import { labelEfficiency, otherSeeds, type Rebuilding, type Rebuilt } from "./rebuild.ts";
import { assembleReport, type NotRun } from "./report/assemble.ts";
import type { Report } from "./report/schema.ts";
import { writeReport } from "./report/write.ts";
import { buildAll, type BuildEvent, type Order } from "./strategy/build-all.ts";
import { slug } from "./strategy/chain.ts";
import type { LabelledExample } from "./task.ts";
import { drain } from "./util/drain.ts";
import { contentKey } from "./util/hash.ts";
import { versions } from "./util/versions.ts";
import { openWorkspace, type OpenWorkspaceOptions, type Workspace } from "./workspace.ts";

export interface CompareOptions extends OpenWorkspaceOptions {
  /** Id and time of a new run; a killed run of the same thing keeps its own. */
  readonly id: string;
  readonly now: Date;
  /** Further seeds with which the candidates still in the race are built and tested again. Default 0. */
  readonly repeats?: number;
}

export type CompareEvent =
  | {
      readonly kind: "task";
      readonly name: string;
      readonly notices: readonly string[];
      readonly sizes: { readonly [part: string]: number };
    }
  | { readonly kind: "plan"; readonly plan: Plan; readonly run: string; readonly resumed: boolean }
  | BuildEvent
  | { readonly kind: "evaluate"; readonly candidate: string; readonly done: number; readonly of: number }
  | { readonly kind: "score"; readonly candidate: string; readonly metric: string; readonly score: number }
  | MeasureEvent;

export interface CompareResult {
  readonly report: Report;
  /** Paths of the files written. */
  readonly files: { readonly html: string; readonly markdown: string; readonly json: string };
}

/** Reads the task and says what each technique will need here, and which cannot run and why. Nothing is built. */
export async function plan(options: OpenWorkspaceOptions): Promise<{ readonly plan: Plan; readonly notices: readonly string[] }> {
  await using workspace = await openWorkspace(options);
  return { plan: workspace.plan, notices: workspace.notices };
}

/** The main job. Yields progress, returns the report; killed at any point, the same call goes on where it stopped. */
export async function* compare(options: CompareOptions): AsyncGenerator<CompareEvent, CompareResult> {
  await using workspace = await openWorkspace(options);
  const { task, split, plan: planned, metrics, notices } = workspace;
  yield { kind: "task", name: task.name, notices, sizes: { ...sizesOf(split), documents: task.documents.length } };
  const orders = planned.entries.filter((entry) => entry.status === "run");
  const run = await openRun({ store: workspace.store, key: runKey(workspace, orders), id: options.id, now: options.now });
  yield { kind: "plan", plan: planned, run: run.id, resumed: run.resumed };

  const part: Part = { workspace, ...(options.signal && { signal: options.signal }) };
  const { candidates, failed } = yield* build({ ...part, orders, train: split.train, run });
  const evaluations = yield* test({ ...part, candidates, run });
  const answering = { ...workspace, cache: workspace.store, output: task.output, seed: task.seed };
  const measurements = yield* measureAll({ ...part, ...answering, candidates, test: split.test, measuring: planned.measuring });
  const profiles = candidates.map((candidate) => profileOf({ candidate, evaluations, measurements }));
  const comparison = compareEvaluations({ ...task, evaluations, metric: metrics[0], profiles });
  const learners = learnersOf(candidates, comparison);
  const again = { train: split.train, seed: task.seed, rebuild: (other: Rebuilding) => rebuild({ ...part, orders, learners, ...other }) };
  const curves = yield* labelEfficiency({ ...again, shares: planned.measuring.labelShares });
  const repeats = yield* otherSeeds({ ...again, count: options.repeats ?? 0 });
  const costs = new Map(profiles.map((profile) => [profile.id, costPer1k(profile, comparison.unit, task.prices)]));
  const about = { run, task, metrics, notices, versions, plan: planned, platform: `${process.platform} ${process.arch}` };
  const sides = { split: { ...sizesOf(split), groups: split.groups, hash: split.hash, ...syntheticOf(split) }, test: split.test };
  const found = { candidates, notRun: [...leftOut(planned), ...failed], evaluations, measurements, curves, repeats, comparison, costs };
  const report = assembleReport({ ...about, ...sides, ...found });
  const files = await writeReport({ store: run.store, report, evaluations });
  await run.finish();
  return { report, files };
}

interface Part {
  readonly workspace: Workspace;
  readonly signal?: AbortSignal;
}

const sizesOf = ({ train, validation, test: held }: Workspace["split"]): { train: number; validation: number; test: number } => {
  return { train: train.length, validation: validation.length, test: held.length };
};

/** How many of each side were made from the documents, where any was. */
function syntheticOf({ train, validation, test: held }: Workspace["split"]): Pick<Report["split"], "synthetic"> {
  const made = (side: readonly LabelledExample[]): number => side.filter(({ synthetic }) => synthetic === true).length;
  const counts = { train: made(train), validation: made(validation), test: made(held) };
  return Object.values(counts).some((count) => count > 0) ? { synthetic: counts } : {};
}

/** What decides a run's result. A killed run with the same key goes on. */
function runKey({ task, split, plan: { effort } }: Workspace, orders: readonly Order[]): string {
  return contentKey([split.hash, task.instruction, task.metrics, orders.map(({ chain, model }) => [chain, model]), effort, task.seed]);
}

interface Building {
  readonly candidates: readonly Candidate[];
  readonly failed: readonly NotRun[];
}

/** Strategies see train and validation; the test examples are not in their hands. */
async function* build(
  part: Part & {
    readonly orders: readonly Order[];
    readonly train: readonly LabelledExample[];
    readonly seed?: number;
    readonly run?: Run;
  },
): AsyncGenerator<CompareEvent, Building> {
  const { workspace, orders, train, seed = part.workspace.task.seed, run, signal } = part;
  const { task, split, metrics, models, resources, store, plan: planned } = workspace;
  const { examples: _examples, documents, folder: _folder, strategies: _strategies, ...view } = task;
  const data = { train, validation: split.validation, documents };
  const rest = { effort: planned.effort, resources, store, ...(signal && { signal }) };
  const building = buildAll({ orders, models, task: { ...view, seed }, metric: metrics[0], data, ...rest });
  const failed: NotRun[] = [];
  for (;;) {
    const { done, value } = await building.next();
    if (done === true) return { candidates: value, failed };
    if (value.kind === "not built") failed.push({ strategy: named(value.order), reason: value.reason });
    if (value.kind === "built") await run?.saveCandidate(value.candidate);
    yield value;
  }
}

async function* test(
  part: Part & { readonly candidates: readonly Candidate[]; readonly run?: Run },
): AsyncGenerator<CompareEvent, readonly Evaluation[]> {
  const { workspace, candidates, run, signal } = part;
  const { task, split, metrics, resources, store } = workspace;
  const shared = { metrics, output: task.output, resources, cache: store, seed: task.seed, ...(signal && { signal }) };
  const evaluations: Evaluation[] = [];
  for (const candidate of candidates) {
    const running = evaluate({ ...shared, candidate, examples: split.test, set: "test" });
    let step = await running.next();
    for (; step.done !== true; step = await running.next()) {
      yield { kind: "evaluate", candidate: candidate.id, done: step.value.done, of: step.value.of };
    }
    evaluations.push(step.value);
    await run?.saveEvaluation(step.value);
    yield { kind: "score", candidate: candidate.id, metric: metrics[0].name, score: scoreOf(step.value.rows, metrics[0]) };
  }
  return evaluations;
}

/** Candidates still in the race that learnt from examples. One made of others has their label efficiency. */
function learnersOf(candidates: readonly Candidate[], { recommendation: { winner, stillInTheRace } }: Comparison): readonly Candidate[] {
  const race = [winner, ...stillInTheRace];
  const made = (candidate: Candidate): boolean => candidate.kind === "cascade" || candidate.kind === "route";
  return candidates.filter((candidate) => race.includes(candidate.id) && candidate.manifest.labelledExamples > 0 && !made(candidate));
}

/** The learners built again, from other examples or with another seed, and tested on the same: scores by id. */
async function rebuild(
  part: Part & { readonly orders: readonly Order[]; readonly learners: readonly Candidate[] } & Rebuilding,
): Promise<readonly Rebuilt[]> {
  const { learners, workspace } = part;
  const orders = part.orders.filter((order) => learners.some((candidate) => isOf(candidate, order)));
  const { candidates } = await drain(build({ ...part, orders }));
  const evaluations = await drain(test({ ...part, candidates }));
  return evaluations.map(({ candidate: id, rows }) => ({ id, score: scoreOf(rows, workspace.metrics[0]) }));
}

const isOf = ({ id, manifest }: Candidate, { chain, model }: Order): boolean =>
  manifest.strategy === chain && (model === "" || id.endsWith(`--${slug(model)}`));

interface Found {
  readonly candidate: Candidate;
  readonly evaluations: readonly Evaluation[];
  readonly measurements: ReadonlyMap<string, Measurements>;
}

/** What compare/ wants to know of a candidate beside its rows. Its cost follows from the latency pass, never from cached answers. */
function profileOf({ candidate, evaluations, measurements }: Found): CandidateProfile {
  const { latency, update, peakMemoryBytes } = measurements.get(candidate.id)!;
  const { rows } = evaluations.find((one) => one.candidate === candidate.id)!;
  const served = servedDollarsPer1k(candidate, rows);
  return {
    id: candidate.id,
    kind: candidate.kind,
    local: usesOnlyLocalModels(candidate),
    secondsPerRequest: latency.mean,
    latency,
    buildSeconds: candidate.manifest.build.seconds,
    updateSeconds: update.seconds,
    ...(served === undefined ? {} : { dollarsPer1k: served }),
    ...(peakMemoryBytes === undefined ? {} : { memoryBytes: peakMemoryBytes }),
  };
}

const named = ({ chain, model }: Order): string => (model === "" ? chain : `${chain} (${model})`);

const leftOut = ({ entries }: Plan): readonly NotRun[] =>
  entries.flatMap((entry) => (entry.status === "run" ? [] : [{ strategy: named(entry), reason: entry.reason ?? entry.status }]));
