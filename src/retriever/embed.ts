// Sentence embeddings: by an ONNX encoder of the BERT family, from the catalogue or a folder, or by a server.
import { Tokenizer } from "@huggingface/tokenizers";
import { UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import { catalogueEntry } from "../model/catalogue.ts";
import { type FetchEvent, fetchModel, type FetchModelOptions } from "../model/fetch-model.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { int64, type Tensors } from "../runtime/tensor.ts";
import { multimodalFamily, openMultimodal } from "../media/multimodal.ts";
import { serverEmbedding } from "../model/server-embedding.ts";
import { contentKey } from "../util/hash.ts";
import { type Pooling, readEncoderFolder, readJson } from "./encoder-folder.ts";

export interface OpenEmbeddingOptions extends FetchModelOptions {
  readonly runtime: Runtime;
  /** Called while the model is being fetched. */
  readonly onFetch?: ((event: FetchEvent) => void) | undefined;
  /** The value of an environment variable: {@link serverKey} holds the key of a server. */
  readonly secret?: ((variable: string) => string | undefined) | undefined;
  /** Where `sartor setup local` put what is not beside this package. */
  readonly packagesFolder?: string | undefined;
}

export const serverKey = "SARTOR_EMBEDDING_KEY";

const serverName = /^(https?:\/\/[^#]+)#(.+)$/iu;
/** Whether a name is one of the catalogue's: neither a server's nor a folder's. */
export const inCatalogue = (name: string): boolean => !/[\\/]/u.test(name);

/**
 * Opens an embedding model by its name: one of the catalogue, fetched first when it is not here; the path of a folder as transformers.js
 * lays them out, of an encoder of texts or a multi-modal model; or a server that speaks the OpenAI protocol and its model, as `http://localhost:8080/v1#bge-m3`. Texts longer than
 * the context length lose their end.
 * @throws {UserError} if no mirror or folder has it, if it is no embedding model, or onnxruntime-node is not installed.
 */
export async function openEmbeddingModel({ secret, packagesFolder, ...options }: OpenEmbeddingOptions): Promise<EmbeddingModel> {
  const { name, runtime, signal } = options;
  const [, url, model] = serverName.exec(name) ?? [];
  if (url !== undefined && model !== undefined) return serverEmbedding({ url, model, apiKey: secret?.(serverKey), signal });
  if (inCatalogue(name)) return openFromCatalogue(options);
  const family = await multimodalFamily(name);
  if (family !== undefined) return openMultimodal({ folder: name, family, threads: runtime.threads, packagesFolder });
  return openEncoder({ id: name, ...(await readEncoderFolder(name)), runtime });
}

async function openFromCatalogue({ runtime, onFetch, ...options }: OpenEmbeddingOptions): Promise<EmbeddingModel> {
  const entry = catalogueEntry(options.name);
  if (entry.kind !== "embedding")
    throw new UserError(`"${entry.name}" is a language model. Set retriever.embedding to an embedding model, such as all-minilm-l6-v2.`);
  for await (const event of fetchModel(options)) {
    onFetch?.(event);
    if (event.kind !== "done") continue;
    const { files } = event.model;
    const path = (name: string): string => files.find((file) => file.name === name)!.path;
    return openEncoder({
      id: entry.name,
      key: contentKey(files.map(({ sha256 }) => sha256)),
      paths: { onnx: files[0].path, tokenizer: path("tokenizer.json"), tokenizerConfig: path("tokenizer_config.json") },
      maxTokens: entry.contextLength,
      runtime,
    });
  }
  throw new Error(`fetching "${entry.name}" ended without a model`);
}

export interface OpenEncoderOptions {
  readonly id: string;
  /** Changes with the contents of the files. */
  readonly key: string;
  readonly paths: { readonly onnx: string; readonly tokenizer: string; readonly tokenizerConfig: string };
  readonly maxTokens: number;
  /** Default: mean. */
  readonly pooling?: Pooling;
  readonly runtime: Runtime;
}

/**
 * An encoder of the BERT family: its last hidden states pooled over the tokens, scaled to length 1 (Reimers and Gurevych 2019).
 *
 * Texts go through one at a time, on purpose: the int8 model measures the range of its activations over everything in a run, so that
 * in a batch a text's vector would depend on its neighbours (cosines down to .990 were seen), and on 2 cores a batch is no quicker.
 */
export async function openEncoder({ id, key, paths, maxTokens, pooling = "mean", runtime }: OpenEncoderOptions): Promise<EmbeddingModel> {
  const tokenizer = new Tokenizer(await readJson(paths.tokenizer), await readJson(paths.tokenizerConfig));
  const session = await runtime.load({ source: { path: paths.onnx } });
  const embed = async (text: string): Promise<Float32Array> =>
    pooled(pooling, await session.run(feeds(session, tokensOf(tokenizer, text, maxTokens))));
  return {
    id,
    key: contentKey({ key, maxTokens, pooling }),
    dimensions: (await embed("a")).length,
    embed: async (texts, signal) => {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        signal?.throwIfAborted();
        vectors.push(await embed(text));
      }
      return vectors;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** Ids with the special tokens at both ends, also when cut. */
function tokensOf(tokenizer: Tokenizer, text: string, maxTokens: number): readonly number[] {
  const { ids } = tokenizer.encode(text);
  return ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1)!];
}

function feeds({ inputNames }: Session, ids: readonly number[]): Tensors {
  const dims = [1, ids.length];
  const all: Tensors = {
    input_ids: int64(ids, dims),
    attention_mask: int64(
      ids.map(() => 1),
      dims,
    ),
    token_type_ids: int64(
      ids.map(() => 0),
      dims,
    ),
  };
  return Object.fromEntries(inputNames.map((name) => [name, all[name]!]));
}

/** The only output, [1, tokens, dimensions], as a unit vector. */
function pooled(pooling: Pooling, outputs: Tensors): Float32Array {
  const states = outputs["last_hidden_state"];
  if (states?.type !== "float32")
    throw new Error(`An encoder without a float32 "last_hidden_state" (outputs: ${Object.keys(outputs).join(", ")}).`);
  const [, tokens = 0, dimensions = 0] = states.dims;
  const counted = { mean: tokens, cls: Math.min(1, tokens) }[pooling];
  const sums = new Float32Array(dimensions);
  for (let token = 0; token < counted; token++) for (let i = 0; i < dimensions; i++) sums[i]! += states.data[token * dimensions + i]!;
  const length = Math.hypot(...sums);
  return length === 0 ? sums : sums.map((value) => value / length);
}
