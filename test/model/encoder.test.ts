// The default embedding model's file: its weights as numbers, and the file written again with weights in their place.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serialise } from "../../src/graph/onnx.ts";
import { encoderConfig, encoderData } from "../../src/nn/encoder.ts";
import { embeddingGraph } from "../../src/nn/encoder-programs.ts";
import { openEncoder } from "../../src/retriever/embed.ts";
import { innerProduct } from "../../src/retriever/similarity.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { float32Data } from "../../src/runtime/tensor.ts";
import { encoderFeeds } from "../../src/train/encoder-feeds.ts";
import { readOnnxEncoder, writeOnnxEncoder } from "../../src/weights/onnx-encoder.ts";
import { realModel } from "./real-model.ts";

const model = await realModel("all-minilm-l6-v2");
const reason = "missing" in model ? model.missing : "";
const runtime = startRuntime({ threads: 1 });
const folder = await mkdtemp(join(tmpdir(), "sartor-encoder-"));
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const text = "What is the capital of France?";
/** As the tokenizer has it: [CLS] what is the capital of france ? [SEP]. */
const tokens = [101, 2054, 2003, 1996, 3007, 1997, 2605, 1029, 102];

test("the dequantised weights embed as the file does, but for the rounding of its activations", async ({ skip }) => {
  if ("missing" in model) return skip(reason);
  const tensors = await readOnnxEncoder(model.path);
  const config = encoderConfig(tensors, 12, 1e-12);
  expect(config).toEqual({ layers: 6, width: 384, heads: 12, hidden: 1536, vocabulary: 30522, positions: 512, epsilon: 1e-12 });
  const data = encoderData(tensors);
  const bytes = serialise(embeddingGraph(config), { weights: (name) => ({ data: data.get(name)! }) });
  await using session = await runtime.load({ source: { bytes } });
  const exact = float32Data(await session.run(encoderFeeds([tokens])), "embeddings");
  const [served] = await embedBy(model.path);
  expect(innerProduct(exact, served!)).toBeGreaterThan(0.98);
});

test("weights written in the place of their own are read again, to half a step of 8 bits, and embed alike", async ({ skip }) => {
  if ("missing" in model) return skip(reason);
  const name = "encoder.layer.0.attention.self.query.weight";
  const { data } = (await readOnnxEncoder(model.path)).get(name)!;
  const path = join(folder, "same.onnx");
  await writeOnnxEncoder(model.path, path, new Map([[name, data]]));
  const again = (await readOnnxEncoder(path)).get(name)!.data;
  const step = (data.reduce((most, value) => Math.max(most, value), 0) - data.reduce((least, value) => Math.min(least, value), 0)) / 255;
  const furthest = data.reduce((most, value, at) => Math.max(most, Math.abs(value - again[at]!)), 0);
  expect(furthest).toBeLessThan(step);
  expect(innerProduct((await embedBy(path))[0]!, (await embedBy(model.path))[0]!)).toBeGreaterThan(0.995);
});

async function embedBy(onnx: string): Promise<readonly Float32Array[]> {
  if ("missing" in model) return [];
  const beside = (file: string): string => join(dirname(model.path), file);
  const paths = { onnx, tokenizer: beside("tokenizer.json"), tokenizerConfig: beside("tokenizer_config.json") };
  await using encoder = await openEncoder({ id: "minilm", key: onnx, paths, maxTokens: 256, runtime });
  return encoder.embed([text]);
}
