// The shape of a llama-architecture model, and where to read it from GGUF metadata. Knows no file format.

import { UserError } from "../errors.ts";

/** A decoder of the llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU. */
export interface LlamaConfig {
  readonly layers: number;
  /** Numbers in a hidden state. */
  readonly width: number;
  readonly heads: number;
  /** Key and value heads; each serves heads / kvHeads query heads. */
  readonly kvHeads: number;
  /** Numbers in the feed-forward layer. */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Positions. */
  readonly context: number;
  readonly ropeBase: number;
  readonly epsilon: number;
  /** The output layer is the embedding table. */
  readonly tied: boolean;
}

export function headDim({ width, heads }: LlamaConfig): number {
  return width / heads;
}

/** Anything with string keys: GGUF metadata. */
type Metadata = { readonly [key: string]: unknown };

export interface LlamaConfigSource {
  readonly metadata: Metadata;
  /** The tensors of the file and their shapes. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** What to call the file in an error. */
  readonly path: string;
}

/** The configuration of a GGUF model. @throws {UserError} for an architecture, or a variant of llama, that cannot be tuned here. */
export function llamaConfig({ metadata, tensors, path }: LlamaConfigSource): LlamaConfig {
  const architecture = metadata["general.architecture"];
  if (architecture !== "llama") {
    throw new UserError(
      `${path} has the architecture "${String(architecture)}"; only "llama" can be tuned. Choose a llama model (sartor models), or adapt this one by prompts or retrieval.`,
    );
  }
  const read = (key: string): number => numberAt(metadata, `llama.${key}`, path);
  const optional = (key: string, otherwise: number): number => (`llama.${key}` in metadata ? read(key) : otherwise);
  refuseVariants(metadata, tensors, path);
  const heads = read("attention.head_count");
  const config: LlamaConfig = {
    layers: read("block_count"),
    width: read("embedding_length"),
    heads,
    kvHeads: optional("attention.head_count_kv", heads),
    hidden: read("feed_forward_length"),
    vocabulary: tensors.get("token_embd.weight")?.shape[0] ?? missingEmbedding(path),
    context: read("context_length"),
    ropeBase: optional("rope.freq_base", 10_000),
    epsilon: read("attention.layer_norm_rms_epsilon"),
    tied: !tensors.has("output.weight"),
  };
  const rotated = optional("rope.dimension_count", headDim(config));
  if (rotated !== headDim(config))
    throw new UserError(
      `${path} rotates ${rotated} of the ${headDim(config)} numbers of a head; such models cannot be tuned. Choose another model.`,
    );
  return checkConfig(config, path);
}

/** The configuration itself. @throws {UserError} if its sizes do not fit together. */
export function checkConfig(config: LlamaConfig, name: string): LlamaConfig {
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === "number" && !(value > 0)) throw new UserError(`${name}: ${key} is ${value}; it must be above 0.`);
  }
  if (config.width % (2 * config.heads) !== 0)
    throw new UserError(`${name}: width ${config.width} is no multiple of twice its ${config.heads} heads. Change width or heads.`);
  if (config.heads % config.kvHeads !== 0)
    throw new UserError(`${name}: ${config.heads} heads cannot share ${config.kvHeads} key heads evenly. Change heads or kvHeads.`);
  return config;
}

// Variants whose forward pass differs from the one built here.
function refuseVariants(metadata: Metadata, tensors: LlamaConfigSource["tensors"], path: string): void {
  const refuse = (what: string) => {
    throw new UserError(
      `${path} uses ${what}, which tuning does not know. Choose another model, or adapt this one by prompts or retrieval.`,
    );
  };
  const scaling = metadata["llama.rope.scaling.type"];
  if (scaling !== undefined && scaling !== "none") refuse(`rope scaling ${JSON.stringify(scaling)}`);
  if (tensors.has("rope_freqs.weight")) refuse("scaled rope frequencies");
  if (Number(metadata["llama.expert_count"] ?? 0) > 0) refuse("a mixture of experts");
  for (const name of ["blk.0.attn_q.bias", "blk.0.attn_output.bias", "blk.0.ffn_gate.bias"])
    if (tensors.has(name)) refuse(`biases (${name})`);
}

function numberAt(metadata: Metadata, key: string, path: string): number {
  const value = metadata[key];
  if (typeof value !== "number")
    throw new UserError(
      `${path} has no number at "${key}" in its metadata (found ${String(value)}). The file is broken or of an unknown kind; fetch it again.`,
    );
  return value;
}

function missingEmbedding(path: string): never {
  throw new UserError(`${path} has no tensor "token_embd.weight". The file is no complete llama model; fetch it again.`);
}
