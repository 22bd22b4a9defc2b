import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType as DataType, type ValueInfoProtoSchema } from "onnx-buf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EmbeddingModel } from "../model.ts";
import { startRuntime } from "../runtime/runtime.ts";
import { openEmbeddingModel, openEncoder } from "./embed.ts";

const vocabulary = ["[UNK]", "[CLS]", "[SEP]", "bike", "hotel", "leave"];
/** One row for each token: [6, 2]. */
const rows = [0, 0, 0, 0, 0, 0, 3, 0, 0, 4, 1, 1];

const tensorType = (
  elemType: DataType,
  ...sizes: (number | string)[]
): NonNullable<MessageInitShape<typeof ValueInfoProtoSchema>["type"]> => ({
  value: {
    case: "tensorType",
    value: {
      elemType,
      shape: {
        dim: sizes.map((size) => ({
          value: typeof size === "string" ? { case: "dimParam", value: size } : { case: "dimValue", value: BigInt(size) },
        })),
      },
    },
  },
});

/** An encoder that looks each token up in a table: hidden states [batch, tokens, 2]. */
function lookUpModel(): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: {
        name: "look-up",
        node: [{ opType: "Gather", input: ["rows", "input_ids"], output: ["last_hidden_state"] }],
        initializer: [{ name: "rows", dims: [6n, 2n], dataType: DataType.FLOAT, floatData: rows }],
        input: [{ name: "input_ids", type: tensorType(DataType.INT64, "batch", "tokens") }],
        output: [{ name: "last_hidden_state", type: tensorType(DataType.FLOAT, "batch", "tokens", 2) }],
      },
    }),
  );
}

const tokenizer = {
  version: "1.0",
  added_tokens: [],
  normalizer: { type: "Lowercase" },
  pre_tokenizer: { type: "Whitespace" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: { "[CLS]": { id: "[CLS]", ids: [1], tokens: ["[CLS]"] }, "[SEP]": { id: "[SEP]", ids: [2], tokens: ["[SEP]"] } },
  },
  decoder: null,
  model: { type: "WordLevel", vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), unk_token: "[UNK]" },
};

let folder = "";
let encoder: EmbeddingModel;
const runtime = startRuntime({ threads: 1 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-embed-"));
  const paths = {
    onnx: join(folder, "model.onnx"),
    tokenizer: join(folder, "tokenizer.json"),
    tokenizerConfig: join(folder, "tokenizer_config.json"),
  };
  await writeFile(paths.onnx, lookUpModel());
  await writeFile(paths.tokenizer, JSON.stringify(tokenizer));
  await writeFile(paths.tokenizerConfig, JSON.stringify({ unk_token: "[UNK]" }));
  encoder = await openEncoder({ id: "look-up", key: "1", paths, maxTokens: 5, runtime });
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("a text's vector is the mean over its tokens as a unit vector", async () => {
  expect(encoder.dimensions).toBe(2);
  expect(await encoder.embed(["bike", "Bike hotel", "leave"])).toEqual([
    Float32Array.of(1, 0),
    Float32Array.of(0.6, 0.8),
    Float32Array.of(Math.SQRT1_2, Math.SQRT1_2),
  ]);
});

test("a long text loses its end, not the token that closes it", async () => {
  // Five tokens: [CLS] bike bike bike [SEP].
  expect(await encoder.embed(["bike bike bike hotel hotel hotel"])).toEqual([Float32Array.of(1, 0)]);
});

test("nothing known gives a zero vector, not NaN", async () => {
  expect(await encoder.embed([""])).toEqual([Float32Array.of(0, 0)]);
});

test("an aborted signal stops it", async () => {
  await expect(encoder.embed(["bike"], AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
});

/** As transformers.js lays a model out. */
async function folderOf(name: string, settings: { readonly [file: string]: object } = {}): Promise<string> {
  const path = join(folder, name);
  for (const below of ["onnx", "1_Pooling"]) await mkdir(join(path, below), { recursive: true });
  await writeFile(join(path, "onnx", "model.onnx"), lookUpModel());
  const files = { "tokenizer.json": tokenizer, "tokenizer_config.json": { unk_token: "[UNK]" }, ...settings };
  for (const [file, value] of Object.entries(files)) await writeFile(join(path, file), JSON.stringify(value));
  return path;
}

test("a folder is an embedding model: its pooling and its length are kept to", async () => {
  const plain = await openEmbeddingModel({ name: await folderOf("plain"), modelsFolder: folder, runtime });
  expect(await plain.embed(["bike hotel"])).toEqual([Float32Array.of(0.6, 0.8)]);
  const first = await openEmbeddingModel({
    name: await folderOf("first", { "1_Pooling/config.json": { pooling_mode_cls_token: true } }),
    modelsFolder: folder,
    runtime,
  });
  expect(await first.embed(["bike hotel"])).toEqual([Float32Array.of(0, 0)]);
  const short = await openEmbeddingModel({
    name: await folderOf("short", { "sentence_bert_config.json": { max_seq_length: 3 } }),
    modelsFolder: folder,
    runtime,
  });
  expect(await short.embed(["bike hotel"])).toEqual([Float32Array.of(1, 0)]);
  expect(new Set([plain.key, first.key, short.key]).size).toBe(3);
});

test("a folder without a model is told in one line", async () => {
  await expect(openEmbeddingModel({ name: join(folder, "none"), modelsFolder: folder, runtime })).rejects.toThrow(
    "holds no embedding model: there is no onnx/model.onnx.",
  );
  const broken = await folderOf("broken", { "sentence_bert_config.json": { max_seq_length: "long" } });
  await expect(openEmbeddingModel({ name: broken, modelsFolder: folder, runtime })).rejects.toThrow(
    "sentence_bert_config.json cannot be read",
  );
});

test("a language model or an unknown name is refused in one line", async () => {
  const options = { modelsFolder: folder, runtime };
  await expect(openEmbeddingModel({ name: "smollm2-135m-instruct", ...options })).rejects.toThrow(
    '"smollm2-135m-instruct" is a language model. Set retriever.embedding to an embedding model',
  );
  await expect(openEmbeddingModel({ name: "all-minilm-l6-v3", ...options })).rejects.toThrow(
    'No model "all-minilm-l6-v3" in the catalogue.',
  );
});
