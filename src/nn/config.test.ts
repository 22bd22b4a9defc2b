import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { llamaConfig } from "./config.ts";

const metadata = {
  "general.architecture": "llama",
  "llama.block_count": 30,
  "llama.embedding_length": 576,
  "llama.attention.head_count": 9,
  "llama.attention.head_count_kv": 3,
  "llama.feed_forward_length": 1536,
  "llama.context_length": 8192,
  "llama.rope.freq_base": 100_000,
  "llama.rope.dimension_count": 64,
  "llama.attention.layer_norm_rms_epsilon": 1e-5,
};
const tensors = new Map<string, { readonly shape: readonly number[] }>([["token_embd.weight", { shape: [49_152, 576] }]]);
function config(change: object = {}, more: readonly string[] = []) {
  const all = new Map(tensors);
  for (const name of more) all.set(name, { shape: [1] });
  return llamaConfig({ metadata: { ...metadata, ...change }, tensors: all, path: "model.gguf" });
}

test("the configuration comes from the metadata", () => {
  expect(config()).toEqual({
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    hidden: 1536,
    vocabulary: 49_152,
    context: 8192,
    ropeBase: 100_000,
    epsilon: 1e-5,
    tied: true,
  });
  expect(config({}, ["output.weight"]).tied).toBe(false);
});

test("without key heads or a rope base the architecture's defaults hold", () => {
  const { "llama.attention.head_count_kv": _heads, "llama.rope.freq_base": _base, ...rest } = metadata;
  expect(llamaConfig({ metadata: rest, tensors, path: "model.gguf" })).toMatchObject({ kvHeads: 9, ropeBase: 10_000 });
});

test("what cannot be tuned is named, with a way out", () => {
  expect(() => config({ "general.architecture": "qwen2" })).toThrow(
    new UserError(
      'model.gguf has the architecture "qwen2"; only "llama" can be tuned. Choose a llama model (sartor models), or adapt this one by prompts or retrieval.',
    ),
  );
  expect(() => config({ "llama.rope.scaling.type": "yarn" })).toThrow('rope scaling "yarn"');
  expect(() => config({ "llama.expert_count": 8 })).toThrow("a mixture of experts");
  expect(() => config({}, ["blk.0.attn_q.bias"])).toThrow("biases");
  expect(() => config({}, ["rope_freqs.weight"])).toThrow("scaled rope frequencies");
  expect(() => config({ "llama.rope.dimension_count": 32 })).toThrow("rotates 32 of the 64 numbers of a head");
  expect(() => config({ "llama.block_count": undefined })).toThrow('has no number at "llama.block_count"');
  expect(() => config({ "llama.attention.head_count_kv": 2 })).toThrow("9 heads cannot share 2 key heads evenly");
});
