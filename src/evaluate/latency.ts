// Latency by one interleaved pass: candidates take turns over the same inputs, so that a noisy minute hits all of them.
import { answer } from "../answer/answer.ts";
import type { Resources } from "../answer/resources.ts";
import type { Candidate } from "../candidate.ts";

export interface Latency {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly n: number;
}

export interface LatencyEvent {
  readonly kind: "latency";
  readonly done: number;
  readonly of: number;
}

/**
 * Seconds an answer takes, per candidate, never from the cache. Each round gives every candidate `block` inputs, after one that is
 * not counted: a server answers with its own prefix in memory, and so does this.
 */
export async function* measureLatency(options: {
  readonly candidates: readonly Candidate[];
  readonly inputs: readonly string[];
  readonly resources: Resources;
  readonly block?: number;
  readonly signal?: AbortSignal;
}): AsyncGenerator<LatencyEvent, ReadonlyMap<string, Latency>> {
  const { candidates, inputs, resources, block = 10, signal } = options;
  const seconds = new Map<string, number[]>(candidates.map((candidate) => [candidate.id, []]));
  const rounds = Math.ceil(inputs.length / block);
  for (let round = 0; round < rounds; round++) {
    for (const [index, candidate] of candidates.entries()) {
      signal?.throwIfAborted();
      const timed = inputs.slice(round * block, (round + 1) * block);
      await time(candidate, inputs.at(round * block - 1) ?? timed[0]!, resources, signal);
      for (const input of timed) seconds.get(candidate.id)?.push(await time(candidate, input, resources, signal));
      yield { kind: "latency", done: round * candidates.length + index + 1, of: rounds * candidates.length };
    }
  }
  return new Map(
    [...seconds].map(([id, values]) => [
      id,
      {
        mean: values.reduce((sum, value) => sum + value, 0) / values.length,
        p50: quantile(values, 0.5),
        p95: quantile(values, 0.95),
        n: values.length,
      },
    ]),
  );
}

/** A failing answer takes its time too. */
async function time(candidate: Candidate, input: string, resources: Resources, signal?: AbortSignal): Promise<number> {
  const started = performance.now();
  await answer({ candidate, input, resources, cached: false, ...(signal && { signal }) }).catch(() => undefined);
  return (performance.now() - started) / 1000;
}

/** The nearest-rank quantile. NaN over nothing. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}
