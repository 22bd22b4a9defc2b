// llama.cpp as the exactness bench asks it: raw logits, and the tokens it would write greedily.
import type { LlamaContext, LlamaModel, Token } from "node-llama-cpp";
import { llamaRuntime } from "../../src/model/llama-cpp-runtime.ts";

export interface Served extends AsyncDisposable {
  /** Raw logits after each of the wanted places: [rows, vocabulary], row-major. */
  after(tokens: readonly number[], rows: readonly number[]): Promise<Float32Array>;
  /** The token with the highest logit after each of the wanted places. */
  top(tokens: readonly number[], rows: readonly number[]): Promise<readonly number[]>;
  /** `count` tokens, each the likeliest, written one by one; what would end an answer does not end it. */
  greedy(prompt: readonly number[], count: number): Promise<readonly number[]>;
}

export interface OpenServedOptions {
  readonly path: string;
  /** A GGUF adapter, at scale 1. */
  readonly adapter?: string;
  /** As it is served: attention in half precision. Else all in fp32, for weights that are. */
  readonly attention?: "half" | "single";
}

const contextSize = 512;

export async function openServed({ path, adapter, attention = "half" }: OpenServedOptions): Promise<Served> {
  const { llama } = await llamaRuntime();
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize,
    batchSize: 128,
    // Two wait for each other whenever the machine has something else to do.
    threads: 1,
    failedCreationRemedy: false,
    ...(attention === "single"
      ? { flashAttention: false, experimentalKvCacheKeyType: "F32" as const, experimentalKvCacheValueType: "F32" as const }
      : {}),
    ...(adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter, scale: 1 }] } }),
  });
  return served(model, context);
}

function served(model: LlamaModel, context: LlamaContext): Served {
  const sequence = context.getSequence();
  /** What is asked for after each wanted place, in the order of the places. */
  const ask = async (tokens: readonly number[], rows: readonly number[], generateNext: object) => {
    await sequence.clearHistory();
    const wanted = new Set(rows);
    const items = tokens.map((token, at) => (wanted.has(at) ? ([token as Token, { generateNext }] as [Token, object]) : (token as Token)));
    const outputs = await sequence.controlledEvaluate(items);
    return rows.map((row) => outputs[row]?.next ?? {});
  };
  return {
    async after(tokens, rows) {
      const answers = await ask(tokens, rows, { logits: true });
      const vocabulary = answers[0]?.logits?.size ?? 0;
      const data = new Float32Array(rows.length * vocabulary);
      for (const [index, { logits }] of answers.entries())
        for (const [token, logit] of logits ?? []) data[index * vocabulary + token] = logit;
      return data;
    },
    async top(tokens, rows) {
      const answers = await ask(tokens, rows, { logits: { filter: { tokens: [], includeSelected: true } } });
      return answers.map(({ logits }) => logits?.keys().next().value ?? Number.NaN);
    },
    async greedy(prompt, count) {
      await sequence.clearHistory();
      const written: number[] = [];
      for await (const token of sequence.evaluate(prompt as Token[], { temperature: 0, yieldEogToken: true })) {
        written.push(token);
        if (written.length === count) break;
      }
      return written;
    },
    async [Symbol.asyncDispose]() {
      await model.dispose();
    },
  };
}
