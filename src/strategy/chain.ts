// Runs a chain: each step takes the candidate before it and gives one. Steps are kept by content, so chains share their beginnings
// and a killed run goes on after the last whole step.
import { answeringPart, type Candidate, type Manifest, partsOf } from "../candidate.ts";
import type { Store } from "../store.ts";
import { contentKey } from "../util/hash.ts";
import { watchPeakMemory } from "../util/peak-memory.ts";
import { parseChain } from "./registry.ts";
import type { StepResult, Strategy, StrategyContext, StrategyData, StrategyEvent } from "./strategy.ts";

export type ChainEvent =
  | (StrategyEvent & { readonly kind: "progress"; readonly step: string })
  | { readonly kind: "step"; readonly step: string; readonly kept: boolean; readonly note?: string };

export interface ChainOptions {
  readonly chain: string;
  readonly start: Candidate;
  readonly data: StrategyData;
  /** Everything of the context but what belongs to one step. */
  readonly context: Omit<StrategyContext, "store" | "artefact">;
  /** The task's root store; a step sees `candidates/<step key>/` of it and nothing else. */
  readonly root: Store;
  readonly artefactOf: (store: Store, key: string, path: string) => ReturnType<StrategyContext["artefact"]>;
}

/** Yields progress; returns the candidate with its manifest. */
export async function* runChain(options: ChainOptions): AsyncGenerator<ChainEvent, Candidate> {
  const steps = parseChain(options.chain);
  let candidate = options.start;
  for (const [index, strategy] of steps.entries()) {
    const before = candidate;
    const after = yield* runStep(strategy, before, options);
    candidate = index === 0 || strategy.always === true ? after : yield* keepBetter({ before, after, strategy, options });
  }
  const { model } = candidate.kind === "generate" ? candidate : { model: undefined };
  const name = model === undefined || options.start.kind !== "generate" ? "" : `--${options.start.model.name}`;
  const manifest = { ...candidate.manifest, strategy: options.chain };
  return { ...candidate, id: `${slug(options.chain)}${slug(name)}`, manifest };
}

/** Lower-case letters, digits and dashes: `rag-bm25 > lora` is `rag-bm25--lora`. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/\s*>\s*/gu, "--")
    .replace(/[^a-z0-9.-]+/gu, "-");
}

async function* runStep(strategy: Strategy, start: Candidate, options: ChainOptions): AsyncGenerator<ChainEvent, Candidate> {
  const key = stepKey(strategy, start, options);
  const path = `candidates/${key}`;
  const store = options.root.scope(path);
  const kept = await store.readText("candidate.json");
  if (kept !== undefined) return { ...(JSON.parse(kept) as Candidate), id: start.id };
  const context: StrategyContext = { ...options.context, store, artefact: (file) => options.artefactOf(store, file, `${path}/${file}`) };
  const started = performance.now();
  const memory = watchPeakMemory();
  let result: StepResult | undefined;
  try {
    for await (const event of strategy.run(start, options.data, context)) {
      if (event.kind === "candidate") result = event.result;
      else yield { ...event, step: strategy.name };
    }
  } finally {
    memory.stop();
  }
  if (result === undefined) throw new Error(`The strategy ${strategy.name} ended without a candidate.`);
  const seconds = (performance.now() - started) / 1000;
  const candidate = withStep({ strategy, start, result, seconds, peakMemoryBytes: memory.bytes(), data: options.data });
  await store.writeText("candidate.json", JSON.stringify(candidate));
  yield { kind: "step", step: strategy.name, kept: true, ...(result.note === undefined ? {} : { note: result.note }) };
  return candidate;
}

function stepKey(strategy: Strategy, start: Candidate, { data, context }: ChainOptions): string {
  const built = strategy.combines === true ? context.built.map((one) => [one.candidate.id, answeringPart(one.candidate)]) : [];
  const documents = data.documents.map((document) => [document.id, document.sha256]);
  const { effort, seed, task, metric } = context;
  const view = { instruction: task.instruction, output: task.output, metric: metric.name };
  return contentKey([strategy.name, answeringPart(start), data.train, data.validation, documents, built, effort, seed, view]).slice(0, 24);
}

function withStep(options: {
  strategy: Strategy;
  start: Candidate;
  result: StepResult;
  seconds: number;
  peakMemoryBytes: number;
  data: StrategyData;
}): Candidate {
  const { strategy, start, result, seconds, peakMemoryBytes, data } = options;
  const before = start.manifest;
  const step = {
    strategy: strategy.name,
    parameters: result.parameters,
    seconds,
    ...(result.note === undefined ? {} : { note: result.note }),
  };
  const training = result.training ?? before.training;
  const manifest: Manifest = {
    ...before,
    steps: [...before.steps, step],
    parents: parentsOf(result.candidate, before),
    labelledExamples: Math.max(before.labelledExamples, result.labelledExamples ?? data.train.length),
    build: buildOf({ candidate: result.candidate, before, seconds, peakMemoryBytes }),
    weightsChanged: before.weightsChanged || result.training !== undefined,
    artefacts: [...before.artefacts, ...(result.artefacts ?? [])],
    ...(training === undefined ? {} : { training }),
  };
  return { ...result.candidate, manifest };
}

/** What it took from the bare model on; a combination takes what its parts took. */
function buildOf({
  candidate,
  before,
  seconds,
  peakMemoryBytes,
}: {
  candidate: Candidate;
  before: Manifest;
  seconds: number;
  peakMemoryBytes: number;
}): Manifest["build"] {
  const parts = partsOf(candidate)
    .slice(1)
    .map((part) => part.manifest.build);
  const builds = [...parts, before.build];
  return {
    seconds: builds.reduce((sum, build) => sum + build.seconds, seconds),
    peakMemoryBytes: Math.max(peakMemoryBytes, ...builds.map((build) => build.peakMemoryBytes)),
  };
}

function parentsOf(candidate: Candidate, before: Manifest): readonly string[] {
  if (candidate.kind === "cascade") return [candidate.first.id, candidate.second.id];
  if (candidate.kind === "route") return Object.keys(candidate.candidates);
  return before.parents;
}

/** A step whose result is not better on validation returns its start and says so. */
async function* keepBetter(options: {
  before: Candidate;
  after: Candidate;
  strategy: Strategy;
  options: ChainOptions;
}): AsyncGenerator<ChainEvent, Candidate> {
  const {
    before,
    after,
    strategy,
    options: { context },
  } = options;
  const [was, is] = [(await context.validate(before)).score, (await context.validate(after)).score];
  const better = context.metric.higherIsBetter ? is > was : is < was;
  if (better) return after;
  const note = `${strategy.name} was not better on validation (${is.toFixed(3)} after, ${was.toFixed(3)} before): the candidate before it stays.`;
  yield { kind: "step", step: strategy.name, kept: false, note };
  const last = after.manifest.steps.at(-1)!;
  const manifest: Manifest = { ...before.manifest, steps: [...before.manifest.steps, { ...last, note }], build: after.manifest.build };
  return { ...before, manifest };
}
