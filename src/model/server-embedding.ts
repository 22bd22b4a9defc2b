// An embedding model behind any server that speaks the OpenAI protocol. Knows no files.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { EmbeddingModelV3 } from "@ai-sdk/provider";
import { UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import { sha256 } from "../util/hash.ts";
import { askPatiently, checkedUrl, defaultPatience, type Patience, withinPatience } from "./patience.ts";

export interface ServerEmbeddingOptions {
  /** Up to and with `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Texts in one request. */
const TOGETHER = 64;

/**
 * Asks the server once for the width of its vectors, which are scaled to length 1 here.
 * @throws {UserError} where the address is none or the server refuses. {ModelUnavailable} where it does not answer.
 */
export async function serverEmbedding({
  url,
  model,
  apiKey,
  patience = defaultPatience,
  signal,
}: ServerEmbeddingOptions): Promise<EmbeddingModel> {
  const server = { url: checkedUrl(url), model };
  const provider = createOpenAICompatible({ name: "server", baseURL: server.url, ...(apiKey === undefined ? {} : { apiKey }) });
  const ask = asker(server, provider.embeddingModel(model), patience);
  const dimensions = (await ask(["width"], signal))[0]!.length;
  return {
    id: model,
    key: sha256(`${server.url} ${model}`),
    dimensions,
    embed: async (texts, stop) => {
      const vectors: Float32Array[] = [];
      for (let from = 0; from < texts.length; from += TOGETHER) {
        stop?.throwIfAborted();
        vectors.push(...(await ask(texts.slice(from, from + TOGETHER), stop)));
      }
      const other = vectors.find(({ length }) => length !== dimensions);
      if (other === undefined) return vectors;
      const widths = `vectors of ${other.length} and of ${dimensions} numbers`;
      throw new UserError(`${server.url} gave ${widths} as "${model}". Index the documents again.`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

type Ask = (values: string[], signal: AbortSignal | undefined) => Promise<Float32Array[]>;

function asker(server: { readonly url: string; readonly model: string }, embedder: EmbeddingModelV3, patience: Patience): Ask {
  return async (values, signal) => {
    const { embeddings } = await askPatiently({
      server,
      patience,
      signal,
      ask: async () => embedder.doEmbed({ values, abortSignal: withinPatience(patience, signal) }),
    });
    if (embeddings.length === values.length) return embeddings.map(unit);
    const counts = `${embeddings.length} vectors for ${values.length} texts`;
    throw new UserError(`${server.url} gave ${counts} as "${server.model}". Check the model's name.`);
  };
}

function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length));
}
