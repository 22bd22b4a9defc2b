// A task, opened on this machine: its split, store, models and plan. What `plan` and `compare` start from.
import { join } from "node:path";
import { type Environment, type OpenedResources, openResources } from "./answer/open.ts";
import type { CandidateModel } from "./candidate.ts";
import { candidateModel, factsOf, shapeOf } from "./compare/facts.ts";
import { type EffortName, makePlan, type Plan } from "./compare/plan.ts";
import { keepSplit } from "./data/kept-split.ts";
import { dataNotices } from "./data/notices.ts";
import { readTask } from "./data/read-task.ts";
import type { SplitResult } from "./data/split.ts";
import { documentReader } from "./document/read-all.ts";
import { type Speeds, speedsOf } from "./evaluate/speed.ts";
import type { Metric } from "./evaluation.ts";
import type { LanguageModel, ModelReference } from "./model.ts";
import { metricNames, metricsOf } from "./metric/metrics.ts";
import { fileSystemStore } from "./store/file-system.ts";
import type { Store } from "./store.ts";
import type { Facts, Machine, Shape } from "./strategy/strategy.ts";
import type { LabelledExample, Split, Task } from "./task.ts";

export interface OpenWorkspaceOptions {
  /** Folder of a task, or its file. */
  readonly path: string;
  readonly environment: Environment;
  readonly strategies?: readonly string[];
  readonly models?: readonly ModelReference[];
  readonly budgetSeconds?: number;
  readonly effort?: EffortName;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Workspace extends AsyncDisposable {
  readonly task: Task;
  /** Examples carry the group they are resampled in: given, or joined by near duplicates. */
  readonly split: Split & { readonly hash: string; readonly groups: number };
  readonly notices: readonly string[];
  /** `.sartor/` in the task's folder, and its path. */
  readonly store: Store;
  readonly storeFolder: string;
  readonly environment: Environment;
  readonly models: readonly CandidateModel[];
  /** The first decides. */
  readonly metrics: readonly [Metric, ...Metric[]];
  readonly resources: OpenedResources;
  readonly plan: Plan;
}

/** Reads the task, fetches and opens its models, measures the machine (once, then kept) and plans. Dispose it: models hold memory. */
export async function openWorkspace(options: OpenWorkspaceOptions): Promise<Workspace> {
  const { path, environment, signal } = options;
  const read = await readTask({
    path,
    metricNames,
    readDocuments: documentReader(environment.secret),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  const task: Task = { ...read.task, models: options.models ?? read.task.models, strategies: options.strategies ?? read.task.strategies };
  const storeFolder = join(task.folder, ".sartor");
  const store = fileSystemStore(storeFolder);
  const kept = await keepSplit({ task, store, given: read.given });
  const split = grouped(kept);
  const metrics = metricsOf(task);
  const models = task.models.map(candidateModel);
  const resources = openResources({ documents: task.documents, store, environment, baseFolder: task.folder, ...(signal && { signal }) });
  try {
    const opened = await Promise.all(models.map((model) => resources.model(model)));
    const machine = await machineOf({ opened, resources, store, environment, ...(signal && { signal }) });
    const facts = factsOf({ task, split, countTokens: (text) => opened[0]!.countTokens(text) });
    const planned = await planFor({ options, task, opened, models, facts, machine });
    return {
      task,
      split,
      notices: [...read.notices, ...kept.notices, ...dataNotices({ task })],
      store,
      storeFolder,
      environment,
      models,
      metrics,
      resources,
      plan: planned,
      [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
    };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

async function planFor({
  options,
  task,
  opened,
  models,
  facts,
  machine,
}: {
  options: OpenWorkspaceOptions;
  task: Task;
  opened: readonly LanguageModel[];
  models: readonly CandidateModel[];
  facts: Facts;
  machine: Machine;
}): Promise<Plan> {
  const shapes = await Promise.all(
    opened.map(async (model, index): Promise<{ name: string; shape: Shape }> => ({
      name: models[index]!.name,
      shape: await shapeOf(model),
    })),
  );
  const { budgetSeconds, effort } = options;
  return makePlan({
    strategies: task.strategies,
    models: shapes,
    facts,
    machine,
    ...(budgetSeconds === undefined ? {} : { budgetSeconds }),
    ...(effort && { effort }),
  });
}

/** Speeds are kept by model, runtime and threads in `machine.json`. */
async function machineOf({
  opened,
  resources,
  store,
  environment,
  signal,
}: {
  opened: readonly LanguageModel[];
  resources: OpenedResources;
  store: Store;
  environment: Environment;
  signal?: AbortSignal;
}): Promise<Machine> {
  const { threads, memoryBytes } = environment;
  const key = `machine/${opened[0]!.key.replace(/[^A-Za-z0-9._-]/gu, "-")}.json`;
  const kept = await store.readText(key);
  if (kept !== undefined) return { threads, memoryBytes, speeds: JSON.parse(kept) as Speeds };
  const speeds = await speedsOf({ model: opened[0]!, runtime: () => resources.runtime(), ...(signal && { signal }) });
  await store.writeText(key, JSON.stringify(speeds));
  return { threads, memoryBytes, speeds };
}

function grouped({ split, hash, groups, groupOf }: SplitResult): Workspace["split"] {
  const withGroup = (example: LabelledExample): LabelledExample => ({ ...example, group: groupOf.get(example.id) ?? example.id });
  return { hash, groups, train: split.train.map(withGroup), validation: split.validation.map(withGroup), test: split.test.map(withGroup) };
}
