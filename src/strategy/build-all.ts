// Builds every candidate of a plan, one after the other. A strategy that fails leaves a reason, not a hole.
import { stat } from "node:fs/promises";
import type { OpenedResources } from "../answer/open.ts";
import type { Artefact, Candidate, CandidateModel } from "../candidate.ts";
import { messageOf } from "../errors.ts";
import { evaluation } from "../evaluate/evaluate.ts";
import { type Metric, scoreOf } from "../evaluation.ts";
import type { Store } from "../store.ts";
import type { LabelledExample, TaskView } from "../task.ts";
import { sha256File } from "../util/hash.ts";
import { baseCandidate } from "./base.ts";
import { type ChainEvent, runChain } from "./chain.ts";
import type { Built, Effort, Scored, StrategyContext, StrategyData } from "./strategy.ts";

export interface Order {
  readonly chain: string;
  /** Name of the model it starts from. */
  readonly model: string;
}

export interface BuildOptions {
  readonly orders: readonly Order[];
  readonly models: readonly CandidateModel[];
  readonly task: TaskView;
  readonly metric: Metric;
  readonly data: StrategyData;
  readonly effort: Effort;
  readonly resources: OpenedResources;
  readonly store: Store;
  readonly signal?: AbortSignal;
}

export type BuildEvent =
  | { readonly kind: "build"; readonly order: Order; readonly index: number; readonly of: number; readonly event?: ChainEvent }
  | { readonly kind: "built"; readonly order: Order; readonly candidate: Candidate; readonly validation: number }
  | { readonly kind: "not built"; readonly order: Order; readonly reason: string };

/** Yields what happens; returns the candidates in the order asked for. */
export async function* buildAll(options: BuildOptions): AsyncGenerator<BuildEvent, readonly Candidate[]> {
  const { orders, signal } = options;
  const built: Built[] = [];
  for (const [index, order] of orders.entries()) {
    signal?.throwIfAborted();
    yield { kind: "build", order, index, of: orders.length };
    try {
      const running = runChain(await chainOptions(order, options, [...built]));
      let step = await running.next();
      for (; step.done !== true; step = await running.next()) yield { kind: "build", order, index, of: orders.length, event: step.value };
      const candidate = step.value;
      const scored = await validate(candidate, checked(options), options);
      built.push({ candidate, ...scored });
      yield { kind: "built", order, candidate, validation: scored.score };
    } catch (error) {
      signal?.throwIfAborted();
      yield { kind: "not built", order, reason: messageOf(error) };
    }
  }
  return built.map(({ candidate }) => candidate);
}

async function chainOptions(order: Order, options: BuildOptions, built: readonly Built[]): Promise<Parameters<typeof runChain>[0]> {
  const { models, task, metric, data, effort, resources, store, signal } = options;
  const model = models.find((one) => one.name === order.model) ?? models[0]!;
  const opened = await resources.model(model);
  const context: Omit<StrategyContext, "store" | "artefact"> = {
    task,
    metric,
    resources,
    effort,
    seed: task.seed,
    built: built.filter(({ candidate }) => candidate.kind === "generate" || candidate.kind === "classify"),
    runtime: () => resources.runtime(),
    validate: (candidate, examples = checked(options)) => validate(candidate, examples, options),
    ...(signal && { signal }),
  };
  const start = baseCandidate({ task, model, train: data.train, countTokens: (text) => opened.countTokens(text) });
  return { chain: order.chain, start, data, context, root: store, artefactOf };
}

/** The validation examples that checks may use. */
const checked = ({ data, effort }: BuildOptions): readonly LabelledExample[] => data.validation.slice(0, effort.validationExamples);

async function validate(candidate: Candidate, examples: readonly LabelledExample[], options: BuildOptions): Promise<Scored> {
  const { metric, task, resources, store, signal } = options;
  const result = await evaluation({
    candidate,
    examples,
    set: "validation",
    metrics: [metric],
    output: task.output,
    resources,
    cache: store,
    seed: task.seed,
    ...(signal && { signal }),
  });
  return { score: scoreOf(result.rows, metric), evaluation: result };
}

async function artefactOf(store: Store, key: string, path: string): Promise<Artefact> {
  const file = await store.path(key);
  return { path, bytes: (await stat(file)).size, sha256: await sha256File(file) };
}
