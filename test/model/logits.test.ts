// The training graph and llama.cpp on the same file and tokens: what is trained is what will be served.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { logits } from "../../src/train/logits.ts";
import { seededRandom } from "../../src/util/random.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-logits-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Natural-log probability of each token after the first, from rows of logits. */
function logProbabilities(tokens: readonly number[], data: Float32Array, vocabulary: number): readonly number[] {
  return tokens.slice(1).map((token, row) => {
    const values = data.subarray(row * vocabulary, (row + 1) * vocabulary);
    const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = values.reduce((sum, value) => sum + Math.exp(value - highest), 0);
    return values[token]! - highest - Math.log(total);
  });
}

// llama.cpp keeps keys and values in half precision whatever the file's type (.0031 was seen with F32 weights), and rounds activations
// to 8 bits in blocks of 32 before products with Q8_0.
test.each([
  { type: "F32", within: 5e-3 },
  { type: "F16", within: 5e-3 },
  { type: "Q8_0", within: 5e-2 },
] as const)(
  "log-probabilities of a $type file agree within $within",
  async ({ type, within }) => {
    const path = join(folder, `${type}.gguf`);
    await writeTinyLlama({ path, seed: 3, type });
    const random = seededRandom("tokens");
    const tokens = Array.from({ length: 40 }, () => 3 + random.integer(300));
    await using runtime = startRuntime({ threads: 1 });
    await using model = await openLlamaModel({ path, threads: 1, contextLength: 128 });
    const { data, vocabulary } = await logits({ runtime, basePath: path, tokens });
    const ours = logProbabilities(tokens, data, vocabulary);
    const theirs = await model.score(tokens);
    const furthest = Math.max(...ours.map((value, index) => Math.abs(value - theirs[index]!)));
    expect(furthest).toBeLessThan(within);
  },
  60_000,
);
