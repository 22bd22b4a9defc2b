// A model trained from scratch as a GGUF file that llama.cpp loads: shape, tokenizer and weights.
import type { BpeModel } from "../../tokenizer/bpe.ts";
import { ggufTokenizerMetadata } from "../../tokenizer/gguf-tokenizer.ts";
import type { PretrainResult } from "../../train/pretrain.ts";
import { writeGguf } from "../../weights/gguf-write.ts";

/** The one special token: it stands before every text and ends an answer. */
export const endOfText = "<|endoftext|>";

/** Weights in F32: the model is small, and what is measured is exactly what was trained. */
export async function writeModel({
  path,
  model,
  config,
  tensors,
}: {
  path: string;
  model: BpeModel;
  config: PretrainResult["config"];
  tensors: PretrainResult["tensors"];
}): Promise<void> {
  await writeGguf({
    path,
    metadata: {
      "general.architecture": "llama",
      "general.name": "trained from scratch",
      "llama.block_count": config.layers,
      "llama.context_length": config.context,
      "llama.embedding_length": config.width,
      "llama.feed_forward_length": config.hidden,
      "llama.attention.head_count": config.heads,
      "llama.attention.head_count_kv": config.kvHeads,
      "llama.attention.layer_norm_rms_epsilon": config.epsilon,
      "llama.rope.freq_base": config.ropeBase,
      "llama.rope.dimension_count": config.headDim,
      "llama.vocab_size": config.vocabulary,
      ...ggufTokenizerMetadata(model, { bosToken: endOfText, eosToken: endOfText }),
    },
    tensors: [...tensors].map(([name, { shape, data }]) => ({ name, shape, type: "F32" as const, data })),
  });
}
