import { mkdtemp, rm, writeFile } from "node:fs/promises";
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

test("a language model or an unknown name is refused in one line", async () => {
  const options = { modelsFolder: folder, runtime };
  await expect(openEmbeddingModel({ name: "smollm2-135m-instruct", ...options })).rejects.toThrow(
    '"smollm2-135m-instruct" is a language model. Set retriever.embedding to an embedding model',
  );
  await expect(openEmbeddingModel({ name: "all-minilm-l6-v3", ...options })).rejects.toThrow(
    'No model "all-minilm-l6-v3" in the catalogue.',
  );
});
