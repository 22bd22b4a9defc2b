// Qwen2 and Qwen2.5: a llama with biases on query, key and value.

import { silu } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { layerMakers, queryKeyValueRows, usualLayer } from "../layer-parameters.ts";
import { usualConfig } from "../model-file.ts";

/** Yang et al. 2024, https://arxiv.org/abs/2407.10671. */
export const qwen2: Architecture = {
  config: async (file) => usualConfig(file, "qwen2"),
  layer: (config, layer) => ({
    ...usualLayer(config, layer),
    queryKeyValueBias: layerMakers(config, layer).bias("attn_qkv.bias", queryKeyValueRows(config)),
  }),
  rotatedPairs: "halves",
  activation: silu,
};
