// The graphs against PyTorch (fixtures/tiny_llama.py made the numbers) and as printed text.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inOrder } from "../graph/graph.ts";
import type { Value } from "../graph/ir.ts";
import { serialise } from "../graph/onnx.ts";
import { print } from "../graph/print.ts";
import { type Runtime, startRuntime } from "../runtime/runtime.ts";
import { float32, float32Data, int64, scalar, type Tensors } from "../runtime/tensor.ts";
import type { DecoderConfig } from "./config.ts";
import { causalMask } from "./attention.ts";
import { expectProbes, formula, type Probes, rough } from "./fixtures/reference.ts";
import { stack, unstack } from "./lora.ts";
import { elementCount, type Parameter } from "./parameters.ts";
import { buildModel, gradientPrefix, logitsGraph, lossGraph, type Method, type Model, trainingGraph } from "./programs.ts";

interface Fixture {
  readonly loss: number;
  /** After the fourth token of the first sequence. */
  readonly logits: readonly number[];
  /** Sum, sum against a second formula, and norm of each gradient. */
  readonly gradients: { readonly [name: string]: Probes };
  /** With 0.7 times the KL divergence from the base model at the first four rows. */
  readonly anchored: { readonly kl: number; readonly gradients: { readonly [name: string]: Probes } };
}

const fixture = JSON.parse(readFileSync(new URL("./fixtures/tiny-llama.json", import.meta.url), "utf8")) as Fixture;
const config: DecoderConfig = {
  architecture: "llama",
  layers: 2,
  width: 16,
  heads: 4,
  kvHeads: 2,
  headDim: 4,
  hidden: 24,
  vocabulary: 20,
  context: 16,
  ropeBase: 1000,
  epsilon: 1e-5,
  tied: true,
};
const lora: Method = { kind: "lora", rank: 2, alpha: 4 };
const full: Method = { kind: "full", trains: () => true };

let runtime: Runtime;
beforeAll(() => {
  runtime = startRuntime({ threads: 1 });
});
afterAll(() => runtime[Symbol.asyncDispose]());

test("LoRA: loss and the gradient of every adapter are PyTorch's", async () => {
  const model = buildModel(config, lora);
  const outputs = await run(trainingGraph(model), model);
  expect(float32Data(outputs, "loss")[0]).toBeCloseTo(fixture.loss, 5);
  const found = gradientsOfTensors(outputs, model);
  expect(found.size).toBe(28);
  for (const [tensor, values] of found) expectProbes(tensor, values, fixture.gradients[tensor]);
});

test.each([
  ["LoRA", lora],
  ["full", full],
] as const)("%s, kept near the base model: divergence and gradients are PyTorch's", async (_name, method) => {
  const model = buildModel(config, method, { anchored: true });
  const base = buildModel(config, lora, { anchored: true });
  const hidden = float32Data(await run(lossGraph(base), base, { kept: /^$/ }), "hidden");
  const anchor = {
    anchorRows: int64([0, 1, 2, 3], [4]),
    baseHidden: float32(hidden.slice(0, 4 * config.width), [4, config.width]),
    klWeight: scalar(0.7),
  };
  const outputs = await run(trainingGraph(model), model, { anchor });
  expect(float32Data(outputs, "loss")[0]).toBeCloseTo(fixture.loss, 5);
  expect(float32Data(outputs, "kl")[0]).toBeCloseTo(fixture.anchored.kl, 5);
  for (const [tensor, values] of gradientsOfTensors(outputs, model)) expectProbes(tensor, values, fixture.anchored.gradients[tensor]);

  const none = { anchorRows: int64([], [0]), baseHidden: float32(new Float32Array(), [0, config.width]), klWeight: scalar(0.7) };
  const without = await run(trainingGraph(model), model, { anchor: none });
  expect(float32Data(without, "kl")[0]).toBe(0);
  for (const [tensor, values] of gradientsOfTensors(without, model)) expectProbes(tensor, values, fixture.gradients[tensor]);
});

test("full: loss and the gradient of every weight, the tied table included, are PyTorch's", async () => {
  const model = buildModel(config, full);
  const outputs = await run(trainingGraph(model), model);
  expect(float32Data(outputs, "loss")[0]).toBeCloseTo(fixture.loss, 5);
  const found = gradientsOfTensors(outputs, model);
  expect(found.size).toBe(20);
  for (const [tensor, values] of found) expectProbes(tensor, values, fixture.gradients[tensor]);
});

test("the last layers alone: their gradients are those of the full run", async () => {
  const [some, all] = [buildModel(config, { kind: "full", trains: ({ layer }) => layer === 1 }), buildModel(config, full)];
  const [few, many] = [await run(trainingGraph(some), some), await run(trainingGraph(all), all)];
  expect(some.trained.map(({ name }) => name)).toEqual([
    "blk.1.attn_qkv",
    "blk.1.attn_output",
    "blk.1.ffn_gate_up",
    "blk.1.ffn_down",
    "blk.1.attn_norm.weight",
    "blk.1.ffn_norm.weight",
  ]);
  for (const { name } of some.trained) {
    expect([...float32Data(few, gradientPrefix + name)].map(rough)).toEqual([...float32Data(many, gradientPrefix + name)].map(rough));
  }
});

test("the loss without gradients is the same number, and the logits are PyTorch's", async () => {
  const model = buildModel(config, lora);
  expect(float32Data(await run(lossGraph(model), model), "loss")[0]).toBeCloseTo(fixture.loss, 5);
  const scores = float32Data(await run(logitsGraph(model), model), "logits");
  // The wanted rows are 2 to 5 of the first sequence, so its fourth token is the second of them.
  expect(Array.from(scores.subarray(20, 40), rough)).toEqual(fixture.logits.map(rough));
});

test("adapters of some layers: loss and gradients are those of all of them with the others zero", async () => {
  const targets = ["q", "v", "up"] as const;
  const [some, all] = [buildModel(config, { ...lora, targets }), buildModel(config, lora)];
  expect(some.trained.map(({ name, shape }) => `${name} ${shape.join()}`)).toEqual([
    "blk.0.attn_qkv.lora_a 4,16",
    "blk.0.attn_qkv.lora_b 32,4",
    "blk.0.ffn_gate_up.lora_a 2,16",
    "blk.0.ffn_gate_up.lora_b 48,2",
    "blk.1.attn_qkv.lora_a 4,16",
    "blk.1.attn_qkv.lora_b 32,4",
    "blk.1.ffn_gate_up.lora_a 2,16",
    "blk.1.ffn_gate_up.lora_b 48,2",
  ]);
  const kept = /attn_q|attn_v|ffn_up/;
  const [few, many] = [await run(trainingGraph(some), some, { kept }), await run(trainingGraph(all), all, { kept })];
  expect(float32Data(few, "loss")[0]).toBeCloseTo(float32Data(many, "loss")[0] ?? 0, 6);
  const [found, expected] = [gradientsByTensor(few, some), gradientsByTensor(many, all)];
  expect([...found.keys()]).toEqual([...expected.keys()].filter((tensor) => kept.test(tensor)));
  for (const [tensor, { a, b }] of found) {
    expect([...a].map(rough)).toEqual([...(expected.get(tensor)?.a ?? [])].map(rough));
    expect([...b].map(rough)).toEqual([...(expected.get(tensor)?.b ?? [])].map(rough));
  }
});

test("a stacked adapter taken apart and put together is the same", () => {
  const pair = buildModel(config, lora).pairs[0] as Model["pairs"][number];
  const [a, b] = [formula(1, elementCount(pair.a)), formula(2, elementCount(pair.b))];
  const parts = unstack(pair, a, b);
  const { a: sameA, b: blocks } = stack(pair, new Map(parts.map((part) => [part.target, part])));
  expect(sameA).toEqual(a);
  expect(unstack(pair, sameA, blocks)).toEqual(parts);
});

test.each([
  ["LoRA", lora],
  ["full", full],
] as const)("%s: of the pass forward a step holds nothing that grows with the square of the length", (_name, method) => {
  const { nodes, outputs } = trainingGraph(buildModel(config, method));
  const forward = new Set(inOrder([outputs["loss"]!.node]).filter(({ inputs }) => inputs.length > 0));
  const held = nodes.filter((node) => !forward.has(node)).flatMap(({ inputs }) => inputs.filter(({ node }) => forward.has(node)));
  const linear = ({ shape }: Value) => shape.filter((dim) => String(dim).includes("time")).length < 2;
  expect(held.length).toBeGreaterThan(10);
  expect(held.filter((value) => !linear(value))).toEqual([]);
});

test("one layer's forward pass, printed", () => {
  const model = buildModel({ ...config, layers: 1 }, lora);
  expect(print(lossGraph(model))).toMatchInlineSnapshot(`
    "loss
      input tokens: int64[batch, time]
      input blk.0.attn_qkv.lora_a: [6, 16]
      input blk.0.attn_qkv.lora_b: [32, 6]
      input mask: [time, time]
      input rows: int64[rows]
      input blk.0.attn_output.lora_a: [2, 16]
      input blk.0.attn_output.lora_b: [16, 2]
      input blk.0.ffn_gate_up.lora_a: [4, 16]
      input blk.0.ffn_gate_up.lora_b: [48, 4]
      input blk.0.ffn_down.lora_a: [2, 24]
      input blk.0.ffn_down.lora_b: [16, 2]
      input labels: int64[rows]
      input weights: [rows]
      weight token_embd.weight: [20, 16]
      weight blk.0.attn_norm.weight: [16]
      weight blk.0.attn_qkv: [32, 16]
      weight blk.0.attn_output: [16, 16]
      weight blk.0.ffn_norm.weight: [16]
      weight blk.0.ffn_gate_up: [48, 16]
      weight blk.0.ffn_down: [16, 24]
      weight output_norm.weight: [16]
      %1: int64[batch*time] = reshape(tokens, shape=[batch*time])
      %2: [batch*time, 16] = gather(token_embd.weight, %1)
      %3: [batch*time, 16], %4: [batch*time, 1] = rmsNorm(%2, blk.0.attn_norm.weight, epsilon=0.00001)
      %5: [batch*time, 6] = gemm(%3, blk.0.attn_qkv.lora_a, transB)
      %6: [32, 6] = constant(shape=[32, 6], data=...)
      %7: [32, 6] = mul(blk.0.attn_qkv.lora_b, %6)
      %8: [batch*time, 32] = gemm(%3, blk.0.attn_qkv, transB)
      %9: [batch*time, 32] = gemm(%5, %7, %8, transB, alpha=2)
      %10: [batch*time, 16], %11: [batch*time, 8], %12: [batch*time, 8] = split(%9, axis=1, sizes=[16, 8, 8])
      %13: [batch, time, 4, 4] = reshape(%10, shape=[batch, time, 4, 4])
      %14: [batch, 4, time, 4] = transpose(%13, order=[0, 2, 1, 3])
      %15: [16, 2] = constant(shape=[16, 2], data=...)
      %16: [16, 2] = constant(shape=[16, 2], data=...)
      %17: [batch, 4, time, 4] = rope(%14, %15, %16, interleaved)
      %18: [batch, 2, 2*time, 4] = reshape(%17, shape=[batch, 2, 2*time, 4])
      %19: [batch, time, 2, 4] = reshape(%11, shape=[batch, time, 2, 4])
      %20: [batch, 2, time, 4] = transpose(%19, order=[0, 2, 1, 3])
      %21: [batch, 2, time, 4] = rope(%20, %15, %16, interleaved)
      %22: [batch, 2, 2*time, time] = matmul(%18, %21, transB, alpha=0.5)
      %23: [batch, 4, time, time] = reshape(%22, shape=[batch, 4, time, time])
      %24: [batch, 4, time, time] = add(%23, mask)
      %25: [batch, 2, 2*time, time] = reshape(%24, shape=[batch, 2, 2*time, time])
      %26: [batch, 2, 2*time, time] = softmax(%25)
      %27: [batch, time, 2, 4] = reshape(%12, shape=[batch, time, 2, 4])
      %28: [batch, 2, time, 4] = transpose(%27, order=[0, 2, 1, 3])
      %29: [batch, 2, 2*time, 4] = matmul(%26, %28)
      %30: [batch, 4, time, 4] = reshape(%29, shape=[batch, 4, time, 4])
      %31: [batch, time, 4, 4] = transpose(%30, order=[0, 2, 1, 3])
      %32: [batch*time, 16] = reshape(%31, shape=[batch*time, 16])
      %33: [rows, 16] = gather(%32, rows)
      %34: [rows, 2] = gemm(%33, blk.0.attn_output.lora_a, transB)
      %35: [rows, 16] = gather(%2, rows)
      %36: [rows, 16] = gemm(%33, blk.0.attn_output, %35, transB)
      %37: [rows, 16] = gemm(%34, blk.0.attn_output.lora_b, %36, transB, alpha=2)
      %38: [rows, 16], %39: [rows, 1] = rmsNorm(%37, blk.0.ffn_norm.weight, epsilon=0.00001)
      %40: [rows, 4] = gemm(%38, blk.0.ffn_gate_up.lora_a, transB)
      %41: [48, 4] = constant(shape=[48, 4], data=...)
      %42: [48, 4] = mul(blk.0.ffn_gate_up.lora_b, %41)
      %43: [rows, 48] = gemm(%38, blk.0.ffn_gate_up, transB)
      %44: [rows, 48] = gemm(%40, %42, %43, transB, alpha=2)
      %45: [rows, 24], %46: [rows, 24] = split(%44, axis=1, sizes=[24, 24])
      %47: [rows, 24] = silu(%45)
      %48: [rows, 24] = mul(%47, %46)
      %49: [rows, 2] = gemm(%48, blk.0.ffn_down.lora_a, transB)
      %50: [rows, 16] = gemm(%48, blk.0.ffn_down, %37, transB)
      %51: [rows, 16] = gemm(%49, blk.0.ffn_down.lora_b, %50, transB, alpha=2)
      %52: [rows, 16], %53: [rows, 1] = rmsNorm(%51, output_norm.weight, epsilon=0.00001)
      %54: [rows], %55: [rows, 20] = linearCrossEntropy(%52, token_embd.weight, labels)
      %56: [rows] = mul(%54, weights)
      %57: [] = sum(%56, axes=[0])
      return loss = %57, losses = %54"
  `);
});

interface RunOptions {
  /** The tensors whose adapters are not zero. */
  readonly kept?: RegExp;
  readonly anchor?: Tensors;
}

/** Runs a graph on the fixture's batch. */
async function run(graph: Parameters<typeof serialise>[0], model: Model, { kept = /./, anchor = {} }: RunOptions = {}): Promise<Tensors> {
  const weights = new Map(
    model.frozen.map((parameter) => [
      parameter.name,
      model.pairs.length > 0 || parameter === model.anchor ? frozen(parameter) : merged(parameter),
    ]),
  );
  const trained = model.trained.map((parameter) => [
    parameter.name,
    float32(model.pairs.length > 0 ? adapter(parameter, model, kept) : merged(parameter), parameter.shape),
  ]);
  const given: Tensors = {
    tokens: int64([3, 7, 1, 12, 19, 4, 5, 2, 11, 0, 0, 0], [2, 6]),
    mask: float32(causalMask(6), [6, 6]),
    rows: int64([2, 3, 4, 5, 7, 8], [6]),
    labels: int64([12, 19, 4, 8, 11, 6], [6]),
    weights: float32(new Float32Array(6).fill(1 / 6), [6]),
    ...anchor,
    ...Object.fromEntries(trained),
  };
  await using session = await runtime.load({
    source: { bytes: serialise(graph, { weights: (name) => ({ data: weights.get(name) ?? new Float32Array() }) }) },
  });
  return session.run(Object.fromEntries(Object.entries(given).filter(([name]) => session.inputNames.includes(name))));
}

/** Seeds in the order in which the fixture's script draws them. */
const seeds = (() => {
  const linears = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].map((name) => `${name}.weight`);
  const layers = [0, 1].flatMap((layer) => {
    const names = ["attn_norm.weight", "ffn_norm.weight", ...linears.flatMap((name) => [name, `${name}.lora_a`, `${name}.lora_b`])];
    return names.map((name) => `blk.${layer}.${name}`);
  });
  const names = ["token_embd.weight", ...layers, "output_norm.weight"];
  return new Map(names.map((name, index) => [name, index + 1]));
})();

function numbers(name: string, count: number, offset = 0): Float32Array {
  return formula(seeds.get(name) ?? Number.NaN, count, offset);
}

function frozen({ parts, shape: [, inputs = 1], kind }: Parameter): Float32Array {
  return concat(parts.map(({ tensor, rows }) => numbers(tensor, rows * inputs, kind === "norm" ? 1 : 0)));
}

function adapter(parameter: Parameter, model: Model, kept: RegExp): Float32Array {
  const pair = model.pairs.find(({ a, b }) => a === parameter || b === parameter) as Model["pairs"][number];
  const { a, b } = stack(
    pair,
    new Map(
      parts(pair.base)
        .filter(({ target }) => kept.test(target))
        .map((part) => [part.target, part]),
    ),
  );
  return parameter === pair.a ? a : b;
}

function parts({ parts: all, shape: [, inputs = 1] }: Parameter) {
  return all.map(({ tensor, rows }) => {
    const [a, b] = [numbers(`${tensor}.lora_a`, 2 * inputs), numbers(`${tensor}.lora_b`, rows * 2)];
    return { target: tensor, a, b, rank: 2, inputs, outputs: rows };
  });
}

/** The weight with alpha / rank * B A added. */
function merged(parameter: Parameter): Float32Array {
  const base = frozen(parameter);
  if (parameter.kind !== "linear") return base;
  const added = parts(parameter).map(({ a, b, inputs, outputs }) =>
    Float32Array.from({ length: outputs * inputs }, (_, index) => {
      const [row, column] = [Math.floor(index / inputs), index % inputs];
      return 2 * ((b[2 * row] ?? 0) * (a[column] ?? 0) + (b[2 * row + 1] ?? 0) * (a[inputs + column] ?? 0));
    }),
  );
  const delta = concat(added);
  return base.map((value, index) => value + (delta[index] ?? 0));
}

function gradient(outputs: Tensors, { name }: Parameter): Float32Array {
  return float32Data(outputs, gradientPrefix + name);
}

/** Of what was learnt, by GGUF tensor; adapters by the names of the fixture. */
function gradientsOfTensors(outputs: Tensors, model: Model): ReadonlyMap<string, Float32Array> {
  const adapters = [...gradientsByTensor(outputs, model).values()];
  const whole = model.trained.flatMap((parameter) => {
    let offset = 0;
    return parameter.parts.map(({ tensor, rows }): [string, Float32Array] => {
      const start = offset;
      offset += rows * (parameter.shape[1] ?? 1);
      return [tensor, gradient(outputs, parameter).slice(start, offset)];
    });
  });
  return new Map([
    ...whole,
    ...adapters.flatMap(({ target, a, b }) => [[`${target}.lora_a`, a] as const, [`${target}.lora_b`, b] as const]),
  ]);
}

function gradientsByTensor(outputs: Tensors, { pairs }: Model) {
  const all = pairs.flatMap((pair) => unstack(pair, gradient(outputs, pair.a), gradient(outputs, pair.b)));
  return new Map(all.map((tensors) => [tensors.target, tensors]));
}

function concat(arrays: readonly Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}
