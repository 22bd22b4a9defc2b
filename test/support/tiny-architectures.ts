// A random model of each architecture that can be tuned, with a tokenizer that llama.cpp accepts: metadata and tensors as conversion
// from transformers writes them, told here a second time so that the engine's own pages are checked and not believed.
import { chatMl } from "../../src/tokenizer/chat-template.ts";
import { ggufTokenizerMetadata } from "../../src/tokenizer/gguf-tokenizer.ts";
import { trainBpe } from "../../src/tokenizer/train-bpe.ts";
import { seededRandom } from "../../src/util/random.ts";
import type { Metadata } from "../../src/weights/gguf-metadata.ts";
import { writeGguf, type TensorToWrite } from "../../src/weights/gguf-write.ts";

type Shapes = { readonly [tensor: string]: readonly number[] };

interface TinyArchitecture {
  readonly metadata: Metadata;
  /** Of one layer, without `blk.<n>.`. */
  readonly layer: Shapes;
  readonly untied?: boolean;
  /** Tensors with numbers of their own. */
  readonly fixed?: { readonly [tensor: string]: readonly number[] };
}

const [layers, width, heads, kvHeads, headDim, hidden] = [3, 48, 4, 2, 12, 80];

const common = {
  block_count: layers,
  context_length: 256,
  embedding_length: width,
  feed_forward_length: hidden,
  "attention.head_count": heads,
  "attention.head_count_kv": kvHeads,
  "attention.layer_norm_rms_epsilon": 1e-5,
  "rope.freq_base": 10_000,
};

const attention = (dim: number): Shapes => ({
  "attn_norm.weight": [width],
  "attn_q.weight": [heads * dim, width],
  "attn_k.weight": [kvHeads * dim, width],
  "attn_v.weight": [kvHeads * dim, width],
  "attn_output.weight": [width, heads * dim],
});
const headNorms = (dim: number): Shapes => ({ "attn_q_norm.weight": [dim], "attn_k_norm.weight": [dim] });
const feedForward: Shapes = {
  "ffn_norm.weight": [width],
  "ffn_gate.weight": [hidden, width],
  "ffn_up.weight": [hidden, width],
  "ffn_down.weight": [width, hidden],
};

export const tinyArchitectures: { readonly [name: string]: TinyArchitecture } = {
  llama: { metadata: { ...common, "rope.dimension_count": headDim }, layer: { ...attention(headDim), ...feedForward }, untied: true },
  // As Llama 3.2: the slow pairs are slower still. Positions beyond the original context, and a linear factor on top.
  "llama stretched": {
    metadata: { ...common, "rope.dimension_count": headDim, "rope.scaling.type": "linear", "rope.scaling.factor": 2 },
    layer: { ...attention(headDim), ...feedForward },
    fixed: { "rope_freqs.weight": [1, 1, 1.3, 4, 8, 8] },
  },
  qwen2: {
    metadata: common,
    layer: {
      ...attention(headDim),
      ...feedForward,
      "attn_q.bias": [heads * headDim],
      "attn_k.bias": [kvHeads * headDim],
      "attn_v.bias": [kvHeads * headDim],
    },
  },
  qwen3: {
    metadata: { ...common, "attention.key_length": 16, "attention.value_length": 16 },
    layer: { ...attention(16), ...headNorms(16), ...feedForward },
  },
  gemma3: {
    metadata: {
      ...common,
      "attention.key_length": 16,
      "attention.value_length": 16,
      "attention.sliding_window": 8,
      "attention.sliding_window_pattern": 2,
      "rope.freq_base": 1_000_000,
      "rope.freq_base_swa": 1000,
      "rope.scaling.type": "linear",
      "rope.scaling.factor": 4,
    },
    layer: { ...attention(16), ...headNorms(16), ...feedForward, "post_attention_norm.weight": [width], "post_ffw_norm.weight": [width] },
  },
  // llama.cpp reads the window and does not apply it.
  phi3: {
    metadata: { ...common, "rope.dimension_count": headDim, "rope.scaling.original_context_length": 256, "attention.sliding_window": 16 },
    layer: {
      "attn_norm.weight": [width],
      "attn_qkv.weight": [(heads + 2 * kvHeads) * headDim, width],
      "attn_output.weight": [width, heads * headDim],
      "ffn_norm.weight": [width],
      "ffn_up.weight": [2 * hidden, width],
      "ffn_down.weight": [width, hidden],
    },
    untied: true,
  },
};

/** Writes the model as GGUF; the same seed gives the same bytes. */
export async function writeTinyArchitecture(path: string, name: string, seed = 0): Promise<void> {
  const { metadata, layer, untied = false, fixed = {} } = tinyArchitectures[name]!;
  const architecture = name.split(" ")[0]!;
  const specialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
  const tokenizer = trainBpe({
    texts: ["The keeper of the lighthouse writes."],
    vocabularySize: 288,
    specialTokens,
    preTokeniser: "gpt-2",
  });
  const vocabulary = tokenizer.tokens.length;
  const shapes: Shapes = {
    "token_embd.weight": [vocabulary, width],
    ...Object.fromEntries(
      Array.from({ length: layers }, (_, index) =>
        Object.entries(layer).map(([tensor, shape]) => [`blk.${index}.${tensor}`, shape] as const),
      ).flat(),
    ),
    "output_norm.weight": [width],
    ...(untied ? { "output.weight": [vocabulary, width] } : {}),
  };
  const random = seededRandom(`${name} ${seed}`);
  await writeGguf({
    path,
    metadata: {
      "general.architecture": architecture,
      // Not the architecture: llama.cpp asks models called "phi3" for a token "</s>".
      "general.name": "tiny random model",
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`${architecture}.${key}`, value])),
      ...ggufTokenizerMetadata(tokenizer, { bosToken: "<|im_start|>", eosToken: "<|im_end|>", chatTemplate: chatMl }),
    },
    tensors: [
      ...Object.entries(shapes).map(([tensor, shape]) => randomTensor(tensor, shape, () => random.normal())),
      ...Object.entries(fixed).map(([tensor, data]) => ({
        name: tensor,
        shape: [data.length],
        type: "F32" as const,
        data: Float32Array.from(data),
      })),
    ],
  });
}

/** Norms near 1; matrices that keep the size of what they read, so that every layer counts. */
function randomTensor(name: string, shape: readonly number[], normal: () => number): TensorToWrite {
  const numbers = shape.reduce((product, dim) => product * dim, 1);
  const norm = name.endsWith("norm.weight");
  const spread = norm ? 0.2 : name.endsWith(".bias") ? 0.5 : name === "token_embd.weight" ? 0.3 : 1.5 / Math.sqrt(shape[1]!);
  return { name, shape, type: "F32", data: Float32Array.from({ length: numbers }, () => (norm ? 1 : 0) + spread * normal()) };
}
