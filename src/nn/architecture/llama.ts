// Llama and what is built like it: SmolLM2, TinyLlama, Mistral; Llama 3.1 and later with their stretched positions.

import { silu } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { checkConfig, type DecoderConfig } from "../config.ts";
import { usualLayer } from "../layer-parameters.ts";
import { checkTensor, type ModelFile, usualConfig } from "../model-file.ts";

/** By what each pair's speed is divided; conversion works it out from the metadata of the scaling. */
const ropeFactors = "rope_freqs.weight";

/** Touvron et al. 2023, https://arxiv.org/abs/2302.13971; scaled positions: Grattafiori et al. 2024, https://arxiv.org/abs/2407.21783. */
export const llama: Architecture = {
  config: async (file) => stretched(usualConfig(file, "llama"), file),
  layer: usualLayer,
  constants: [ropeFactors],
  // Conversion to GGUF reorders the rows of query and key for this architecture alone.
  rotatedPairs: "neighbours",
  activation: silu,
};

async function stretched(config: DecoderConfig, file: ModelFile): Promise<DecoderConfig> {
  if (!file.tensors.has(ropeFactors)) return config;
  const { headDim, ropeDivisor = 1 } = config;
  checkTensor(file, ropeFactors, [headDim / 2]);
  const factors = await file.read(ropeFactors);
  return checkConfig({ ...config, ropeDivisor: Array.from(factors, (factor) => factor * Number(ropeDivisor)) }, file.path);
}
