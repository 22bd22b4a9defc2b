// Qwen3: a llama whose queries and keys are normed head by head, with heads of a size of their own.

import { silu } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { headNorms, usualLayer } from "../layer-parameters.ts";
import { usualConfig } from "../model-file.ts";

/** Yang et al. 2025, https://arxiv.org/abs/2505.09388. */
export const qwen3: Architecture = {
  config: async (file) => usualConfig(file, "qwen3"),
  layer: (config, layer) => ({ ...usualLayer(config, layer), ...headNorms(config, layer) }),
  rotatedPairs: "halves",
  activation: silu,
};
