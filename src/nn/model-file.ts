// A model file as architectures read it: metadata by key, shapes by name. Knows the keys that all share, and no file format.

import { UserError } from "../errors.ts";
import { type ArchitectureName, checkConfig, type DecoderConfig } from "./config.ts";

export interface ModelFile {
  /** Metadata of a GGUF file. */
  readonly metadata: { readonly [key: string]: unknown };
  /** The tensors of the file and their shapes, row-major. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** A tensor as float32. */
  readonly read: (tensor: string) => Promise<Float32Array>;
  /** What to call the file in an error. */
  readonly path: string;
}

/** The configuration that all architectures keep under the same keys. @throws {UserError} for variants that none here knows. */
export function usualConfig(file: ModelFile, architecture: ArchitectureName): DecoderConfig {
  const { tensors, path } = file;
  refuseVariants(file, architecture);
  const read = (key: string): number => numberAt(file, `${architecture}.${key}`);
  const optional = (key: string, otherwise: number): number => (`${architecture}.${key}` in file.metadata ? read(key) : otherwise);
  const [width, heads] = [read("embedding_length"), read("attention.head_count")];
  const headDim = optional("attention.key_length", width / heads);
  const rotated = optional("rope.dimension_count", headDim);
  if (rotated !== headDim) refuse(file, `rotary positions for ${rotated} of the ${headDim} numbers of a head`);
  const valueDim = optional("attention.value_length", headDim);
  if (valueDim !== headDim) refuse(file, `values of ${valueDim} numbers beside keys of ${headDim}`);
  const config: DecoderConfig = {
    architecture,
    layers: read("block_count"),
    width,
    heads,
    kvHeads: optional("attention.head_count_kv", heads),
    headDim,
    hidden: read("feed_forward_length"),
    vocabulary: tensors.get("token_embd.weight")?.shape[0] ?? missingTensor(file, "token_embd.weight"),
    context: read("context_length"),
    ropeBase: optional("rope.freq_base", 10_000),
    epsilon: read("attention.layer_norm_rms_epsilon"),
    tied: !tensors.has("output.weight"),
  };
  return checkConfig(config, path);
}

/** @throws {UserError} that the model computes something that tuning does not. */
export function refuse({ path }: ModelFile, what: string): never {
  throw new UserError(`${path} uses ${what}, which tuning does not know. Choose another model, or adapt this one by prompts or retrieval.`);
}

export function missingTensor({ path }: ModelFile, tensor: string): never {
  throw new UserError(`${path} has no tensor "${tensor}". The file is no complete model; fetch it again.`);
}

function refuseVariants(file: ModelFile, architecture: ArchitectureName): void {
  const { metadata, tensors } = file;
  const scaling = metadata[`${architecture}.rope.scaling.type`];
  if (scaling !== undefined && scaling !== "none") refuse(file, `rope scaling ${JSON.stringify(scaling)}`);
  if (tensors.has("rope_freqs.weight")) refuse(file, "scaled rope frequencies");
  if (Number(metadata[`${architecture}.expert_count`] ?? 0) > 0) refuse(file, "a mixture of experts");
}

function numberAt({ metadata, path }: ModelFile, key: string): number {
  const value = metadata[key];
  if (typeof value === "number") return value;
  throw new UserError(
    `${path} has no number at "${key}" in its metadata (found ${String(value)}). The file is broken or of an unknown kind; fetch it again.`,
  );
}
