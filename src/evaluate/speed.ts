// How fast this machine reads, writes and trains with a model: measured once, then kept, so that a plan is the same the second time.
import { UserError } from "../errors.ts";
import { type Generation, isLocal, type LanguageModel, type LocalLanguageModel } from "../model.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { measureStep } from "../train/measure.ts";

/** Measured on this machine once and kept, so that a plan is the same the second time. */
export interface Speeds {
  readonly readTokensPerSecond: number;
  readonly writeTokensPerSecond: number;
  /** Of LoRA steps; 0 where the model cannot be tuned here. */
  readonly trainTokensPerSecond: number;
  /** Why it cannot. */
  readonly cannotTrain?: string;
}

type TrainingSpeed = Pick<Speeds, "trainTokensPerSecond" | "cannotTrain">;

/** Measures answering and, where the model can be tuned here, training. Takes about ten seconds. */
export async function speedsOf({
  model,
  runtime,
  signal,
}: {
  model: LanguageModel;
  runtime: () => Promise<Runtime>;
  signal?: AbortSignal;
}): Promise<Speeds> {
  const answering = await measureAnswering(model, signal);
  return { ...answering, ...(isLocal(model) ? await measureTraining(model, await runtime(), signal) : { trainTokensPerSecond: 0 }) };
}

const places = 96;
const attempts = 3;

/** Tokens a second of three LoRA steps over texts of 96 tokens, 16 of them learnt. */
async function measureTraining(model: LocalLanguageModel, runtime: Runtime, signal?: AbortSignal): Promise<TrainingSpeed> {
  const tokens = model.tokenizeText("the quick brown fox jumps over the lazy dog and ".repeat(20)).slice(0, places);
  const train = Array.from({ length: 8 }, () => ({ tokens, promptLength: places - 16 }));
  try {
    const { secondsPerStep } = await measureStep({
      runtime,
      run: { kind: "lora", basePath: model.path },
      train,
      batchSize: 8,
      ...(signal && { signal }),
    });
    return { trainTokensPerSecond: (8 * places) / secondsPerStep };
  } catch (error) {
    if (error instanceof UserError) return { trainTokensPerSecond: 0, cannotTrain: error.message };
    throw error;
  }
}

/** Reading and writing tokens a second of a bare model, by short requests after a warm-up; the quickest of each counts. */
async function measureAnswering(model: LanguageModel, signal?: AbortSignal): Promise<Omit<Speeds, keyof TrainingSpeed>> {
  const ask = (words: number, maxTokens: number, salt: string) =>
    model.generate({
      input: {
        kind: "completion",
        text: `${salt} ${"the quick brown fox jumps over the lazy dog and ".repeat(Math.max(1, Math.floor(words / 10)))}`,
        shared: 0,
      },
      decoding: { constraint: { kind: "free" }, maxTokens, temperature: 0, stop: [] },
      ...(signal && { signal }),
    });
  await ask(20, 2, "warm");
  // Small vocabularies take up to four tokens a word: short contexts are asked to read less.
  const reading = await quickest((salt) => ask(Math.min(400, model.contextLength / 8), 1, `read ${salt}`));
  const writing = await quickest((salt) => ask(10, 24, `write ${salt}`));
  const readTokensPerSecond = reading.tokens.input / reading.seconds;
  const spent = writing.seconds - writing.tokens.input / readTokensPerSecond;
  return { readTokensPerSecond, writeTokensPerSecond: Math.max(1, writing.tokens.output) / Math.max(0.01, spent) };
}

/** Whatever else the machine does makes a request slower, never quicker. */
async function quickest(ask: (salt: number) => Promise<Generation>): Promise<Generation> {
  let best: Generation | undefined;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const generation = await ask(attempt);
    if (best === undefined || generation.seconds < best.seconds) best = generation;
  }
  return best!;
}
