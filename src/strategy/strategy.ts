// What a strategy is: candidate in, candidate out. It sees train and validation, never test.
import type { Resources } from "../answer/resources.ts";
import type { Artefact, Candidate } from "../candidate.ts";
import type { Speeds } from "../evaluate/speed.ts";
import type { Evaluation, Metric } from "../evaluation.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Store } from "../store.ts";
import type { Document, LabelledExample, OutputKind, TaskView } from "../task.ts";

export interface StrategyData {
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
  readonly documents: readonly Document[];
}

/** Budgets turned into steps and calls once, by `plan`, and recorded: the clock decides nothing. */
export interface Effort {
  readonly epochs: number;
  /** Tokens one training run may read, all epochs together: fewer steps are taken where the epochs would read more. */
  readonly trainingTokens: number;
  /** Prompts tried by the search in its first round. */
  readonly promptTrials: number;
  /** Validation examples a search or a step's check may use. */
  readonly validationExamples: number;
  readonly pretrainSteps: number;
  /** Longest training sequence in tokens; longer ones are left out and counted. */
  readonly maxSequence: number;
}

export interface Scored {
  readonly score: number;
  readonly evaluation: Evaluation;
}

/** A candidate that stands already, with its rows on validation: what cascades and routes are made of. */
export interface Built extends Scored {
  readonly candidate: Candidate;
}

export interface StrategyContext {
  readonly task: TaskView;
  readonly metric: Metric;
  readonly resources: Resources;
  /** Scoped to this step: nothing else can be read or written. */
  readonly store: Store;
  readonly effort: Effort;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** The first metric on validation, answers cached. */
  validate(candidate: Candidate, examples?: readonly LabelledExample[]): Promise<Scored>;
  /** A file written through `store`, as the manifest lists it. */
  artefact(key: string): Promise<Artefact>;
  /** Candidates built before this one, with their validation rows. */
  readonly built: readonly Built[];
  /** The training runtime, started when first asked for. */
  runtime(): Promise<Runtime>;
}

export type StrategyEvent =
  | { readonly kind: "progress"; readonly label: string; readonly done: number; readonly of: number; readonly detail?: string }
  | { readonly kind: "candidate"; readonly result: StepResult };

/** What a step made of its start. `changes` is laid over the start; `note` is what people should know of how it went. */
export interface StepResult {
  readonly candidate: Candidate;
  readonly parameters: { readonly [name: string]: unknown };
  /** Examples whose answers it looked at; all training examples where left out. */
  readonly labelledExamples?: number;
  readonly artefacts?: readonly Artefact[];
  readonly training?: readonly { readonly epoch: number; readonly trainLoss: number; readonly validationLoss: number }[];
  readonly note?: string;
}

/** What is known of a candidate before it exists: enough to estimate. */
export interface Shape {
  readonly kind: Candidate["kind"];
  readonly local: boolean;
  readonly retrieves: boolean;
  readonly passageWords: number;
  readonly demonstrations: number;
  readonly adapter: boolean;
  readonly trained: boolean;
  readonly modelBytes: number;
  /** Weights of the model, in numbers. */
  readonly parameters: number;
}

/** Sizes of the task, in tokens of a typical model. */
export interface Facts {
  readonly output: OutputKind;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Test inputs that can be asked in other words, and in how many each. */
  readonly reworded: { readonly inputs: number; readonly each: number };
  readonly instructionTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly documents: number;
  readonly documentTokens: number;
  readonly evidence: boolean;
  /** Whether there is an answer for what the documents do not say. */
  readonly abstention: boolean;
}

export interface Machine {
  readonly threads: number;
  readonly memoryBytes: number;
  readonly speeds: Speeds;
}

/** Seconds, bytes and tokens a step is expected to take. */
export interface Needs {
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly tokens: number;
}

export type Estimate = Needs | { readonly cannot: string };

export interface EstimateOptions {
  readonly start: Shape;
  readonly facts: Facts;
  readonly machine: Machine;
  readonly effort: Effort;
}

export interface Strategy {
  readonly name: string;
  /** One line for `plan` and the docs. */
  readonly summary: string;
  /** A step that only rearranges (drops the retriever, summarises) is never taken back for not being better. */
  readonly always?: boolean;
  /** Ignores its start and uses the candidates built before. */
  readonly combines?: boolean;
  shape(start: Shape): Shape;
  estimate(options: EstimateOptions): Estimate;
  /** The last event holds the candidate. */
  run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent>;
}
