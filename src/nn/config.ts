// The shape of a decoder, whatever its architecture. Knows no file format and no layer.

import { UserError } from "../errors.ts";

/** Architectures that can be tuned, by their name in `general.architecture` of a GGUF file. */
export type ArchitectureName = "llama" | "qwen2" | "qwen3" | "gemma3" | "phi3";

/** A decoder with RMSNorm, rotary positions, grouped-query attention and a gated feed-forward layer. */
export interface DecoderConfig {
  readonly architecture: ArchitectureName;
  readonly layers: number;
  /** Numbers in a hidden state. */
  readonly width: number;
  readonly heads: number;
  /** Key and value heads; each serves heads / kvHeads query heads. */
  readonly kvHeads: number;
  /** Numbers in a head. */
  readonly headDim: number;
  /** Numbers in the feed-forward layer. */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Positions. */
  readonly context: number;
  readonly ropeBase: number;
  /** By how much all pairs of numbers, or each [headDim / 2], turn slower in a model that was stretched to a longer context. */
  readonly ropeDivisor?: number | readonly number[];
  /** Layers that look back over a window only; without it all look back all the way. */
  readonly sliding?: SlidingLayers;
  readonly epsilon: number;
  /** The output layer is the embedding table. */
  readonly tied: boolean;
}

export interface SlidingLayers {
  /** Positions that a row looks at, its own included. */
  readonly window: number;
  readonly ropeBase: number;
  /** Whether each layer is one of them. */
  readonly layers: readonly boolean[];
}

/** The configuration itself. @throws {UserError} if its sizes do not fit together. */
export function checkConfig(config: DecoderConfig, name: string): DecoderConfig {
  const { window, ropeBase } = config.sliding ?? {};
  for (const [key, values] of Object.entries({ ...config, "sliding window": window, "rope base of sliding layers": ropeBase })) {
    const wrong = (Array.isArray(values) ? values : [values]).find((value) => typeof value === "number" && !(value > 0));
    if (wrong !== undefined) throw new UserError(`${name}: ${key} is ${String(wrong)}; it must be above 0.`);
  }
  if (config.headDim % 2 !== 0)
    throw new UserError(
      `${name}: a head has ${config.headDim} numbers, which rotary positions cannot pair (width ${config.width}, ${config.heads} heads). Change width or heads.`,
    );
  if (config.heads % config.kvHeads !== 0)
    throw new UserError(`${name}: ${config.heads} heads cannot share ${config.kvHeads} key heads evenly. Change heads or kvHeads.`);
  return config;
}
