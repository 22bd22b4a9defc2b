// A random llama model of a few hundred kilobytes with a working tokenizer and chat template, for tests that need llama.cpp but no sense.
import type { BpeModel } from "../../src/tokenizer/bpe.ts";
import { chatMl } from "../../src/tokenizer/chat-template.ts";
import { ggufTokenizerMetadata } from "../../src/tokenizer/gguf-tokenizer.ts";
import type { PreTokeniserName } from "../../src/tokenizer/pre-tokenise.ts";
import { trainBpe } from "../../src/tokenizer/train-bpe.ts";
import { seededRandom } from "../../src/util/random.ts";
import type { Metadata } from "../../src/weights/gguf-metadata.ts";
import { writeGguf, type TensorToWrite } from "../../src/weights/gguf-write.ts";
import type { WritableType } from "../../src/weights/quantise.ts";

export interface TinyLlamaOptions {
  readonly path: string;
  readonly seed?: number;
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  /** Width of the feed-forward layer. */
  readonly hidden?: number;
  /** Tokens, special tokens and the 256 bytes included. */
  readonly vocabulary?: number;
  readonly contextLength?: number;
  /** How the matrices are stored; norms are always F32. */
  readonly type?: WritableType;
  /** An output matrix of its own, instead of the token embedding used again. */
  readonly untied?: boolean;
  readonly preTokeniser?: PreTokeniserName;
  /** What the vocabulary is learnt from (default: a few lines of English). */
  readonly texts?: readonly string[];
}

export interface TinyLlama {
  readonly path: string;
  readonly tokenizer: BpeModel;
  readonly metadata: Metadata;
  readonly tensors: readonly TensorToWrite[];
}

const specialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const english = [
  "system user assistant\nYou are a helpful assistant. Answer in one short sentence. The keeper of the lighthouse writes the weather into the log.",
  "Question: what is the capital of the country? Answer: yes, no, maybe. Positive, negative and neutral. Where are my documents and how do I pay?",
];

/**
 * Writes the model as GGUF and returns what it was made of; the same options give the same bytes. llama.cpp loads it and writes
 * (senseless) text with it; ChatML is its template, `<|im_end|>` ends an answer.
 */
export async function writeTinyLlama(options: TinyLlamaOptions): Promise<TinyLlama> {
  const { path, vocabulary = 384, texts = english, contextLength = 512, preTokeniser = "gpt-2" } = options;
  const { layers = 2, width = 64, heads = 4, kvHeads = 2, hidden = 128 } = options;
  const tokenizer = trainBpe({ texts, vocabularySize: vocabulary, specialTokens, preTokeniser });
  const tensors = tinyTensors(options, tokenizer.tokens.length);
  const metadata = {
    "general.architecture": "llama",
    "general.name": "tiny random llama",
    "llama.block_count": layers,
    "llama.context_length": contextLength,
    "llama.embedding_length": width,
    "llama.feed_forward_length": hidden,
    "llama.attention.head_count": heads,
    "llama.attention.head_count_kv": kvHeads,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 10_000,
    "llama.rope.dimension_count": width / heads,
    "llama.vocab_size": tokenizer.tokens.length,
    ...ggufTokenizerMetadata(tokenizer, { bosToken: "<|im_start|>", eosToken: "<|im_end|>", chatTemplate: chatMl }),
  };
  await writeGguf({ path, metadata, tensors });
  return { path, tokenizer, metadata, tensors };
}

function tinyTensors(
  { seed = 0, layers = 2, width = 64, heads = 4, kvHeads = 2, hidden = 128, type = "F32", untied = false }: TinyLlamaOptions,
  vocabulary: number,
): TensorToWrite[] {
  const random = seededRandom(seed);
  const matrix = (name: string, out: number, inputs: number, spread = 1 / Math.sqrt(inputs)): TensorToWrite => {
    return { name, shape: [out, inputs], type, data: Float32Array.from({ length: out * inputs }, () => random.normal() * spread) };
  };
  const norm = (name: string): TensorToWrite => ({
    name,
    shape: [width],
    type: "F32",
    data: Float32Array.from({ length: width }, () => 1 + random.normal() / 10),
  });
  const keyWidth = (width / heads) * kvHeads;
  const layer = (i: number): TensorToWrite[] => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, width, width),
    matrix(`blk.${i}.attn_k.weight`, keyWidth, width),
    matrix(`blk.${i}.attn_v.weight`, keyWidth, width),
    matrix(`blk.${i}.attn_output.weight`, width, width),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, hidden, width),
    matrix(`blk.${i}.ffn_up.weight`, hidden, width),
    matrix(`blk.${i}.ffn_down.weight`, width, hidden),
  ];
  return [
    // Small, so that the layers and not the tied embedding of the last token decide the next one.
    matrix("token_embd.weight", vocabulary, width, 0.1),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    norm("output_norm.weight"),
    ...(untied ? [matrix("output.weight", vocabulary, width)] : []),
  ];
}
