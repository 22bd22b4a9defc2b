// Llama and what is built like it: SmolLM2, TinyLlama, Mistral.

import { silu } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { usualLayer } from "../layer-parameters.ts";
import { usualConfig } from "../model-file.ts";

/** Touvron et al. 2023, https://arxiv.org/abs/2302.13971. */
export const llama: Architecture = {
  config: async (file) => usualConfig(file, "llama"),
  layer: usualLayer,
  // Conversion to GGUF reorders the rows of query and key for this architecture alone.
  rotatedPairs: "neighbours",
  activation: silu,
};
