// Which configuration a file has, and which files are refused.
import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { architectures, decoderConfig, decoderParameters } from "./architectures.ts";
import { type ArchitectureName, checkConfig, type DecoderConfig } from "./config.ts";
import { allParameters } from "./parameters.ts";
import { buildModel, lossGraph } from "./programs.ts";

/** The keys that all architectures have. */
const sizes = {
  block_count: 2,
  embedding_length: 24,
  "attention.head_count": 3,
  "attention.head_count_kv": 1,
  feed_forward_length: 40,
  context_length: 64,
  "rope.freq_base": 100_000,
  "attention.layer_norm_rms_epsilon": 1e-5,
};
const expected: DecoderConfig = {
  architecture: "llama",
  layers: 2,
  width: 24,
  heads: 3,
  kvHeads: 1,
  headDim: 8,
  hidden: 40,
  vocabulary: 50,
  context: 64,
  ropeBase: 100_000,
  epsilon: 1e-5,
  tied: true,
};

interface Change {
  /** Replaces metadata of the architecture; `undefined` removes it. */
  readonly metadata?: { readonly [key: string]: unknown };
  readonly tensors?: { readonly [name: string]: readonly number[] | undefined };
  readonly numbers?: { readonly [name: string]: readonly number[] };
}

/** The configuration of a file that has every tensor `from` should have, and the changes. */
function configOf(architecture: string, { metadata = {}, tensors = {}, numbers = {} }: Change = {}, from: Partial<DecoderConfig> = {}) {
  const parameters = allParameters(decoderParameters({ ...expected, architecture: architecture as ArchitectureName, ...from }));
  const shapes = new Map<string, { readonly shape: readonly number[] }>();
  for (const { parts, shape } of parameters) for (const { tensor, rows } of parts) shapes.set(tensor, { shape: [rows, ...shape.slice(1)] });
  for (const [name, shape] of Object.entries(tensors)) {
    if (shape === undefined) shapes.delete(name);
    else shapes.set(name, { shape });
  }
  const own = Object.entries({ ...sizes, ...metadata }).filter(([, value]) => value !== undefined);
  return decoderConfig({
    metadata: { "general.architecture": architecture, ...Object.fromEntries(own.map(([key, value]) => [`${architecture}.${key}`, value])) },
    tensors: shapes,
    read: async (tensor) => Float32Array.from(numbers[tensor] ?? []),
    path: "model.gguf",
  });
}

test("the configuration comes from metadata and tensors", async () => {
  expect(await configOf("llama")).toEqual(expected);
  expect(await configOf("llama", {}, { tied: false })).toEqual({ ...expected, tied: false });
  expect(await configOf("llama", { metadata: { "attention.key_length": 16 } }, { headDim: 16 })).toEqual({ ...expected, headDim: 16 });
  expect(await configOf("qwen2")).toEqual({ ...expected, architecture: "qwen2" });
  expect(await configOf("phi3")).toEqual({ ...expected, architecture: "phi3" });
  const wide = { architecture: "qwen3", headDim: 16 } as const;
  expect(await configOf("qwen3", { metadata: { "attention.key_length": 16, "attention.value_length": 16 } }, wide)).toEqual({
    ...expected,
    ...wide,
  });
});

test("stretched positions come from metadata, and for llama from a tensor of factors", async () => {
  const linear = { metadata: { "rope.scaling.type": "linear", "rope.scaling.factor": 4 } };
  expect(await configOf("qwen2", linear)).toEqual({ ...expected, architecture: "qwen2", ropeDivisor: 4 });
  expect(await configOf("qwen2", { metadata: { "rope.scaling.type": "none", "rope.scaling.factor": 4 } })).not.toHaveProperty(
    "ropeDivisor",
  );
  const factors = { tensors: { "rope_freqs.weight": [4] }, numbers: { "rope_freqs.weight": [1, 1, 2, 8] } };
  expect(await configOf("llama", factors)).toEqual({ ...expected, ropeDivisor: [1, 1, 2, 8] });
  expect(await configOf("llama", { ...factors, ...linear })).toEqual({ ...expected, ropeDivisor: [4, 4, 8, 32] });
});

test("gemma3 looks back over a window in most layers: by a number, by flags, or in five of six", async () => {
  const slides = async (metadata: object, layers = 2) => {
    const change = { metadata: { block_count: layers, "attention.sliding_window": 16, ...metadata } };
    return (await configOf("gemma3", change, { layers })).sliding;
  };
  expect(await slides({ "attention.sliding_window_pattern": 2 })).toEqual({ window: 16, ropeBase: 10_000, layers: [true, false] });
  expect(await slides({ "attention.sliding_window_pattern": [false, true], "rope.freq_base_swa": 500 })).toEqual({
    window: 16,
    ropeBase: 500,
    layers: [false, true],
  });
  expect((await slides({}, 7))?.layers).toEqual([true, true, true, true, true, false, true]);
  expect(await slides({ "attention.sliding_window": undefined })).toBeUndefined();
});

test("gemma3 scales queries by the size of a head, and in its 27B model by width / heads", () => {
  const shape = { ...expected, architecture: "gemma3", width: 5376, heads: 32, headDim: 128 } as const;
  const scale = (layers: number) => architectures.gemma3.attentionScale?.({ ...shape, layers });
  expect([scale(34), scale(62)]).toEqual([1 / Math.sqrt(128), 1 / Math.sqrt(168)]);
});

test("without key heads or a rope base the usual defaults hold", async () => {
  const metadata = { "attention.head_count_kv": undefined, "rope.freq_base": undefined };
  expect(await configOf("llama", { metadata }, { kvHeads: 3 })).toEqual({ ...expected, kvHeads: 3, ropeBase: 10_000 });
});

test("another architecture is named, with those that can be tuned and a way out", async () => {
  const file = {
    metadata: { "general.architecture": "mamba" },
    tensors: new Map(),
    read: async () => new Float32Array(),
    path: "model.gguf",
  };
  await expect(decoderConfig(file)).rejects.toThrow(
    new UserError(
      'model.gguf has the architecture "mamba"; tuned can be llama, qwen2, qwen3, gemma3, phi3. Choose a model of one of these (sartor models), or adapt this one by prompts or retrieval.',
    ),
  );
});

test("what a known architecture may be but is not computed here is named", async () => {
  const refused = async (change: Change, message: string, architecture = "llama") =>
    expect(configOf(architecture, change)).rejects.toThrow(message);
  await refused({ metadata: { "rope.scaling.type": "yarn" } }, 'model.gguf uses rope scaling "yarn", which tuning does not know.');
  await refused({ metadata: { "rope.scaling.attn_factor": 1.2 } }, "attention scaled by the length of the context");
  await refused({ metadata: { expert_count: 8 } }, "a mixture of experts");
  await refused({ metadata: { "rope.dimension_count": 4 } }, "rotary positions for 4 of the 8 numbers of a head");
  await refused({ metadata: { "attention.value_length": 4 } }, "values of 4 numbers beside keys of 8");
  await refused({ tensors: { "rope_factors_long.weight": [4] } }, "long rope (rope_factors_long.weight)", "phi3");
  await refused({ metadata: { "rope.scaling.type": "longrope" } }, 'rope scaling "longrope"', "phi3");
  await refused({ metadata: { final_logit_softcapping: 30 } }, "capped logits", "gemma3");
  await refused({ tensors: { "blk.0.attn_q.bias": [24] } }, 'the tensor "blk.0.attn_q.bias"');
  await refused({ tensors: { "output.bias": [50] } }, 'the tensor "output.bias"', "qwen2");
});

test("a file that is incomplete or contradicts itself is named with what is wrong", async () => {
  const broken = async (change: Change, message: string, architecture = "llama") =>
    expect(configOf(architecture, change)).rejects.toThrow(message);
  await broken({ metadata: { block_count: undefined } }, 'has no number at "llama.block_count"');
  await broken(
    { metadata: { "attention.head_count": [3, 3] } },
    'has no number at "llama.attention.head_count" in its metadata (found a list)',
  );
  await broken({ metadata: { block_count: 1e9 } }, "model.gguf does not hold what its metadata say: 1000000000 layers in 20 tensors.");
  await broken({ tensors: { "rope_freqs.weight": [3] } }, "the tensor rope_freqs.weight should be [4] and is [3]");
  const zeros = { tensors: { "rope_freqs.weight": [4] }, numbers: { "rope_freqs.weight": [1, 1, 0, 8] } };
  await broken(zeros, "model.gguf: ropeDivisor is 0; it must be above 0.");
  await broken({ metadata: { "attention.sliding_window": -8 } }, "sliding window is -8; it must be above 0.", "gemma3");
  await broken({ metadata: { "attention.head_count_kv": 2 } }, "3 heads cannot share 2 key heads evenly");
  await broken({ tensors: { "token_embd.weight": undefined } }, "the tensor token_embd.weight is missing");
  await broken({ tensors: { "blk.1.ffn_up.weight": undefined } }, "the tensor blk.1.ffn_up.weight should be [40, 24] and is missing");
  await broken({ tensors: { "blk.1.attn_k.bias": undefined } }, "the tensor blk.1.attn_k.bias should be [8] and is missing", "qwen2");
  await broken(
    { tensors: { "blk.0.attn_q_norm.weight": undefined } },
    "the tensor blk.0.attn_q_norm.weight should be [8] and is missing",
    "qwen3",
  );
  await broken({ tensors: { "blk.0.ffn_down.weight": [24, 41] } }, "the tensor blk.0.ffn_down.weight should be [24, 40] and is [24, 41]");
});

test.each(Object.keys(architectures))(
  "whatever the metadata of a %s claim, it is one clear line or a model of the file's size",
  async (name) => {
    const own = [
      "rope.scaling.type",
      "rope.scaling.factor",
      "attention.key_length",
      "attention.sliding_window",
      "attention.sliding_window_pattern",
    ];
    const key = fc.constantFrom(...Object.keys(sizes), ...own, "rope.freq_base_swa", "final_logit_softcapping", "expert_count");
    const numbers = fc.constantFrom<unknown>(0, 1, 2, 3, 4, 8, -1, 0.5, 2 ** 31, 2n ** 60n, Number.NaN, Infinity, [true, false], []);
    const claims = fc.dictionary(key, fc.oneof(numbers, fc.string(), fc.boolean()), { minKeys: 1, maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(claims, async (metadata) => {
        const outcome = await configOf(name, { metadata }).then((config) => {
          lossGraph(buildModel({ ...config, context: Math.min(config.context, 64) }, { kind: "lora", rank: 2, alpha: 2 }));
          return "whole";
        }, String);
        expect(outcome).toMatch(/^(whole|UserError: .+)$/);
      }),
    );
  },
);

test("sizes that do not fit together are named", () => {
  const check = (change: Partial<DecoderConfig>) => () => checkConfig({ ...expected, ...change }, "The model to train");
  expect(check({ headDim: 7.5 })).toThrow("The model to train: a head has 7.5 numbers, which rotary positions cannot pair");
  expect(check({ layers: 0 })).toThrow("The model to train: layers is 0; it must be above 0.");
});
