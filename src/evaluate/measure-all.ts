// Everything measured beside the score, for all candidates: latency in one interleaved pass, then the rest candidate by candidate.
import type { Candidate, CandidateModel } from "../candidate.ts";
import type { LabelledExample } from "../task.ts";
import { measureConsistency } from "./consistency.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import { type Latency, measureLatency } from "./latency.ts";
import { measure, type Measured, type MeasureOptions } from "./measure.ts";

/** How much is measured beside the score. */
export interface Measuring {
  readonly latencyInputs: number;
  /** Bytes of general text and questions of the probe, for candidates whose weights changed. */
  readonly forgetting: { readonly bytes: number; readonly questions: number };
  /** Inputs that are also asked in other words. */
  readonly consistencyInputs: number;
  /** Shares of the training examples at which candidates still in the race are built again. */
  readonly labelShares: readonly number[];
}

export interface Measurements extends Measured {
  readonly latency: Latency;
  readonly consistency?: number;
}

export interface MeasureEvent {
  readonly kind: "measure";
  readonly what: string;
  readonly done: number;
  readonly of: number;
}

export interface MeasureAllOptions
  extends
    Pick<EvaluateOptions, "metrics" | "output" | "cache" | "seed">,
    Pick<MeasureOptions, "resources" | "environment" | "storeFolder"> {
  readonly candidates: readonly Candidate[];
  readonly test: readonly LabelledExample[];
  /** The models as the task names them: what a tuned one is compared with. */
  readonly models: readonly CandidateModel[];
  readonly measuring: Measuring;
  readonly signal?: AbortSignal;
}

/** Yields progress; returns measurements by candidate. */
export async function* measureAll(options: MeasureAllOptions): AsyncGenerator<MeasureEvent, ReadonlyMap<string, Measurements>> {
  const { candidates, test, resources, measuring, signal } = options;
  const inputs = test.slice(0, measuring.latencyInputs).map((example) => example.input);
  const timing = measureLatency({ candidates, inputs, resources, ...(signal && { signal }) });
  let step = await timing.next();
  for (; step.done !== true; step = await timing.next()) yield { ...step.value, kind: "measure", what: "latency" };
  const measured = new Map<string, Measurements>();
  for (const [index, candidate] of candidates.entries()) {
    yield { kind: "measure", what: "memory, update, forgetting", done: index, of: candidates.length };
    const latency = step.value.get(candidate.id)!;
    measured.set(candidate.id, { latency, ...(await measureOne(candidate, inputs, options)) });
  }
  return measured;
}

async function measureOne(
  candidate: Candidate,
  inputs: readonly string[],
  options: MeasureAllOptions,
): Promise<Omit<Measurements, "latency">> {
  const { test, models, measuring, cache, metrics, output, resources, environment, storeFolder, seed, signal } = options;
  const base = candidate.kind === "generate" ? models.find((model) => model.reference === candidate.model.reference) : undefined;
  const shared = { candidate, resources, cache, seed, ...(signal && { signal }) };
  const rest = await measure({ ...shared, inputs, environment, storeFolder, forgetting: measuring.forgetting, ...(base && { base }) });
  const asked = { ...shared, examples: test, metrics, output, inputs: measuring.consistencyInputs };
  const consistency = measuring.consistencyInputs > 0 ? await measureConsistency(asked) : undefined;
  return { ...rest, ...(consistency === undefined ? {} : { consistency }) };
}
