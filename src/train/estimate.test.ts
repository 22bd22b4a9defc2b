import { expect, test } from "vitest";
import { checkConfig } from "../nn/config.ts";
import { estimateTraining, type EstimateOptions } from "./estimate.ts";
import { smolLm2 } from "./fixtures/smollm2.ts";

const demo = checkConfig(smolLm2, "The demo model");
const scratch = { ...demo, layers: 4, width: 128, headDim: 32, heads: 4, kvHeads: 4, hidden: 384, vocabulary: 2048 };

const sequences = (count: number, time: number, learnt: number) =>
  Array.from({ length: count }, () => ({ tokens: time + 1, promptLength: time + 1 - learnt }));

/** Megabytes held at most and processor seconds of a step, measured with `npm run bench -- estimate --threads 1`. */
const measured: readonly (readonly [string, Omit<EstimateOptions, "epochs">, { readonly megabytes: number; readonly seconds: number }])[] =
  [
    [
      "LoRA 8 x 96, 16 learnt",
      { config: demo, kind: "lora", batchSize: 8, sequences: sequences(8, 96, 16) },
      { megabytes: 2627, seconds: 4.44 },
    ],
    [
      "LoRA 8 x 64, 16 learnt",
      { config: demo, kind: "lora", batchSize: 8, sequences: sequences(8, 64, 16) },
      { megabytes: 2622, seconds: 2.83 },
    ],
    ["LoRA 2 x 256", { config: demo, kind: "lora", batchSize: 2, sequences: sequences(2, 256, 256) }, { megabytes: 3114, seconds: 3.89 }],
    [
      "LoRA 1 x 1024, 64 learnt",
      { config: demo, kind: "lora", batchSize: 1, sequences: sequences(1, 1024, 64) },
      { megabytes: 3134, seconds: 9.72 },
    ],
    [
      "last two layers, 8 x 64",
      { config: demo, kind: "full", lastLayers: 2, batchSize: 8, sequences: sequences(8, 64, 16) },
      { megabytes: 1874, seconds: 1.6 },
    ],
    [
      "all weights, 8 x 64",
      { config: demo, kind: "full", batchSize: 8, sequences: sequences(8, 64, 16) },
      { megabytes: 3814, seconds: 6.32 },
    ],
    [
      "from scratch, 16 x 128",
      { config: scratch, kind: "pretrain", batchSize: 16, sequences: sequences(16, 128, 128) },
      { megabytes: 340, seconds: 0.37 },
    ],
  ];

test.each(measured)("memory and time are told within a quarter: %s", (_name, options, { megabytes, seconds }) => {
  const { operations, memoryBytes } = estimateTraining({ ...options, epochs: 1 });
  const speed = estimateTraining({ ...measured[0]![1], epochs: 1 }).operations / measured[0]![2].seconds;
  expect(Math.abs(memoryBytes / 1e6 / megabytes - 1)).toBeLessThan(0.25);
  expect(Math.abs(operations / speed / seconds - 1)).toBeLessThan(0.25);
});

test("twice the epochs are twice the steps and work, and no more memory", () => {
  const [, options] = measured[1]!;
  const [once, twice] = [1, 2].map((epochs) => estimateTraining({ ...options, epochs })) as [
    ReturnType<typeof estimateTraining>,
    ReturnType<typeof estimateTraining>,
  ];
  expect(twice).toEqual({ ...once, steps: 2 * once.steps, tokens: 2 * once.tokens, operations: 2 * once.operations });
});

test("zeros beside the blocks of stacked adapters are no learnt numbers", () => {
  const [, options] = measured[1]!;
  expect(estimateTraining({ ...options, epochs: 1 }).trainedParameters).toBe(2_442_240);
});
