// Updates the trained numbers of a run, stretch by stretch, inside the runtime: norm, clipping, AdamW, added gradients.

import { add, input, mul } from "../graph/ops.ts";
import { trace } from "../graph/graph.ts";
import { serialise } from "../graph/onnx.ts";
import { verify } from "../graph/verify.ts";
import { adamWGraph, adamWScalars, sumOfSquaresGraph } from "../nn/adamw.ts";
import type { View, Views } from "../runtime/protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32Data, scalar, type Tensors } from "../runtime/tensor.ts";

export interface UpdateOptions {
  /** The number of the update, from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** Of matrices; norms are not decayed. */
  readonly weightDecay: number;
  /** Gradients are scaled down to this norm, all parameters together (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063). */
  readonly maxNorm: number;
}

/** The optimiser of one run. */
export interface Optimiser extends AsyncDisposable {
  /** Adds "gradient" to "total"; the first of an update replaces it. */
  accumulate(first: boolean): Promise<void>;
  /** The norm of a buffer's numbers. */
  norm(gradient: string): Promise<number>;
  /** One AdamW step by the gradient in a buffer, whose norm is known. */
  update(gradient: string, norm: number, options: UpdateOptions): Promise<void>;
}

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
/** Numbers that one run updates: few enough to stay in the processor's cache. */
const STRETCH = 1 << 18;

/** The numbers from 0 to `decayed` are matrices, those up to `size` norms. */
export async function startOptimiser(runtime: Runtime, size: number, decayed: number): Promise<Optimiser> {
  const load = (graph: Parameters<typeof serialise>[0]) => runtime.load({ source: { bytes: serialise(graph) } });
  const sessions = { adamW: await load(adamWGraph(adam)), squares: await load(sumOfSquaresGraph()), sum: await load(sumGraph()) };
  const stretches = [...cut(0, decayed), ...cut(decayed, size)];
  let totalling = false;
  return {
    async accumulate(first) {
      if (!totalling) await runtime.allocate("total", size);
      totalling = true;
      const keep = scalar(first ? 0 : 1);
      const bind = (at: Stretch) => ({
        inputs: views(at, { total: "total", gradient: "gradient" }),
        outputs: views(at, { newTotal: "total" }),
      });
      await Promise.all(stretches.map((at) => sessions.sum.run({ keep }, bind(at))));
    },
    async norm(gradient) {
      const runs = await Promise.all(stretches.map((at) => sessions.squares.run({}, { inputs: views(at, { gradient }) })));
      return Math.sqrt(runs.reduce((total, outputs) => total + (float32Data(outputs, "sumOfSquares")[0] ?? Number.NaN), 0));
    },
    async update(gradient, norm, options) {
      const [decaying, plain] = [feeds(norm, options), feeds(norm, { ...options, weightDecay: 0 })];
      const bind = (at: Stretch) => ({
        inputs: views(at, { parameter: "parameter", mean: "mean", variance: "variance", gradient }),
        outputs: views(at, { newParameter: "parameter", newMean: "mean", newVariance: "variance" }),
      });
      await Promise.all(stretches.map((at) => sessions.adamW.run(at.offset < decayed ? decaying : plain, bind(at))));
    },
    async [Symbol.asyncDispose]() {
      for (const session of Object.values(sessions)) await session.release();
      if (totalling) await runtime.free("total");
    },
  };
}

function feeds(norm: number, { maxNorm, ...options }: UpdateOptions): Tensors {
  const { keep, stepSize, rootScale } = adamWScalars({ ...adam, ...options });
  const gradientScale = Math.min(1, maxNorm / Math.max(norm, 1e-12));
  return { gradientScale: scalar(gradientScale), keep: scalar(keep), stepSize: scalar(stepSize), rootScale: scalar(rootScale) };
}

interface Stretch {
  readonly offset: number;
  readonly count: number;
}

function cut(from: number, to: number): readonly Stretch[] {
  const count = Math.ceil((to - from) / STRETCH);
  return Array.from({ length: count }, (_, index) => ({
    offset: from + index * STRETCH,
    count: Math.min(STRETCH, to - from - index * STRETCH),
  }));
}

function views({ offset, count }: Stretch, buffers: { readonly [name: string]: string }): Views {
  return Object.fromEntries(Object.entries(buffers).map(([name, buffer]): [string, View] => [name, { buffer, offset, dims: [count] }]));
}

function sumGraph() {
  const stretch = (name: string) => input(name, "float32", ["count"]);
  return verify(trace("sum", { newTotal: add(mul(stretch("total"), input("keep", "float32", [])), stretch("gradient")) }));
}
