// An embedding model made of nothing: equal words give equal vectors.
import type { EmbeddingModel } from "../../src/model.ts";
import { seededRandom } from "../../src/util/random.ts";
import { words } from "../../src/util/words.ts";

/** Sums of random vectors of words: a small embedding that knows equal words. Counts what it is asked. */
export function wordVectors(): EmbeddingModel & { readonly asked: string[] } {
  const asked: string[] = [];
  const embed = (text: string): Float32Array => {
    const sum = new Float32Array(32).fill(1e-6);
    for (const word of words(text)) {
      const random = seededRandom(word);
      sum.forEach((value, i) => (sum[i] = value + random.normal()));
    }
    const length = Math.hypot(...sum);
    return sum.map((value) => value / length);
  };
  return {
    id: "word-vectors",
    key: "word-vectors-1",
    dimensions: 32,
    asked,
    embed: async (texts, signal) => {
      signal?.throwIfAborted();
      asked.push(...texts);
      return texts.map(embed);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
