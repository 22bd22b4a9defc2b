// Training a small llama from scratch: random weights, then the same engine.

import { checkConfig, type LlamaConfig } from "../nn/config.ts";
import { seededRandom } from "../util/random.ts";
import { commonDefaults, pretrainDefaults } from "./defaults.ts";
import { type Engine, fillParameter } from "./engine.ts";
import type { TrainingEvent } from "./events.ts";
import { runTraining, type TrainingOptions } from "./run.ts";
import { type FullResult, readTrained } from "./tune-full.ts";

export interface PretrainOptions extends TrainingOptions {
  readonly config: Omit<LlamaConfig, "epsilon" | "tied"> & Partial<Pick<LlamaConfig, "epsilon" | "tied">>;
}

/** All tensors of the best epoch under their GGUF names, and the configuration with every default filled in. */
export interface PretrainResult extends FullResult {
  readonly config: LlamaConfig;
}

/**
 * Trains a model of the given shape from scratch and yields what happens; the last event holds all its tensors.
 * @throws {UserError} for a shape that does not fit together, sequences that do not fit it, or a run that diverges.
 */
export async function* pretrain({ config: given, ...training }: PretrainOptions): AsyncGenerator<TrainingEvent<PretrainResult>> {
  const config = checkConfig({ epsilon: 1e-5, tied: true, ...given }, "The model to train");
  yield* runTraining<PretrainResult>({
    config,
    method: { kind: "full", trains: () => true },
    training: { ...pretrainDefaults, ...training },
    read: (tensor) => Promise.reject(new Error(`${tensor} is not frozen.`)),
    identity: { kind: "pretrain" },
    begin: (engine) => initialise(engine, config, training.seed ?? commonDefaults.seed),
    finish: async (engine) => ({ tensors: await readTrained(engine), config }),
  });
}

const DEVIATION = 0.02;

/** Normal numbers; layers that add to the residual stream start smaller (Radford et al. 2019, section 2.3). */
async function initialise(engine: Engine, config: LlamaConfig, seed: number): Promise<void> {
  const random = seededRandom(`pretrain ${seed}`);
  for (const parameter of engine.model.trained) {
    const residual = parameter.name.endsWith("attn_output") || parameter.name.endsWith("ffn_down");
    const deviation = residual ? DEVIATION / Math.sqrt(2 * config.layers) : DEVIATION;
    await fillParameter(engine, parameter, () => (parameter.kind === "norm" ? 1 : deviation * random.normal()));
  }
}
