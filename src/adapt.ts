// The whole flow on one page: read the task, plan, build candidates, measure them on examples none of them has seen, compare, report.
// The only holder of the test split, which it hands to the evaluation alone.
import { type Candidate, usesOnlyLocalModels } from "./candidate.ts";
import { compareEvaluations, type CandidateProfile } from "./compare/compare.ts";
import { costPer1k } from "./compare/cost.ts";
import type { Plan } from "./compare/plan.ts";
import { servedDollarsPer1k } from "./compare/prices.ts";
import { measureConsistency } from "./evaluate/consistency.ts";
import { evaluate } from "./evaluate/evaluate.ts";
import { measureLatency } from "./evaluate/latency.ts";
import { measure } from "./evaluate/measure.ts";
import { openRun, type Run } from "./evaluate/run.ts";
import { type Evaluation, scoreOf } from "./evaluation.ts";
import { assembleReport, type Measurements, type NotRun } from "./report/assemble.ts";
import type { Report } from "./report/schema.ts";
import { writeReport } from "./report/write.ts";
import { buildAll, type BuildEvent, type Order } from "./strategy/build-all.ts";
import { slug } from "./strategy/chain.ts";
import type { LabelledExample } from "./task.ts";
import { contentKey } from "./util/hash.ts";
import { versions } from "./util/versions.ts";
import { seededRandom } from "./util/random.ts";
import { openWorkspace, type OpenWorkspaceOptions, type Workspace } from "./workspace.ts";

export interface CompareOptions extends OpenWorkspaceOptions {
  /** Id and time of a new run; a killed run of the same thing keeps its own. */
  readonly id: string;
  readonly now: Date;
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
  | { readonly kind: "measure"; readonly what: string; readonly done: number; readonly of: number };

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
  const { task, split, store, plan: planned, metrics, notices } = workspace;
  yield {
    kind: "task",
    name: task.name,
    notices,
    sizes: { train: split.train.length, validation: split.validation.length, test: split.test.length, documents: task.documents.length },
  };
  const orders = planned.entries.filter((entry) => entry.status === "run");
  const key = contentKey([
    split.hash,
    task.instruction,
    task.metrics,
    orders.map(({ chain, model }) => [chain, model]),
    planned.effort,
    task.seed,
  ]);
  const run = await openRun({ store, key, id: options.id, now: options.now });
  yield { kind: "plan", plan: planned, run: run.id, resumed: run.resumed };

  const part = { workspace, ...(options.signal && { signal: options.signal }) };
  const { candidates, failed } = yield* build({ ...part, orders, train: split.train, run });
  const evaluations = yield* test({ ...part, candidates, run });
  const measurements = yield* measureAll({ ...part, candidates });
  const profiles = candidates.map((candidate) => profileOf({ candidate, evaluations, measurements }));
  const comparison = compareEvaluations({ ...task, evaluations, metric: metrics[0], profiles });
  const curves = yield* labelEfficiency({
    ...part,
    orders,
    candidates,
    evaluations,
    race: [comparison.recommendation.winner ?? "", ...comparison.recommendation.stillInTheRace],
  });
  const report = assembleReport({
    run,
    task,
    split: {
      train: split.train.length,
      validation: split.validation.length,
      test: split.test.length,
      groups: split.groups,
      hash: split.hash,
    },
    test: split.test,
    metrics,
    plan: planned,
    platform: `${process.platform} ${process.arch}`,
    versions,
    notices,
    notRun: [...leftOut(planned), ...failed],
    candidates,
    evaluations,
    measurements,
    curves,
    comparison,
    costs: new Map(profiles.map((profile) => [profile.id, costPer1k(profile, comparison.unit, task.prices)])),
  });
  const files = await writeReport({ store: run.store, report, evaluations });
  await run.finish();
  return { report, files };
}

interface Part {
  readonly workspace: Workspace;
  readonly signal?: AbortSignal;
}

/** Strategies see train and validation; the test examples are not in their hands. */
async function* build(
  part: Part & { orders: readonly Order[]; train: readonly LabelledExample[]; run?: Run },
): AsyncGenerator<CompareEvent, { candidates: readonly Candidate[]; failed: readonly NotRun[] }> {
  const { workspace, orders, train, run, signal } = part;
  const {
    task,
    split,
    metrics,
    models,
    resources,
    store,
    plan: { effort },
  } = workspace;
  const { examples: _examples, documents, folder: _folder, strategies: _strategies, ...view } = task;
  const data = { train, validation: split.validation, documents };
  const building = buildAll({ orders, models, task: view, metric: metrics[0], data, effort, resources, store, ...(signal && { signal }) });
  const failed: NotRun[] = [];
  for (;;) {
    const { done, value } = await building.next();
    if (done === true) return { candidates: value, failed };
    if (value.kind === "not built") failed.push({ strategy: named(value.order), reason: value.reason });
    if (value.kind === "built") await run?.saveCandidate(value.candidate);
    yield value;
  }
}

async function* test({
  workspace,
  candidates,
  run,
  signal,
}: Part & { candidates: readonly Candidate[]; run?: Run }): AsyncGenerator<CompareEvent, readonly Evaluation[]> {
  const { task, split, metrics, resources, store } = workspace;
  const evaluations: Evaluation[] = [];
  for (const candidate of candidates) {
    const running = evaluate({
      candidate,
      examples: split.test,
      set: "test",
      metrics,
      output: task.output,
      resources,
      cache: store,
      seed: task.seed,
      ...(signal && { signal }),
    });
    let step = await running.next();
    for (; step.done !== true; step = await running.next())
      yield { kind: "evaluate", candidate: candidate.id, done: step.value.done, of: step.value.of };
    evaluations.push(step.value);
    await run?.saveEvaluation(step.value);
    yield { kind: "score", candidate: candidate.id, metric: metrics[0].name, score: scoreOf(step.value.rows, metrics[0]) };
  }
  return evaluations;
}

/** Latency in one interleaved pass; memory, update, consistency and forgetting candidate by candidate. */
async function* measureAll({
  workspace,
  candidates,
  signal,
}: Part & { candidates: readonly Candidate[] }): AsyncGenerator<CompareEvent, ReadonlyMap<string, Measurements>> {
  const {
    task,
    split,
    metrics,
    resources,
    store,
    storeFolder,
    environment,
    models,
    plan: { measuring },
  } = workspace;
  const inputs = split.test.map((example) => example.input);
  const timing = measureLatency({ candidates, inputs: inputs.slice(0, measuring.latencyInputs), resources, ...(signal && { signal }) });
  let step = await timing.next();
  for (; step.done !== true; step = await timing.next()) yield { ...step.value, kind: "measure", what: "latency" };
  const measured = new Map<string, Measurements>();
  for (const [index, candidate] of candidates.entries()) {
    yield { kind: "measure", what: "memory, update, forgetting", done: index, of: candidates.length };
    const base = candidate.kind === "generate" ? models.find((model) => model.reference === candidate.model.reference) : undefined;
    const rest = await measure({
      candidate,
      inputs,
      resources,
      environment,
      storeFolder,
      cache: store,
      forgetting: measuring.forgetting,
      seed: task.seed,
      ...(base && { base }),
      ...(signal && { signal }),
    });
    const consistency = measuring.consistency
      ? await measureConsistency({
          candidate,
          examples: split.test,
          metrics,
          output: task.output,
          resources,
          cache: store,
          seed: task.seed,
          ...(signal && { signal }),
        })
      : undefined;
    measured.set(candidate.id, { latency: step.value.get(candidate.id)!, ...rest, ...(consistency === undefined ? {} : { consistency }) });
  }
  return measured;
}

/** The score with a part of the training examples, for the candidates still in the race: built again from less, tested the same. */
async function* labelEfficiency(
  part: Part & { orders: readonly Order[]; race: readonly string[]; candidates: readonly Candidate[]; evaluations: readonly Evaluation[] },
): AsyncGenerator<CompareEvent, Map<string, { examples: number; score: number }[]>> {
  const {
    workspace: {
      split,
      metrics,
      task,
      plan: { measuring },
    },
    race,
    candidates,
    evaluations,
  } = part;
  const curves = new Map<string, { examples: number; score: number }[]>();
  const learners = candidates.filter(
    (candidate) => race.includes(candidate.id) && candidate.manifest.labelledExamples > 0 && !isMade(candidate),
  );
  const shuffled = seededRandom(`label efficiency ${task.seed}`).shuffle(split.train);
  for (const [index, share] of measuring.labelShares.entries()) {
    yield { kind: "measure", what: "label efficiency", done: index, of: measuring.labelShares.length };
    const train = shuffled.slice(0, Math.round(share * shuffled.length));
    const orders = part.orders.filter(({ chain, model }) =>
      learners.some((one) => one.manifest.strategy === chain && (model === "" || one.id.endsWith(`--${slug(model)}`))),
    );
    const { candidates: rebuilt } = yield* silent(build({ ...part, orders, train }));
    for (const result of yield* silent(test({ ...part, candidates: rebuilt }))) {
      curves.set(result.candidate, [
        ...(curves.get(result.candidate) ?? []),
        { examples: train.length, score: scoreOf(result.rows, metrics[0]) },
      ]);
    }
  }
  for (const [id, points] of curves) {
    const whole = evaluations.find((one) => one.candidate === id);
    if (whole !== undefined) points.push({ examples: split.train.length, score: scoreOf(whole.rows, metrics[0]) });
  }
  return curves;
}

/** Made of other candidates: its label efficiency is theirs. */
const isMade = (candidate: Candidate): boolean => candidate.kind === "cascade" || candidate.kind === "route";

async function* silent<T>(running: AsyncGenerator<CompareEvent, T>): AsyncGenerator<never, T> {
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
  }
}

/** What compare/ wants to know of a candidate beside its rows. Its cost follows from the latency pass, never from cached answers. */
function profileOf({
  candidate,
  evaluations,
  measurements,
}: {
  candidate: Candidate;
  evaluations: readonly Evaluation[];
  measurements: ReadonlyMap<string, Measurements>;
}): CandidateProfile {
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
