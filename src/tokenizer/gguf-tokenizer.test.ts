import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LlamaModel, Token } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import { messageOf } from "../errors.ts";
import { ggufTokenizerMetadata, tokenizerFromGguf, type GgufTokenizer } from "./gguf-tokenizer.ts";
import { preTokeniserNames, type PreTokeniserName } from "./pre-tokenise.ts";
import { trainBpe } from "./train-bpe.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-tokenizer-"));
const texts = [
  "",
  " ",
  "Hello, world!",
  "I'll say it: they've said we're LATE, IT'S done; don't.",
  "x = 12345 + 3.14159e-10\n\n\n\tif (x >= 7) {\r\n\t\treturn  x;\r\n}   ",
  "Größe naïve façade «météo» 6h30 — “quoted” … ½ ² Ⅷ",
  "灯台守は天気を記録する。西の風、雨。",
  "Маяк, маячник. שלום עולם مرحبا بالعالم नमस्ते",
  "🦙🌧️👩‍👩‍👧‍👦 e\u0301 \u00a0\u2003\u3000 \u0085 \ufeff zero\u200bwidth",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
  "<|im_start<|im_end|>|>",
];
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(preTokeniserNames)("a file whose texts are cut by %s", (preTokeniser: PreTokeniserName) => {
  let ours: GgufTokenizer;
  let theirs: LlamaModel;
  beforeAll(async () => {
    const path = join(folder, `${preTokeniser}.gguf`);
    const { metadata } = await writeTinyLlama({ path, preTokeniser, vocabulary: 600, texts, width: 32, hidden: 32 });
    ours = tokenizerFromGguf(metadata);
    const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
    const llama = await getLlama({ gpu: false, maxThreads: 2, build: "never", logLevel: LlamaLogLevel.error });
    theirs = await llama.loadModel({ modelPath: path });
  });
  afterAll(() => theirs.dispose());

  test.each(texts)("llama.cpp gives the same ids for %j", (text) => {
    expect(ours.encode(text)).toEqual([...theirs.tokenize(text, false)]);
    expect(ours.encode(text, { special: true })).toEqual([...theirs.tokenize(text, true)]);
  });

  test("llama.cpp gives the same text for the same ids", () => {
    const ids = ours.encode(texts[9] ?? "");
    expect(theirs.detokenize(ids as Token[])).toBe(ours.decode(ids));
  });
});

test("a tokenizer of another kind, an unknown rule and broken lists are one-line errors", () => {
  const errors = [
    { "tokenizer.ggml.model": "llama" },
    { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "dutch" },
    { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": [1, 2] },
  ].map((metadata) => messageOf(thrownBy(() => tokenizerFromGguf(metadata))));
  expect(errors).toEqual([
    'The file\'s tokenizer is of the kind "llama", and only "gpt2" (byte-level BPE) can be read without llama.cpp. Use a model with such a tokenizer.',
    'The file\'s tokenizer cuts texts by the rule "dutch", and known are gpt-2, smollm, llama-bpe, qwen2. Use a model with one of them.',
    "The file's metadata has no usable tokenizer.ggml.tokens. Fetch or export the model again.",
  ]);
});

test("an end that is no special token is refused", () => {
  const model = trainBpe({ texts: [], vocabularySize: 257, specialTokens: ["<|end|>"] });
  expect(() => ggufTokenizerMetadata(model, { bosToken: "<|end|>", eosToken: "</s>" })).toThrow(
    '"</s>" is no special token of the vocabulary (it has: <|end|>). Add it to specialTokens.',
  );
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
