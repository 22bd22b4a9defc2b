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

/** The number under `<architecture>.<key>`, or `otherwise` where the key is missing. @throws {UserError} if it is no number. */
export function numberAt({ metadata, path }: ModelFile, architecture: ArchitectureName, key: string, otherwise?: number): number {
  const name = `${architecture}.${key}`;
  const value = metadata[name] ?? otherwise;
  if (typeof value === "number") return value;
  throw new UserError(
    `${path} has no number at "${name}" in its metadata (found ${shown(value)}). The file is broken or of an unknown kind; fetch it again.`,
  );
}

/** The configuration that all architectures keep under the same keys. @throws {UserError} for variants that none here knows. */
export function usualConfig(file: ModelFile, architecture: ArchitectureName): DecoderConfig {
  const read = (key: string, otherwise?: number): number => numberAt(file, architecture, key, otherwise);
  if (read("expert_count", 0) > 0) refuse(file, "a mixture of experts");
  const [width, heads] = [read("embedding_length"), read("attention.head_count")];
  const headDim = read("attention.key_length", width / heads);
  const rotated = read("rope.dimension_count", headDim);
  if (rotated !== headDim) refuse(file, `rotary positions for ${rotated} of the ${headDim} numbers of a head`);
  const valueDim = read("attention.value_length", headDim);
  if (valueDim !== headDim) refuse(file, `values of ${valueDim} numbers beside keys of ${headDim}`);
  const ropeDivisor = positionDivisor(file, architecture);
  const layers = read("block_count");
  // Before layers are listed: a file that lies has no end of them.
  if (layers > file.tensors.size) contradiction(file, `${layers} layers in ${file.tensors.size} tensors`);
  const config: DecoderConfig = {
    architecture,
    layers,
    width,
    heads,
    kvHeads: read("attention.head_count_kv", heads),
    headDim,
    hidden: read("feed_forward_length"),
    vocabulary: file.tensors.get("token_embd.weight")?.shape[0] ?? contradiction(file, "the tensor token_embd.weight is missing"),
    context: read("context_length"),
    ropeBase: read("rope.freq_base", 10_000),
    ...(ropeDivisor === 1 ? {} : { ropeDivisor }),
    epsilon: read("attention.layer_norm_rms_epsilon"),
    tied: !file.tensors.has("output.weight"),
  };
  return checkConfig(config, file.path);
}

/** @throws {UserError} that the model computes something that tuning does not. */
export function refuse({ path }: ModelFile, what: string): never {
  throw new UserError(`${path} uses ${what}, which tuning does not know. Choose another model, or adapt this one by prompts or retrieval.`);
}

/** @throws {UserError} that metadata and tensors do not go together. */
export function contradiction({ path }: ModelFile, what: string): never {
  throw new UserError(`${path} does not hold what its metadata say: ${what}. The file is broken or of an unknown kind; fetch it again.`);
}

/** A tensor has this shape, row-major. @throws {UserError} if not. */
export function checkTensor(file: ModelFile, tensor: string, shape: readonly number[]): void {
  const wanted = shape.join(", ");
  const found = file.tensors.get(tensor)?.shape.join(", ");
  if (found === wanted) return;
  contradiction(file, `the tensor ${tensor} should be [${wanted}] and is ${found === undefined ? "missing" : `[${found}]`}`);
}

/** Positions closer together (Chen et al. 2023, https://arxiv.org/abs/2306.15595). */
function positionDivisor(file: ModelFile, architecture: ArchitectureName): number {
  const scaling = file.metadata[`${architecture}.rope.scaling.type`] ?? "linear";
  if (scaling === "none") return 1;
  if (scaling !== "linear") refuse(file, `rope scaling ${shown(scaling)}`);
  if (numberAt(file, architecture, "rope.scaling.attn_factor", 1) !== 1) refuse(file, "attention scaled by the length of the context");
  return numberAt(file, architecture, "rope.scaling.factor", numberAt(file, architecture, "rope.scale_linear", 1));
}

/** What a file says, as one line of text: lists may be long. */
export function shown(value: unknown): string {
  return Array.isArray(value) ? "a list" : typeof value === "string" ? JSON.stringify(value) : String(value);
}
