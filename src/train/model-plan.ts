// The shape, the length and the learning rate of a training from scratch, from one number: how deep the model is, or how many tokens it
// may read. Pure.

import { UserError } from "../errors.ts";
import { decoderParameters } from "../nn/architectures.ts";
import type { DecoderConfig } from "../nn/config.ts";
import { allParameters, elementCount } from "../nn/parameters.ts";

/** One dial: layers, or tokens to be read in all. Without either, as many tokens as the text is worth. */
export interface ModelPlanOptions {
  readonly depth?: number | undefined;
  readonly tokens?: number | undefined;
  /** Tokens of the training text. */
  readonly textTokens: number;
  readonly vocabulary: number;
  readonly context: number;
}

export interface ModelPlan {
  readonly config: DecoderConfig;
  readonly parameters: number;
  /** Tokens that the run reads, those read again included. */
  readonly tokens: number;
  /** Passes over the text that this takes. */
  readonly epochs: number;
  /** Tokens that a model of this size is worth; more than `tokens` where the text is too short for it. */
  readonly worth: number;
  readonly learningRate: number;
}

/** A compute-optimal model reads about 20 tokens a parameter (Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556, table 3). */
const TOKENS_A_PARAMETER = 20;
/**
 * A text read a second, third and fourth time teaches nearly as much as new text; what further passes are worth falls off with a scale
 * of about 15 (Muennighoff et al. 2023, https://arxiv.org/abs/2305.16264, section 6), so more than 16 are not planned.
 */
const MOST_EPOCHS = 16;
/** Deeper models cannot be trained on one machine's processor in any time that one waits for. */
const MOST_LAYERS = 32;

/**
 * The model for a depth (its width is 64 times that, as in nanochat's `--depth`, https://github.com/karpathy/nanochat), or the deepest
 * whose weights the tokens are enough for; and how long it is trained.
 * @throws {UserError} for a depth or a number of tokens that no model can be made of.
 */
export function modelPlan({ depth, tokens, textTokens, vocabulary, context }: ModelPlanOptions): ModelPlan {
  if (depth !== undefined && tokens !== undefined)
    throw new UserError("Both a depth and a number of tokens are given. Each decides the other: give one.");
  check("depth", depth, MOST_LAYERS);
  check("tokens", tokens, Number.MAX_SAFE_INTEGER);
  const most = MOST_EPOCHS * textTokens;
  const config = configOf(depth ?? depthFor(tokens ?? most, { vocabulary, context }), { vocabulary, context });
  const parameters = parameterCount(config);
  const worth = TOKENS_A_PARAMETER * parameters;
  const planned = tokens ?? Math.min(worth, most);
  const epochs = Math.max(1, Math.ceil(planned / textTokens));
  return { config, parameters, tokens: planned, epochs, worth, learningRate: learningRateFor(config.width) };
}

/** One token for about 25 characters of text, so that each is seen often enough; 512 to 4,096. */
export function vocabularySizeFor(characters: number): number {
  return Math.min(4096, Math.max(512, Math.round(characters / 25)));
}

type Sizes = Pick<DecoderConfig, "vocabulary" | "context">;

/** Numbers of a head; with the width a multiple of it, there is a head for each layer of depth. */
const HEAD = 64;

function configOf(depth: number, { vocabulary, context }: Sizes): DecoderConfig {
  const width = HEAD * depth;
  return {
    architecture: "llama",
    layers: depth,
    width,
    heads: depth,
    kvHeads: depth,
    headDim: HEAD,
    // SwiGLU's three matrices then have as many weights as two of 4 times the width (Shazeer 2020, https://arxiv.org/abs/2002.05202).
    hidden: HEAD * Math.ceil((8 * width) / 3 / HEAD),
    vocabulary,
    context,
    ropeBase: 10_000,
    epsilon: 1e-5,
    // In a small model a second table would be most of the weights.
    tied: true,
  };
}

/** To go on with what stood after the same words before takes two layers of attention (Olsson et al. 2022, https://arxiv.org/abs/2209.11895). */
const FEWEST_LAYERS = 2;

/** The deepest model that `tokens` are enough for. */
function depthFor(tokens: number, sizes: Sizes): number {
  const enough = (depth: number): boolean => TOKENS_A_PARAMETER * parameterCount(configOf(depth, sizes)) <= tokens;
  let depth = FEWEST_LAYERS;
  while (depth < MOST_LAYERS && enough(depth + 1)) depth++;
  return depth;
}

function parameterCount(config: DecoderConfig): number {
  return allParameters(decoderParameters(config)).reduce((sum, parameter) => sum + elementCount(parameter), 0);
}

/** GPT-3's 6e-4 at a width of 768 (Brown et al. 2020, https://arxiv.org/abs/2005.14165, table 2.1), by the root of the width as in nanochat. */
function learningRateFor(width: number): number {
  return 6e-4 * Math.sqrt(768 / width);
}

function check(name: string, value: number | undefined, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) return;
  throw new UserError(`${name} is ${value}. Give a whole number from 1${most === MOST_LAYERS ? ` to ${most}` : ""}.`);
}
