// Everything measured of a candidate beside its score: memory, update, consistency, forgetting. One after the other, never from a cache.
import type { Environment, OpenedResources } from "../answer/open.ts";
import type { Candidate, CandidateModel } from "../candidate.ts";
import { messageOf } from "../errors.ts";
import { isLocal } from "../model.ts";
import type { Store } from "../store.ts";
import { contentKey } from "../util/hash.ts";
import { type Forgetting, type General, measureForgetting, measureGeneral } from "./forgetting.ts";
import { measureMemory } from "./memory.ts";
import { measureUpdate, type Update } from "./update.ts";

export interface Measured {
  readonly peakMemoryBytes?: number;
  readonly update: Update;
  readonly forgetting?: Forgetting;
  /** What could not be measured and why. */
  readonly notes: readonly string[];
}

export interface MeasureOptions {
  readonly candidate: Candidate;
  readonly inputs: readonly string[];
  readonly resources: OpenedResources;
  readonly environment: Environment;
  /** The task's store as a folder, for the process that measures memory. */
  readonly storeFolder: string;
  /** Keeps what is measured of base models. */
  readonly cache: Store;
  readonly forgetting: { readonly bytes: number; readonly questions: number };
  /** The model as the task named it, to compare with. */
  readonly base?: CandidateModel;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export async function measure(options: MeasureOptions): Promise<Measured> {
  const { candidate, inputs, resources, environment, storeFolder, signal } = options;
  const notes: string[] = [];
  const attempt = async <T>(what: string, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      signal?.throwIfAborted();
      notes.push(`${what} was not measured: ${messageOf(error)}`);
      return undefined;
    }
  };
  const { secret: _kept, ...plain } = environment;
  const request = { candidate, inputs: inputs.slice(0, 3), documents: resources.documents, storeFolder, environment: plain };
  const peakMemoryBytes = await attempt("Memory", () => measureMemory({ ...request, ...(signal && { signal }) }));
  const update = await attempt("The update", () => measureUpdate(candidate, resources));
  const forgetting = await attempt("Forgetting", () => forgettingOf(options));
  return {
    update: update ?? { seconds: candidate.manifest.build.seconds, how: "rebuild" },
    notes,
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    ...(forgetting === undefined ? {} : { forgetting }),
  };
}

async function forgettingOf(options: MeasureOptions): Promise<Forgetting | undefined> {
  const { candidate, resources, cache, base, forgetting, seed, signal } = options;
  if (candidate.kind !== "generate" || !candidate.manifest.weightsChanged || base === undefined || !candidate.model.chat) return undefined;
  return measureForgetting({
    candidate,
    resources,
    base: await generalOf({ base, resources, cache, forgetting, ...(signal && { signal }) }),
    ...forgetting,
    seed,
    ...(signal && { signal }),
  });
}

async function generalOf({
  base,
  resources,
  cache,
  forgetting,
  signal,
}: Required<Pick<MeasureOptions, "base">> & Pick<MeasureOptions, "resources" | "cache" | "forgetting" | "signal">): Promise<General> {
  const model = await resources.model(base);
  if (!isLocal(model)) throw new Error(`${base.name} is behind an API; its probabilities are not here.`);
  const key = `general/${contentKey([model.key, forgetting])}.json`;
  const kept = await cache.readText(key);
  if (kept !== undefined) return JSON.parse(kept) as General;
  const general = await measureGeneral({ model, ...forgetting, ...(signal && { signal }) });
  await cache.writeText(key, JSON.stringify(general));
  return general;
}
