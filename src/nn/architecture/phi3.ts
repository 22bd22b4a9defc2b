// Phi-3 and Phi-4: a llama with query, key and value in one tensor, and gate and up in another.

import { silu } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { layerMakers, usualLayer } from "../layer-parameters.ts";
import { refuse, usualConfig } from "../model-file.ts";

/**
 * Abdin et al. 2024, https://arxiv.org/abs/2404.14219. Without its sliding window, which llama.cpp does not apply either: what is
 * trained is what will be served.
 */
export const phi3: Architecture = {
  async config(file) {
    if (file.tensors.has("rope_factors_long.weight")) refuse(file, "long rope (rope_factors_long.weight)");
    return usualConfig(file, "phi3");
  },
  layer(config, layer) {
    const { width, heads, kvHeads, headDim, hidden } = config;
    const { linear } = layerMakers(config, layer);
    return {
      ...usualLayer(config, layer),
      queryKeyValue: linear("attn_qkv", width, { attn_qkv: (heads + 2 * kvHeads) * headDim }),
      gateUp: linear("ffn_gate_up", width, { ffn_up: 2 * hidden }),
    };
  },
  rotatedPairs: "halves",
  activation: silu,
};
