// The forward pass alone: what the training graph thinks of a text. For checking it against the runtime that serves the model.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialise } from "../graph/onnx.ts";
import { type LoraTensors, stack } from "../nn/lora.ts";
import { buildModel, logitsGraph, type Method, type Model } from "../nn/programs.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { float32, float32Data, type Tensors } from "../runtime/tensor.ts";
import { type Base, openBase } from "./base.ts";
import { modelFeeds } from "./feeds.ts";
import { packingsOf, weightSource, writeWeightsFile } from "./weights-file.ts";

export interface OpenLogitsOptions {
  readonly runtime: Runtime;
  readonly basePath: string;
  /** Tokens of the longest text that will be asked for. */
  readonly longest?: number;
  /** Applied at alpha / rank, as in training. */
  readonly adapter?: { readonly tensors: readonly LoraTensors[]; readonly rank: number; readonly alpha: number };
}

export interface LogitsModel extends AsyncDisposable {
  readonly vocabulary: number;
  /** The scores of every token of the vocabulary after each of the wanted places (default: all): [rows, vocabulary], row-major. */
  after(tokens: readonly number[], rows?: readonly number[]): Promise<Float32Array>;
}

/** A model, with an adapter or without, ready to score texts. */
export async function openLogits({ runtime, basePath, longest = 4096, adapter }: OpenLogitsOptions): Promise<LogitsModel> {
  const base = await openBase(basePath);
  const method: Method =
    adapter === undefined ? { kind: "full", trains: () => false } : { kind: "lora", rank: adapter.rank, alpha: adapter.alpha };
  const model = buildModel({ ...base.config, context: longest }, method);
  const folder = await mkdtemp(join(tmpdir(), "sartor-logits-"));
  const clear = () => rm(folder, { recursive: true, force: true });
  const session = await load(runtime, model, base, folder).catch(async (error: unknown) => {
    await clear();
    throw error;
  });
  const tensors = new Map(adapter?.tensors.map((tensor) => [tensor.target, tensor]));
  const adapters: Tensors = Object.fromEntries(
    model.pairs.flatMap((pair) => {
      const { a, b } = stack(pair, tensors);
      return [
        [pair.a.name, float32(a, pair.a.shape)],
        [pair.b.name, float32(b, pair.b.shape)],
      ];
    }),
  );
  return {
    vocabulary: base.config.vocabulary,
    async after(tokens, rows = tokens.map((_, index) => index)) {
      const batch = { size: 1, time: tokens.length, tokens: Int32Array.from(tokens), rows: Int32Array.from(rows) };
      return float32Data(await session.run({ ...modelFeeds(batch, base.config), ...adapters }), "logits");
    },
    async [Symbol.asyncDispose]() {
      // In this order: where files are mapped, some systems refuse to remove them.
      await session.release();
      await clear();
    },
  };
}

async function load(runtime: Runtime, model: Model, { read, packed }: Base, folder: string): Promise<Session> {
  const file = "weights.bin";
  const layout = { parameters: model.frozen, packings: packingsOf(model.frozen, packed) };
  await writeWeightsFile({ path: join(folder, file), ...layout, read, packed });
  const path = join(folder, "logits.onnx");
  await writeFile(path, serialise(logitsGraph(model), { weights: weightSource(file, layout) }));
  return runtime.load({ source: { path }, prepack: false });
}

/** The scores of every token of the vocabulary after each token: [tokens, vocabulary], row-major. */
export async function logits({
  tokens,
  ...options
}: OpenLogitsOptions & { readonly tokens: readonly number[] }): Promise<{ readonly data: Float32Array; readonly vocabulary: number }> {
  await using model = await openLogits({ longest: tokens.length, ...options });
  return { data: await model.after(tokens), vocabulary: model.vocabulary };
}
