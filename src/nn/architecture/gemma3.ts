// Gemma 3: norms before and behind both halves of a layer, most layers looking back over a window only, embeddings scaled up.

import { geluTanh } from "../../graph/ops.ts";
import type { Architecture } from "../architecture.ts";
import { checkConfig, type DecoderConfig, type SlidingLayers } from "../config.ts";
import { headNorms, layerMakers, usualLayer } from "../layer-parameters.ts";
import { type ModelFile, numberAt, refuse, usualConfig } from "../model-file.ts";

/** Of how many layers one looks back all the way, where the file does not say. */
const patternLength = 6;
/** The 27B model scales queries by width / heads, all others by the size of a head; only the number of layers tells which it is. */
const layersOf27B = 62;

/** Gemma Team 2025, https://arxiv.org/abs/2503.19786. GGUF files hold 1 + w of its norms' weights w, so these are norms like others. */
export const gemma3: Architecture = {
  async config(file) {
    if (numberAt(file, "gemma3", "final_logit_softcapping", 0) !== 0) refuse(file, "capped logits");
    const config = usualConfig(file, "gemma3");
    const sliding = slidingLayers(file, config);
    return sliding === undefined ? config : checkConfig({ ...config, sliding }, file.path);
  },
  layer(config, layer) {
    const { norm } = layerMakers(config, layer);
    return {
      ...usualLayer(config, layer),
      ...headNorms(config, layer),
      attentionPostNorm: norm("post_attention_norm"),
      feedForwardPostNorm: norm("post_ffw_norm"),
    };
  },
  rotatedPairs: "halves",
  activation: geluTanh,
  embeddingScale: ({ width }) => Math.sqrt(width),
  attentionScale: ({ layers, width, heads, headDim }) => 1 / Math.sqrt(layers === layersOf27B ? width / heads : headDim),
};

function slidingLayers(file: ModelFile, { layers }: DecoderConfig): SlidingLayers | undefined {
  const window = numberAt(file, "gemma3", "attention.sliding_window", 0);
  if (window === 0) return undefined;
  const flags = file.metadata["gemma3.attention.sliding_window_pattern"];
  const every = Array.isArray(flags) ? 0 : numberAt(file, "gemma3", "attention.sliding_window_pattern", patternLength);
  return {
    window,
    ropeBase: numberAt(file, "gemma3", "rope.freq_base_swa", 10_000),
    layers: Array.from({ length: layers }, (_, layer) =>
      Array.isArray(flags) ? Boolean(flags[layer]) : every === 0 || (layer + 1) % every !== 0,
    ),
  };
}
