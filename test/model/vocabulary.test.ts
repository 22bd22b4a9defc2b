// A model with new tokens, in llama.cpp: the same ids for any text as here, and the same probabilities as the training graph's.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { startRuntime } from "../../src/runtime/runtime.ts";
import { tokenizerFromGguf } from "../../src/tokenizer/gguf-tokenizer.ts";
import { preTokeniserNames } from "../../src/tokenizer/pre-tokenise.ts";
import { logits } from "../../src/train/logits.ts";
import { extendVocabulary } from "../../src/weights/extend-vocabulary.ts";
import { readGguf } from "../../src/weights/gguf-read.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-vocabulary-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const field = Array.from(
  { length: 12 },
  (_, index) => `Hypersonic flow past a Größe of ${index * 977} m: aeroelastic flutter;\n\n\tIT'S the 灯台 aeroelasticity 🦙.`,
);
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        " aero",
        "elastic",
        "aeroelastic",
        " flutt",
        "er",
        "Hyper",
        "sonic ",
        "ö",
        "灯",
        "台",
        "🦙",
        "\n\n\t",
        "977",
        " 7",
        "'S",
      ),
    )
    .map((parts) => parts.join("")),
);

test.each([
  ...preTokeniserNames.map((preTokeniser) => ({ preTokeniser, untied: false, type: "F32" as const })),
  { preTokeniser: "smollm" as const, untied: true, type: "Q8_0" as const },
])(
  "$preTokeniser, untied: $untied",
  async ({ preTokeniser, untied, type }) => {
    const name = join(folder, `${preTokeniser}-${type}`);
    await writeTinyLlama({ path: `${name}.gguf`, preTokeniser, untied, type, seed: 7 });
    const { added } = await extendVocabulary({ base: await readGguf(`${name}.gguf`), path: `${name}-new.gguf`, texts: field, count: 60 });
    expect(added.length).toBeGreaterThan(40);
    await using theirs = await openLlamaModel({ path: `${name}-new.gguf`, threads: 1, contextLength: 256 });
    const ours = tokenizerFromGguf((await readGguf(`${name}-new.gguf`)).metadata);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(ours.encode(text)).toEqual([...theirs.tokenizeText(text)]);
      }),
      { numRuns: 300 },
    );

    const tokens = ours.encode(field.slice(0, 2).join(" "));
    const first = ours.model.tokens.length - added.length;
    expect(tokens.filter((token) => token >= first).length).toBeGreaterThan(10);
    await using runtime = startRuntime({ threads: 1 });
    const { data, vocabulary } = await logits({ runtime, basePath: `${name}-new.gguf`, tokens });
    expect(vocabulary).toBe(ours.model.tokens.length);
    const scores = await theirs.score(tokens);
    const gaps = tokens.slice(1).map((token, row) => {
      const after = data.subarray(row * vocabulary, (row + 1) * vocabulary);
      return Math.abs(after[token]! - Math.log(after.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[row]!);
    });
    // As without new tokens: keys and values in half precision, activations in 8 bits before Q8_0.
    expect(Math.max(...gaps)).toBeLessThan(type === "F32" ? 5e-3 : 5e-2);
  },
  60_000,
);
