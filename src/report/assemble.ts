// Puts together report.json from what was built, evaluated, measured and compared. Decides nothing.
import { isTrainedHere, type Candidate, usesOnlyLocalModels } from "../candidate.ts";
import type { Comparison } from "../compare/compare.ts";
import { candidateModel } from "../compare/facts.ts";
import type { Plan } from "../compare/plan.ts";
import { wordingsUsed } from "../evaluate/consistency.ts";
import type { Measurements } from "../evaluate/measure-all.ts";
import { type Evaluation, type Metric, type MetricFactory, type Row, scoreOf } from "../evaluation.ts";
import { ndcg, retrievalRecall } from "../metric/retrieval.ts";
import type { LabelledExample, Task } from "../task.ts";
import { mean } from "../util/mean.ts";
import type { Report, ReportCandidate } from "./schema.ts";

/** A strategy that has no row in the table, and why. */
export type NotRun = Report["notRun"][number];

export interface AssembleOptions {
  readonly run: { readonly id: string; readonly createdAt: string; readonly testUses: number };
  readonly task: Task;
  readonly split: Report["split"];
  readonly test: readonly LabelledExample[];
  readonly metrics: readonly [Metric, ...Metric[]];
  readonly plan: Plan;
  readonly platform: string;
  readonly versions: Report["versions"];
  readonly notices: readonly string[];
  readonly notRun: readonly NotRun[];
  readonly candidates: readonly Candidate[];
  readonly evaluations: readonly Evaluation[];
  readonly measurements: ReadonlyMap<string, Measurements>;
  readonly curves: ReadonlyMap<string, readonly { readonly examples: number; readonly score: number }[]>;
  readonly repeats: ReadonlyMap<string, readonly { readonly seed: number; readonly score: number }[]>;
  readonly comparison: Comparison;
  /** Of 1,000 requests, in the comparison's unit. */
  readonly costs: ReadonlyMap<string, number>;
}

export function assembleReport(options: AssembleOptions): Report {
  const { run, task, split, metrics, plan, platform, versions, candidates, comparison } = options;
  const { threads, memoryBytes } = plan.machine;
  // Why a model cannot be tuned stands at the steps that were not run.
  const { cannotTrain: _reason, ...speeds } = plan.machine.speeds;
  return {
    schemaVersion: 1,
    runId: run.id,
    createdAt: run.createdAt,
    task: {
      name: task.name,
      instruction: task.instruction,
      output: task.output.kind,
      examples: task.examples.length,
      documents: task.documents.length,
      models: task.models.map((model) => candidateModel(model).name),
    },
    seed: task.seed,
    versions,
    machine: { platform, threads, memoryBytes, speeds },
    metric: { name: metrics[0].name, higherIsBetter: metrics[0].higherIsBetter },
    objective: task.objective,
    tolerance: task.tolerance,
    constraints: { ...task.constraints },
    usage: task.usage,
    prices: task.prices ?? { source: "No prices were stated: cost is in machine-seconds." },
    split,
    testUses: run.testUses,
    notices: [...options.notices],
    ...(measuredConsistency(options) ? { wordings: wordingsUsed(options.test) } : {}),
    notRun: [...options.notRun],
    candidates: candidates.map((candidate) => candidateOf(candidate, options)),
    comparisons: [...comparison.comparisons],
    recommendation: mutable(comparison.recommendation),
  };
}

function candidateOf(candidate: Candidate, options: AssembleOptions): ReportCandidate {
  const { evaluations, measurements, comparison, metrics, test } = options;
  const { manifest } = candidate;
  const { rows } = evaluations.find((one) => one.candidate === candidate.id)!;
  const { latency, update, peakMemoryBytes, notes } = measurements.get(candidate.id)!;
  const per1k = options.costs.get(candidate.id)!;
  return {
    id: candidate.id,
    strategy: manifest.strategy,
    kind: candidate.kind,
    parents: [...manifest.parents],
    status: statusOf(candidate.id, comparison),
    model: candidate.kind === "generate" ? candidate.model.name : null,
    parameters: manifest.steps.map(({ strategy, ...step }) => ({ step: strategy, ...step, parameters: { ...step.parameters } })),
    seed: manifest.seed,
    local: usesOnlyLocalModels(candidate),
    score: { metric: metrics[0].name, ...comparison.scores[candidate.id]! },
    metrics: Object.fromEntries(metrics.map((metric) => [metric.name, finite(scoreOf(rows, metric))])),
    errorsByKind: errorsByKind(rows),
    latency: { p50: latency.p50, p95: latency.p95, n: latency.n },
    tokens: { input: mean(rows.map((row) => row.tokens.input)), output: mean(rows.map((row) => row.tokens.output)) },
    cost: { per1k, perPass: (per1k * test.length) / 1000, unit: comparison.unit },
    build: { ...manifest.build, labelledExamples: manifest.labelledExamples },
    inference: { peakMemoryBytes: peakMemoryBytes ?? null },
    update: { seconds: update.seconds, how: update.how },
    ...whereMeasured(candidate, rows, options),
    artefacts: [...manifest.artefacts],
    notes: [...manifest.steps.flatMap(({ note }) => (note === undefined ? [] : [note])), ...notes],
  };
}

/** What only some candidates have: fields that are absent from the others. */
function whereMeasured(
  candidate: Candidate,
  rows: readonly Row[],
  options: AssembleOptions,
): Pick<ReportCandidate, "consistency" | "retrieval" | "curve" | "repeats" | "training" | "forgetting"> {
  const { measurements, curves, repeats, metrics, split } = options;
  const { consistency, forgetting } = measurements.get(candidate.id)!;
  const retrieval = retrievalOf(rows, options);
  const curve = curves.get(candidate.id);
  const again = repeats.get(candidate.id);
  const training = isTrainedHere(candidate) ? candidate.manifest.training : undefined;
  return {
    ...(consistency === undefined ? {} : { consistency }),
    ...(retrieval === undefined ? {} : { retrieval }),
    ...(curve === undefined ? {} : { curve: [...curve, { examples: split.train, score: scoreOf(rows, metrics[0]) }] }),
    ...(again === undefined ? {} : { repeats: [...again] }),
    ...(training === undefined ? {} : { training: training.map((epoch) => ({ ...epoch, validationLoss: finite(epoch.validationLoss) })) }),
    ...(forgetting === undefined ? {} : { forgetting }),
  };
}

const measuredConsistency = ({ measurements }: AssembleOptions): boolean =>
  [...measurements.values()].some(({ consistency }) => consistency !== undefined);

function statusOf(id: string, { recommendation: { winner, stillInTheRace, beaten, rejected } }: Comparison): ReportCandidate["status"] {
  if (id === winner) return "winner";
  if (rejected.some((one) => one.id === id)) return "ineligible";
  if (beaten.includes(id)) return "beaten";
  return stillInTheRace.includes(id) ? "in the race" : "measured";
}

const mutable = (recommendation: Comparison["recommendation"]): Report["recommendation"] => ({
  ...recommendation,
  stillInTheRace: [...recommendation.stillInTheRace],
  beaten: [...recommendation.beaten],
  rejected: [...recommendation.rejected],
});

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function errorsByKind(rows: readonly Row[]): { [kind: string]: number } {
  const counts: { [kind: string]: number } = {};
  for (const { error } of rows) if (error !== undefined) counts[error.kind] = (counts[error.kind] ?? 0) + 1;
  return counts;
}

/** Over the passages that were shown, on the examples that have evidence; undefined where nothing retrieves. */
function retrievalOf(rows: readonly Row[], { test, task }: AssembleOptions): ReportCandidate["retrieval"] {
  const examples = new Map(test.map((example) => [example.id, example]));
  const judged = rows.flatMap(({ id, output, passages }) => {
    const example = examples.get(id);
    return (example?.evidence ?? []).length === 0 ? [] : [{ example: example!, output, passages }];
  });
  if (judged.length === 0 || rows.every((row) => row.passages.length === 0)) return undefined;
  const over = (make: MetricFactory): number => {
    const metric = make(task);
    return mean(judged.map((prediction) => metric.value(metric.statistics(prediction), 1)));
  };
  return { recall: over(retrievalRecall), ndcg: over(ndcg) };
}
