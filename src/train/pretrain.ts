// Training a small llama from scratch: random weights, then the same engine.

import { checkConfig, type DecoderConfig } from "../nn/config.ts";
import { isMatrix } from "../nn/parameters.ts";
import { seededRandom } from "../util/random.ts";
import { commonDefaults, pretrainDefaults } from "./defaults.ts";
import { type Engine, fillParameter } from "./engine.ts";
import type { TrainingEvent } from "./events.ts";
import { runTraining, type TrainingOptions } from "./run.ts";
import { type FullResult, readTrained } from "./tune-full.ts";

/** What a shape may leave out: a llama whose heads share its width. */
type Filled = "architecture" | "headDim" | "epsilon" | "tied";

export interface PretrainOptions extends TrainingOptions {
  readonly config: Omit<DecoderConfig, Filled> & Partial<Pick<DecoderConfig, Filled>>;
}

/** All tensors of the best epoch under their GGUF names, and the configuration with every default filled in. */
export interface PretrainResult extends FullResult {
  readonly config: DecoderConfig;
}

/**
 * Trains a model of the given shape from scratch and yields what happens; the last event holds all its tensors.
 * @throws {UserError} for a shape that does not fit together, sequences that do not fit it, or a run that diverges.
 */
export async function* pretrain({ config: given, ...training }: PretrainOptions): AsyncGenerator<TrainingEvent<PretrainResult>> {
  const config = checkConfig(
    { architecture: "llama", headDim: given.width / given.heads, epsilon: 1e-5, tied: true, ...given },
    "The model to train",
  );
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
async function initialise(engine: Engine, config: DecoderConfig, seed: number): Promise<void> {
  const random = seededRandom(`pretrain ${seed}`);
  for (const parameter of engine.model.trained) {
    const residual = parameter.name.endsWith("attn_output") || parameter.name.endsWith("ffn_down");
    const deviation = residual ? DEVIATION / Math.sqrt(2 * config.layers) : DEVIATION;
    const draw = isMatrix(parameter) ? () => deviation * random.normal() : () => (parameter.kind === "norm" ? 1 : 0);
    await fillParameter(engine, parameter, draw);
  }
}
