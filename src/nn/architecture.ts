// What an architecture says about itself; its page in `architecture/` does, and `architectures.ts` lists the pages. Types only.

import type { Value } from "../graph/ir.ts";
import type { DecoderConfig } from "./config.ts";
import type { LayerParameters } from "./parameters.ts";
import type { ModelFile } from "./model-file.ts";

export interface Architecture {
  /** The configuration in a GGUF file. @throws {UserError} for a variant that is not known here. */
  readonly config: (file: ModelFile) => Promise<DecoderConfig>;
  readonly layer: (config: DecoderConfig, layer: number) => LayerParameters;
  /** Tensors beside the parameters that the configuration was read from. */
  readonly constants?: readonly string[];
  /** Which numbers of a head are rotated together: neighbours, or each with the one half a head on. */
  readonly rotatedPairs: "neighbours" | "halves";
  /** Of the gate of the feed-forward layer. */
  readonly activation: (x: Value) => Value;
  /** What embeddings are multiplied by before the first layer: 1 without it. */
  readonly embeddingScale?: (config: DecoderConfig) => number;
  /** What the products of queries and keys are multiplied by: 1 / sqrt(headDim) without it. */
  readonly attentionScale?: (config: DecoderConfig) => number;
}
