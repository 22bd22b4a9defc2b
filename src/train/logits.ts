// The forward pass alone: what the training graph thinks of a text. For checking it against the runtime that serves the model.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialise } from "../graph/onnx.ts";
import { type LoraTensors, stack } from "../nn/lora.ts";
import { buildModel, logitsGraph, type Method } from "../nn/programs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32, float32Data, type Tensors } from "../runtime/tensor.ts";
import { openBase } from "./base.ts";
import { modelFeeds } from "./feeds.ts";
import { writeWeightsFile } from "./weights-file.ts";

export interface LogitsOptions {
  readonly runtime: Runtime;
  readonly basePath: string;
  readonly tokens: readonly number[];
  /** Applied at alpha / rank, as in training. */
  readonly adapter?: { readonly tensors: readonly LoraTensors[]; readonly rank: number; readonly alpha: number };
}

/** The scores of every token of the vocabulary after each token: [tokens, vocabulary], row-major. */
export async function logits({
  runtime,
  basePath,
  tokens,
  adapter,
}: LogitsOptions): Promise<{ readonly data: Float32Array; readonly vocabulary: number }> {
  const { config, read } = await openBase(basePath);
  const method: Method =
    adapter === undefined ? { kind: "full", trains: () => false } : { kind: "lora", rank: adapter.rank, alpha: adapter.alpha };
  const model = buildModel({ ...config, context: tokens.length }, method);
  const folder = await mkdtemp(join(tmpdir(), "sartor-logits-"));
  try {
    const file = "weights.f32";
    const offsets = await writeWeightsFile(join(folder, file), model.frozen, read);
    const path = join(folder, "logits.onnx");
    await writeFile(path, serialise(logitsGraph(model), { weights: (name) => ({ file, offset: offsets.get(name) ?? 0 }) }));
    await using session = await runtime.load({ source: { path }, prepack: false });
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
    const rows = Int32Array.from(tokens, (_, index) => index);
    const outputs = await session.run({
      ...modelFeeds({ size: 1, time: tokens.length, tokens: Int32Array.from(tokens), rows }, config),
      ...adapters,
    });
    return { data: float32Data(outputs, "logits"), vocabulary: config.vocabulary };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
