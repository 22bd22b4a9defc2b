// What llama.cpp thinks of tokens when it rounds as little as it can: keys and values are kept in 32 bits, not in 16.
import { Session } from "../../src/model/llama-cpp-session.ts";

export interface ServedScoresOptions {
  readonly path: string;
  readonly tokens: readonly number[];
  /** A GGUF adapter, applied as it was trained. */
  readonly adapter?: string | undefined;
}

/** Natural-log probability of each token after the first, given those before it. */
export async function servedScores({ path, tokens, adapter }: ServedScoresOptions): Promise<readonly number[]> {
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  const llama = await getLlama({ gpu: false, maxThreads: 1, build: "never", logLevel: LlamaLogLevel.error });
  await using model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: tokens.length + 1,
    threads: 1,
    swaFullCache: true,
    flashAttention: false,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
    ...(adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter, scale: 1 }] } }),
  });
  await using session = new Session(context);
  const predicted = await session.predict(
    tokens,
    tokens.map((_, at) => tokens.slice(at + 1, at + 2)),
  );
  return tokens.slice(1).map((token, at) => predicted[at]?.get(token) ?? Number.NaN);
}
