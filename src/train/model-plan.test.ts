import fc from "fast-check";
import { expect, test } from "vitest";
import { checkConfig } from "../nn/config.ts";
import { modelPlan, vocabularySizeFor } from "./model-plan.ts";

const text = { textTokens: 400_000, vocabulary: 4096, context: 256 };

test("a depth decides the rest", () => {
  expect(modelPlan({ ...text, depth: 4 })).toEqual({
    config: {
      architecture: "llama",
      headDim: 64,
      layers: 4,
      width: 256,
      heads: 4,
      kvHeads: 4,
      hidden: 704,
      vocabulary: 4096,
      context: 256,
      ropeBase: 10_000,
      epsilon: 1e-5,
      tied: true,
    },
    // Table, attention, SwiGLU, norms.
    parameters: 4096 * 256 + 4 * (4 * 256 * 256 + 3 * 704 * 256) + 9 * 256,
    tokens: 16 * 400_000,
    epochs: 16,
    worth: 20 * 4_262_144,
    learningRate: 6e-4 * Math.sqrt(3),
  });
});

test("a text long enough is read for as long as the model is worth", () => {
  const { tokens, worth, epochs } = modelPlan({ ...text, depth: 4, textTokens: 50_000_000 });
  expect(tokens).toBe(worth);
  expect(epochs).toBe(2);
});

test("a number of tokens gives the deepest model that 20 tokens a parameter allow, of two layers at least, and is kept to", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e12 }), fc.integer({ min: 257, max: 50_000 }), (tokens, vocabulary) => {
      const plan = modelPlan({ ...text, vocabulary, tokens });
      const { layers } = plan.config;
      expect(plan.tokens).toBe(tokens);
      expect(plan.worth <= tokens || layers === 2).toBe(true);
      const deeper = modelPlan({ ...text, vocabulary, depth: Math.min(32, layers + 1) });
      expect(deeper.worth > tokens || layers === 32).toBe(true);
      expect(plan.epochs * text.textTokens).toBeGreaterThanOrEqual(tokens);
    }),
  );
});

test("every depth is a shape that can be built, larger and with a lower learning rate than the one before", () => {
  const plans = Array.from({ length: 32 }, (_, index) => modelPlan({ ...text, depth: index + 1 }));
  for (const [index, { config, parameters, learningRate }] of plans.entries()) {
    expect(checkConfig(config, "The model")).toEqual(config);
    const before = plans[index - 1];
    if (before === undefined) continue;
    expect(parameters).toBeGreaterThan(before.parameters);
    expect(learningRate).toBeLessThan(before.learningRate);
  }
});

test("what no model can be made of is one line", () => {
  expect(() => modelPlan({ ...text, depth: 2, tokens: 100 })).toThrow("Each decides the other: give one.");
  expect(() => modelPlan({ ...text, depth: 0 })).toThrow("depth is 0. Give a whole number from 1 to 32.");
  expect(() => modelPlan({ ...text, tokens: 1.5 })).toThrow("tokens is 1.5. Give a whole number from 1.");
});

test("a vocabulary grows with the text, within bounds", () => {
  expect([1000, 50_000, 1e9].map(vocabularySizeFor)).toEqual([512, 2000, 4096]);
});
