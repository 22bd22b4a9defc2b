// Settings for a run from the size of its data and of the model, each with its reason. Pure; where validation can tell, a sweep does better.

import type { DecoderConfig } from "../nn/config.ts";
import { mean } from "../util/mean.ts";
import { learntTokens, parameterSizes, type SequenceLength } from "./estimate.ts";

export interface ChooseOptions {
  readonly kind: "lora" | "full";
  readonly config: DecoderConfig;
  /** Of the training data. */
  readonly sequences: readonly SequenceLength[];
}

export interface ChosenSettings {
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Of LoRA. */
  readonly rank: number;
  readonly alpha: number;
  /** One line for each setting; alpha follows the rank. */
  readonly reasons: { readonly [S in "learningRate" | "epochs" | "batchSize" | "rank"]: string };
}

interface Choice {
  readonly value: number;
  readonly reason: string;
}

/** What to begin with where nothing better is known. */
export function chooseSettings(options: ChooseOptions): ChosenSettings {
  const batchSize = batchSizeFor(options);
  const epochs = epochsFor(options, batchSize.value);
  const learningRate = learningRateFor(options);
  const rank = rankFor(options);
  return {
    learningRate: learningRate.value,
    epochs: epochs.value,
    batchSize: batchSize.value,
    rank: rank.value,
    alpha: 2 * rank.value,
    reasons: { learningRate: learningRate.reason, epochs: epochs.reason, batchSize: batchSize.reason, rank: rank.reason },
  };
}

function batchSizeFor({ sequences }: ChooseOptions): Choice {
  const count = sequences.length;
  const length = Math.round(mean(sequences.map(({ tokens }) => tokens)));
  if (count < 64) return { value: 4, reason: `${count} examples: with more at once an epoch would be a handful of updates` };
  if (length > 512) return { value: 4, reason: `${length} tokens an example: four are a gradient steady enough` };
  if (count >= 4000) return { value: 16, reason: `${count} examples: updates enough for a steadier gradient` };
  return { value: 8, reason: `${count} examples of ${length} tokens` };
}

/** Updates in all. */
const UPDATES = 200;

function epochsFor({ sequences }: ChooseOptions, batchSize: number): Choice {
  const perEpoch = Math.max(1, Math.ceil(sequences.length / batchSize));
  const value = Math.min(20, Math.max(2, Math.round(UPDATES / perEpoch)));
  return { value, reason: `${perEpoch} updates an epoch, ${value * perEpoch} in all` };
}

/** Weights of the demo model, whose learning rates were found by trial. */
const SMALL = 135e6;

/**
 * LoRA: 1e-3 for 135M, falling with the size so that 7B has 2e-4 and 65B about 1e-4, as in Dettmers et al. 2023
 * (https://arxiv.org/abs/2305.14314, table 9). All weights: a twentieth of it.
 */
function learningRateFor({ kind, config }: ChooseOptions): Choice {
  const { all } = parameterSizes({ kind, config });
  const forLora = 1e-3 * Math.min(1, SMALL / all) ** 0.4;
  const value = Number((kind === "lora" ? forLora : forLora / 20).toPrecision(1));
  return { value, reason: `${Math.round(all / 1e6)}M weights, ${kind === "lora" ? "adapters learnt" : "all of them learnt"}` };
}

/**
 * The adapter should hold at least as many numbers as there are tokens to learn (Schulman 2025, "LoRA without regret": about two bits a
 * number, and one bit a token), in powers of two from 8 to 64.
 */
function rankFor({ config, sequences }: ChooseOptions): Choice {
  const tokens = learntTokens(sequences);
  const { trained } = parameterSizes({ kind: "lora", config, rank: 1 });
  const value = Math.min(64, Math.max(8, 2 ** Math.ceil(Math.log2(Math.max(1, tokens / trained)))));
  return { value, reason: `${tokens} tokens to learn, ${trained} numbers learnt at rank 1` };
}
