// Refuses a broken model file before llama.cpp sees it, which would wait without end, take gigabytes or end the whole process over some.
import { UserError } from "../errors.ts";
import type { Metadata } from "../weights/gguf-metadata.ts";
import { readGguf } from "../weights/gguf-read.ts";

/** What a number of the metadata may be; those that are `needed` stand in every file. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly needed?: boolean;
}

const WIDEST = 2 ** 24;
/** By key, without the architecture before it. */
const ranges: { readonly [key: string]: Range } = {
  // At most LLAMA_MAX_LAYERS of llama.cpp.
  block_count: { least: 1, most: 512, needed: true },
  context_length: { least: 2, most: 2 ** 30, needed: true },
  embedding_length: { least: 1, most: WIDEST, needed: true },
  "attention.layer_norm_rms_epsilon": { least: 0, most: 1 },
  // At most LLAMA_MAX_EXPERTS.
  expert_count: { least: 0, most: 512 },
};
const expertRanges: { readonly [key: string]: Range } = { expert_used_count: { least: 1, most: 512, needed: true } };
/** What models with attention in every layer have: others may say 0. */
const attentionRanges: { readonly [key: string]: Range } = {
  feed_forward_length: { least: 1, most: WIDEST, needed: true },
  "attention.head_count": { least: 1, most: WIDEST, needed: true },
  "attention.head_count_kv": { least: 1, most: WIDEST },
};
const attentionArchitectures: readonly unknown[] = ["llama", "qwen2", "qwen3", "gemma3", "phi3"];
const ropeScalings: readonly unknown[] = [undefined, "none", "linear", "yarn", "longrope"];

/** @throws {UserError} when the header contradicts the file, or claims what no model has. */
export async function checkModelFile(path: string): Promise<void> {
  const { metadata } = await readGguf(path);
  const wrong = wrongNumber(metadata) ?? wrongScaling(metadata) ?? wrongVocabulary(metadata["tokenizer.ggml.tokens"]);
  if (wrong !== undefined) throw new UserError(`${path} is no usable model: ${wrong}. Fetch or export it again.`);
}

function wrongNumber(metadata: Metadata): string | undefined {
  const architecture = metadata["general.architecture"];
  const all = {
    ...ranges,
    ...(attentionArchitectures.includes(architecture) ? attentionRanges : {}),
    ...(Number(metadata[`${String(architecture)}.expert_count`] ?? 0) > 0 ? expertRanges : {}),
  };
  for (const [key, { least, most, needed = false }] of Object.entries(all)) {
    const name = `${String(architecture)}.${key}`;
    const value = metadata[name];
    if (value === undefined && needed) return `its ${name} is missing`;
    // A list has a number for each layer.
    if (typeof value === "number" && !(value >= least && value <= most)) return `its ${name} is ${value}`;
  }
  return undefined;
}

function wrongScaling(metadata: Metadata): string | undefined {
  const name = `${String(metadata["general.architecture"])}.rope.scaling.type`;
  return ropeScalings.includes(metadata[name]) ? undefined : `its ${name} is none of ${ropeScalings.slice(1).join(", ")}`;
}

function wrongVocabulary(tokens: unknown): string | undefined {
  if (!Array.isArray(tokens) || tokens.length === 0) return "it has no vocabulary";
  // Tokens that are no text look alike here; empty ones are given names by llama.cpp.
  const texts = tokens.filter((token) => token !== "" && !String(token).includes("\ufffd"));
  const repeated = texts.length - new Set(texts).size;
  return repeated === 0 ? undefined : `${repeated} tokens of its vocabulary stand in it already`;
}
