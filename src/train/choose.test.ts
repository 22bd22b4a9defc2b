import { expect, test } from "vitest";
import type { DecoderConfig } from "../nn/config.ts";
import { chooseSettings } from "./choose.ts";
import { smolLm2 as small } from "./fixtures/smollm2.ts";

/** The shape of Llama 2 7B. */
const large: DecoderConfig = {
  ...small,
  layers: 32,
  width: 4096,
  heads: 32,
  kvHeads: 32,
  headDim: 128,
  hidden: 11_008,
  vocabulary: 32_000,
  tied: false,
};

const examples = (count: number, tokens: number, learnt: number) =>
  Array.from({ length: count }, () => ({ tokens, promptLength: tokens - learnt }));

test.each([
  { name: "banking77 by the dozen", kind: "lora", config: small, sequences: examples(150, 45, 6), expected: [1e-3, 11, 8, 8] },
  { name: "a handful", kind: "lora", config: small, sequences: examples(20, 45, 6), expected: [1e-3, 20, 4, 8] },
  { name: "a book", kind: "lora", config: small, sequences: examples(5000, 257, 256), expected: [1e-3, 2, 16, 8] },
  { name: "a library", kind: "lora", config: small, sequences: examples(40_000, 257, 256), expected: [1e-3, 2, 16, 64] },
  { name: "long examples", kind: "lora", config: small, sequences: examples(400, 900, 20), expected: [1e-3, 2, 4, 8] },
  { name: "a large model", kind: "lora", config: large, sequences: examples(150, 45, 6), expected: [2e-4, 11, 8, 8] },
  { name: "all weights", kind: "full", config: small, sequences: examples(150, 45, 6), expected: [5e-5, 11, 8, 8] },
  { name: "all weights of a large model", kind: "full", config: large, sequences: examples(150, 45, 6), expected: [1e-5, 11, 8, 8] },
] as const)("$name", ({ kind, config, sequences, expected }) => {
  const { learningRate, epochs, batchSize, rank, alpha } = chooseSettings({ kind, config, sequences });
  expect([learningRate, epochs, batchSize, rank, alpha]).toEqual([...expected, 2 * expected[3]]);
});

test("every setting has its reason", () => {
  expect(chooseSettings({ kind: "lora", config: small, sequences: examples(150, 45, 6) }).reasons).toEqual({
    learningRate: "135M weights, adapters learnt",
    epochs: "19 updates an epoch, 209 in all",
    batchSize: "150 examples of 45 tokens",
    rank: "900 tokens to learn, 305280 numbers learnt at rank 1",
  });
});
