// Loss, logits and the gradient of every tensor of each architecture against transformers (fixtures/tiny_architectures.py made them).
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Graph } from "../graph/graph.ts";
import { serialise } from "../graph/onnx.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { float32, float32Data, int64, type Tensors } from "../runtime/tensor.ts";
import { causalMask } from "./attention.ts";
import type { ArchitectureName, DecoderConfig } from "./config.ts";
import { expectProbes, formula, type Probes, rough } from "./fixtures/reference.ts";
import type { Parameter } from "./parameters.ts";
import { buildModel, gradientPrefix, logitsGraph, type Model, trainingGraph } from "./programs.ts";

interface Expected {
  readonly config: DecoderConfig;
  readonly loss: number;
  /** After the fourth token of the first sequence. */
  readonly logits: readonly number[];
  /** By tensor, in the order of the seeds of their numbers. */
  readonly gradients: { readonly [tensor: string]: Probes };
}

const fixture = JSON.parse(readFileSync(new URL("./fixtures/tiny-architectures.json", import.meta.url), "utf8")) as {
  readonly [A in ArchitectureName]: Expected;
};

let runtime: Runtime;
beforeAll(() => {
  runtime = startRuntime({ threads: 1 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

describe.each(Object.entries(fixture))("%s", (_name, expected) => {
  const model = buildModel(expected.config, { kind: "full", trains: () => true });

  test("loss and the gradient of every tensor are PyTorch's", async () => {
    const outputs = await run(trainingGraph(model), model, expected);
    expect(float32Data(outputs, "loss")[0]).toBeCloseTo(expected.loss, 5);
    const probed = model.trained.flatMap((parameter) => {
      const gradient = float32Data(outputs, gradientPrefix + parameter.name);
      return partsOf(parameter).map(({ tensor, offset, length }) => {
        expectProbes(tensor, gradient.slice(offset, offset + length), expected.gradients[tensor]);
        return tensor;
      });
    });
    expect(probed.sort()).toEqual(Object.keys(expected.gradients).sort());
  });

  test("logits are PyTorch's", async () => {
    const scores = float32Data(await run(logitsGraph(model), model, expected), "logits");
    // The wanted rows are 2 to 5 of the first sequence, so its fourth token is the second of them.
    expect(Array.from(scores.subarray(20, 40), rough)).toEqual(expected.logits.map(rough));
  });
});

async function run(graph: Graph, model: Model, { config, gradients }: Expected): Promise<Tensors> {
  const seeds = new Map(Object.keys(gradients).map((tensor, index) => [tensor, index + 1]));
  const given: Tensors = {
    tokens: int64([3, 7, 1, 12, 19, 4, 5, 2, 11, 0, 0, 0], [2, 6]),
    mask: float32(causalMask(6), [6, 6]),
    slidingMask: float32(causalMask(6, config.sliding?.window), [6, 6]),
    rows: int64([2, 3, 4, 5, 7, 8], [6]),
    labels: int64([12, 19, 4, 8, 11, 6], [6]),
    weights: float32(new Float32Array(6).fill(1 / 6), [6]),
    ...Object.fromEntries(
      model.trained.map((parameter) => {
        const parts = partsOf(parameter).map(({ tensor, length }) =>
          formula(seeds.get(tensor) ?? Number.NaN, length, parameter.kind === "norm" ? 1 : 0),
        );
        return [parameter.name, float32(Float32Array.from(parts.flatMap((part) => [...part])), parameter.shape)];
      }),
    ),
  };
  await using session = await runtime.load({ source: { bytes: serialise(graph) } });
  return session.run(Object.fromEntries(Object.entries(given).filter(([name]) => session.inputNames.includes(name))));
}

/** The tensors of a parameter, and where their numbers stand in it. */
function partsOf({ parts, shape }: Parameter) {
  let offset = 0;
  return parts.map(({ tensor, rows }) => {
    const length = rows * (shape[1] ?? 1);
    offset += length;
    return { tensor, offset: offset - length, length };
  });
}
