// How a model that was just written goes on with a text: what a person looks at first.
import type { Environment } from "./answer/open.ts";
import { UserError } from "./errors.ts";
import { openLlamaModel } from "./model/llama-cpp.ts";

export interface Sample {
  readonly prompt: string;
  readonly text: string;
}

export interface SampleOptions {
  /** Of the model's file. */
  readonly path: string;
  readonly prompt: string;
  readonly contextLength: number;
  readonly environment: Environment;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What llama.cpp makes of the prompt; nothing where it is not installed. */
export async function sampleOf({ path, prompt, contextLength, environment, seed = 0, signal }: SampleOptions): Promise<Sample | undefined> {
  const { threads, packagesFolder } = environment;
  const opened = openLlamaModel({ path, threads, contextLength, packagesFolder, signal });
  // Without llama.cpp the model is written all the same.
  await using model = await opened.catch((error: unknown) => (error instanceof UserError ? undefined : Promise.reject(error)));
  if (model === undefined) return undefined;
  const decoding = { constraint: { kind: "free" }, maxTokens: Math.min(64, contextLength / 2), temperature: 0.8, stop: [] } as const;
  const input = { kind: "completion", text: prompt, shared: 0 } as const;
  const { text } = await model.generate({ input, decoding, seed, ...(signal && { signal }) });
  return { prompt, text };
}
