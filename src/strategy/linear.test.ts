import { expect, test } from "vitest";
import { classifyLinear } from "../answer/classify.ts";
import { trainLinear } from "./linear.ts";

const examples = [
  ["my bill is wrong", "billing"],
  ["charged twice on the bill", "billing"],
  ["refund the charge please", "billing"],
  ["the brake is broken", "repair"],
  ["brake squeaks, please fix", "repair"],
  ["broken chain", "repair"],
].map(([input, output]) => ({ input: input!, output: output! }));

test("separable examples are separated, and new ones follow their words", () => {
  const classifier = trainLinear({ examples, labels: ["billing", "repair"], cost: 10, seed: 0 });
  expect(examples.map((example) => classifyLinear(classifier, example.input).output)).toEqual(examples.map((example) => example.output));
  expect(classifyLinear(classifier, "the bill has another charge").output).toBe("billing");
  expect(classifyLinear(classifier, "is the chain broken?").output).toBe("repair");
});

test("the same seed gives the same weights", () => {
  const train = () => trainLinear({ examples, labels: ["billing", "repair"], cost: 1, seed: 3 });
  expect(train()).toEqual(train());
});

test("an input of unknown words is answered by the bias, without failing", () => {
  const classifier = trainLinear({ examples, labels: ["billing", "repair"], cost: 1, seed: 0 });
  const { confidence } = classifyLinear(classifier, "zzz");
  expect(confidence).toBeGreaterThan(0);
  expect(confidence).toBeLessThanOrEqual(1);
});

/** The optimum of the L2-loss SVM: the primal objective cannot be lowered by moving any weight a little. */
test("dual coordinate descent reaches the minimum of the primal problem", () => {
  const { weights, bias, terms, inverseDocumentFrequency, labels } = trainLinear({
    examples,
    labels: ["billing", "repair"],
    cost: 1,
    seed: 0,
  });
  const classifier = { kind: "linear", labels, terms, inverseDocumentFrequency } as const;
  const objective = (w: readonly number[], b: number): number => {
    const margins = examples.map((example) => {
      const margin = marginOf({ ...classifier, weights: [w], bias: [b], labels: ["billing"] }, example.input);
      return Math.max(0, 1 - (example.output === "billing" ? 1 : -1) * margin) ** 2;
    });
    return (w.reduce((sum, value) => sum + value * value, 0) + b * b) / 2 + margins.reduce((sum, value) => sum + value, 0);
  };
  const best = objective(weights[0]!, bias[0]!);
  for (let term = 0; term < terms.length; term++) {
    for (const step of [-0.01, 0.01])
      expect(objective(weights[0]!.with(term, weights[0]![term]! + step), bias[0]!)).toBeGreaterThan(best - 1e-6);
  }
});

function marginOf(classifier: Parameters<typeof classifyLinear>[0], input: string): number {
  // Two labels whose scores are s and 0 have probability sigmoid(s): the margin can be read off the confidence.
  const { weights, bias } = classifier;
  const { output, confidence } = classifyLinear(
    { ...classifier, labels: ["this", "rest"], weights: [weights[0]!, weights[0]!.map(() => 0)], bias: [bias[0]!, 0] },
    input,
  );
  const probability = output === "this" ? confidence : 1 - confidence;
  return Math.log(probability / (1 - probability));
}
