// How fast this machine reads, writes and trains with a model: measured once, then kept, so that a plan is the same the second time.
import type { LanguageModel } from "../model.ts";

/** Measured on this machine once and kept, so that a plan is the same the second time. */
export interface Speeds {
  readonly readTokensPerSecond: number;
  readonly writeTokensPerSecond: number;
  readonly trainTokensPerSecond: number;
  readonly passagesPerSecond: number;
}

/** Reading and writing tokens a second of a bare model, by two short requests after a warm-up. */
export async function measureSpeeds(model: LanguageModel, signal?: AbortSignal): Promise<Pick<Speeds, "readTokensPerSecond" | "writeTokensPerSecond">> {
  const ask = (words: number, maxTokens: number, salt: string) =>
    model.generate({
      input: { kind: "completion", text: `${salt} ${"the quick brown fox jumps over the lazy dog and ".repeat(words / 10)}`, shared: 0 },
      decoding: { constraint: { kind: "free" }, maxTokens, temperature: 0, stop: [] },
      ...(signal && { signal }),
    });
  await ask(20, 2, "warm");
  const reading = await ask(400, 1, "read");
  const writing = await ask(10, 24, "write");
  const readTokensPerSecond = reading.tokens.input / reading.seconds;
  const spent = writing.seconds - writing.tokens.input / readTokensPerSecond;
  return { readTokensPerSecond, writeTokensPerSecond: Math.max(1, writing.tokens.output) / Math.max(0.01, spent) };
}
