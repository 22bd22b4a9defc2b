// LoRA tuning of a GGUF model: adapters on its linear layers, the model itself frozen.

import { UserError } from "../errors.ts";
import type { ArchitectureName } from "../nn/config.ts";
import { type LoraTarget, loraTargets, type LoraTensors, unstack } from "../nn/lora.ts";
import { elementCount } from "../nn/parameters.ts";
import { sha256File } from "../util/hash.ts";
import { seededRandom } from "../util/random.ts";
import { openBase } from "./base.ts";
import { checkSettings } from "./check.ts";
import { commonDefaults, loraDefaults } from "./defaults.ts";
import { type Engine, fillParameter } from "./engine.ts";
import type { TrainingEvent } from "./events.ts";
import { runTraining, type TuneOptions } from "./run.ts";

export interface TuneLoraOptions extends TuneOptions {
  /** The GGUF file that will be served: its weights, dequantised, are what the adapter is fitted to (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314). */
  readonly basePath: string;
  readonly rank?: number;
  /** The adapter is scaled by alpha / rank, here and by whoever serves it. */
  readonly alpha?: number;
  /** Scale by alpha / sqrt(rank) instead, which keeps high ranks learning (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732). */
  readonly rsLora?: boolean;
  /** Which layers of each block are adapted; all without it. */
  readonly targets?: readonly LoraTarget[];
  /** Share of the numbers that adapters read which are 0 in a training step: from 0, the default, to below 1. */
  readonly dropout?: number;
}

/** The adapter of the best epoch: what `writeGgufAdapter` takes. Rows are in the order of the GGUF file. */
export interface LoraResult {
  readonly architecture: ArchitectureName;
  readonly adapter: readonly LoraTensors[];
  readonly rank: number;
  /** Divided by the rank this is the scale, however it was chosen: with rsLora it is the alpha given times sqrt(rank). */
  readonly alpha: number;
}

/**
 * Tunes LoRA adapters and yields what happens; the last event holds the adapter of the best epoch.
 * @throws {UserError} for a model that cannot be tuned, sequences that do not fit it, or a run that diverges.
 */
export async function* tuneLora({
  basePath,
  rank = loraDefaults.rank,
  alpha: given = loraDefaults.alpha,
  rsLora = false,
  targets = loraTargets,
  dropout = 0,
  ...training
}: TuneLoraOptions): AsyncGenerator<TrainingEvent<LoraResult>> {
  const alpha = rsLora ? given * Math.sqrt(rank) : given;
  checkSettings({ rank, alpha, dropout });
  const lora = { rank, alpha, targets: checkTargets(targets), dropout };
  const { config, read, packed } = await openBase(basePath);
  yield* runTraining<LoraResult>({
    config,
    method: { kind: "lora", ...lora },
    training: { ...loraDefaults, ...training },
    read,
    packed,
    identity: { kind: "lora", ...lora, base: await sha256File(basePath) },
    begin: (engine) => initialise(engine, training.seed ?? commonDefaults.seed),
    shrink: shrinkAdapter,
    finish: async (engine) => ({ architecture: config.architecture, adapter: await readAdapter(engine), rank, alpha }),
  });
}

/** In one order, so that the same set is the same run. */
function checkTargets(targets: readonly LoraTarget[]): readonly LoraTarget[] {
  const unknown = targets.find((target) => !loraTargets.includes(target));
  if (targets.length === 0 || unknown !== undefined)
    throw new UserError(`targets is [${targets.join(", ")}]. Name one or more of: ${loraTargets.join(", ")}.`);
  return loraTargets.filter((target) => targets.includes(target));
}

/** A uniform in +-1/sqrt(inputs) as in the paper's code, B zero: the model starts as it is. */
async function initialise(engine: Engine, seed: number): Promise<void> {
  const random = seededRandom(`lora ${seed}`);
  for (const { a } of engine.model.pairs) {
    const [, inputs = 0] = a.shape;
    const bound = 1 / Math.sqrt(inputs);
    await fillParameter(engine, a, () => (2 * random.next() - 1) * bound);
  }
}

/** The product B A is what is added to the model, so that B alone is made smaller. */
async function shrinkAdapter(engine: Engine, factor: number): Promise<void> {
  for (const { b } of engine.model.pairs) {
    const { offset } = engine.view(b);
    const numbers = await engine.read("parameter", offset, elementCount(b));
    await engine.write(
      "parameter",
      numbers.map((value) => factor * value),
      offset,
    );
  }
}

async function readAdapter(engine: Engine): Promise<readonly LoraTensors[]> {
  const adapter: LoraTensors[] = [];
  for (const pair of engine.model.pairs) {
    const [a, b] = [engine.view(pair.a), engine.view(pair.b)];
    const read = ({ offset, dims }: typeof a) =>
      engine.read(
        "parameter",
        offset,
        dims.reduce((product, dim) => product * dim, 1),
      );
    adapter.push(...unstack(pair, await read(a), await read(b)));
  }
  return adapter;
}
