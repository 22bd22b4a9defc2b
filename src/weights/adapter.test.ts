import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Llama, Token } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import { seededRandom } from "../util/random.ts";
import { readGgufAdapter, writeGgufAdapter } from "./gguf-adapter.ts";
import { readGguf, readTensor, readTensorBytes } from "./gguf-read.ts";
import type { LoraTensor } from "./lora.ts";
import { mergeInto } from "./merge.ts";
import { readPeftAdapter, writePeftAdapter } from "./peft-adapter.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "adapter-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const random = seededRandom("adapter");
const pair = (target: string, outputs: number, inputs: number, rank = 4): LoraTensor => ({
  target,
  a: Float32Array.from({ length: rank * inputs }, () => random.normal()),
  b: Float32Array.from({ length: outputs * rank }, () => random.normal() / 10),
  rank,
  inputs,
  outputs,
});
const lora = {
  architecture: "llama",
  alpha: 8,
  tensors: [pair("blk.0.attn_q.weight", 64, 64), pair("blk.0.attn_k.weight", 32, 64), pair("blk.1.ffn_down.weight", 64, 128, 2)],
};

test("an adapter is read back from GGUF as it was written", async () => {
  await writeGgufAdapter({ path: at("adapter.gguf"), ...lora });
  expect(await readGgufAdapter(at("adapter.gguf"))).toEqual(lora);
});

test("a model is refused as an adapter", async () => {
  await writeTinyLlama({ path: at("model.gguf") });
  await expect(readGgufAdapter(at("model.gguf"))).rejects.toThrow(
    /is no usable LoRA adapter: its metadata does not say adapter\.type lora/,
  );
});

describe("with llama.cpp", () => {
  let llama: Llama;
  beforeAll(async () => {
    const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
    llama = await getLlama({ gpu: false, maxThreads: 2, build: "never", logLevel: LlamaLogLevel.error });
    await writeTinyLlama({ path: at("base.gguf"), seed: 3 });
    await writeGgufAdapter({ path: at("adapter.gguf"), ...lora });
  });
  afterAll(() => llama.dispose());

  async function nextToken(
    path: string,
    adapter?: { readonly filePath: string; readonly scale: number },
  ): Promise<ReadonlyMap<number, number>> {
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({ contextSize: 64, ...(adapter ? { lora: { adapters: [adapter] } } : {}) });
    const tokens: Token[] = model.tokenize("The keeper of the log");
    const last = tokens.at(-1)!;
    const output = await context
      .getSequence()
      .controlledEvaluate([...tokens.slice(0, -1), [last, { generateNext: { probabilities: true } }]]);
    await model.dispose();
    return output.at(-1)?.next.probabilities ?? new Map();
  }

  function largestDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
    expect(a.size).toBe(b.size);
    return Math.max(...Array.from(a, ([token, probability]) => Math.abs(probability - (b.get(token) ?? 1))));
  }

  test("an adapter at scale 0 is the base model, and at scale 1 the model it was merged into", async () => {
    await mergeInto({ base: await readGguf(at("base.gguf")), path: at("merged.gguf"), adapter: lora });
    const base = await nextToken(at("base.gguf"));
    const none = await nextToken(at("base.gguf"), { filePath: at("adapter.gguf"), scale: 0 });
    const adapted = await nextToken(at("base.gguf"), { filePath: at("adapter.gguf"), scale: 1 });
    const merged = await nextToken(at("merged.gguf"));
    expect(base.size).toBeGreaterThan(300);
    expect(largestDifference(none, base)).toBe(0);
    expect(largestDifference(adapted, base)).toBeGreaterThan(0.001);
    expect(largestDifference(adapted, merged)).toBeLessThan(2e-5);
  });

  test.each(["F16", "Q8_0"] as const)("a merge in %s is close to the one in F32", async (type) => {
    const base = await readGguf(at("base.gguf"));
    await mergeInto({ base, path: at("merged.gguf"), adapter: lora });
    await mergeInto({ base, path: at("small.gguf"), adapter: lora, type });
    const small = await readGguf(at("small.gguf"));
    expect([small.tensors.get("blk.0.attn_q.weight")?.type, small.tensors.get("blk.0.attn_v.weight")?.type]).toEqual([type, "F32"]);
    expect(largestDifference(await nextToken(at("small.gguf")), await nextToken(at("merged.gguf")))).toBeLessThan(0.002);
  });
});

test("a merge replaces what it is given and copies everything else as it is packed", async () => {
  await writeTinyLlama({ path: at("packed.gguf"), type: "Q8_0" });
  const base = await readGguf(at("packed.gguf"));
  const norm = Float32Array.from({ length: 64 }, (_, i) => i);
  await mergeInto({ base, path: at("replaced.gguf"), replacements: new Map([["output_norm.weight", norm]]), type: "F16" });
  const merged = await readGguf(at("replaced.gguf"));
  expect(merged.metadata).toEqual({ ...base.metadata, "general.file_type": 1 });
  expect(merged.metadataTypes).toEqual({ ...base.metadataTypes, "general.file_type": "uint32" });
  expect(await readTensor(merged, "output_norm.weight")).toEqual(norm);
  for (const name of [...base.tensors.keys()].filter((key) => key !== "output_norm.weight")) {
    expect(await readTensorBytes(merged, name)).toEqual(await readTensorBytes(base, name));
  }
});

test("a merge into another model is refused, and writes nothing", async () => {
  await writeTinyLlama({ path: at("narrow.gguf"), width: 32 });
  const base = await readGguf(at("narrow.gguf"));
  await expect(mergeInto({ base, path: at("never.gguf"), adapter: lora })).rejects.toThrow(
    /The adapter changes "blk\.0\.attn_q\.weight" as \[64, 64\], and .*narrow\.gguf holds it as \[32, 32\]/,
  );
  await expect(mergeInto({ base, path: at("never.gguf"), replacements: new Map([["x", new Float32Array(1)]]) })).rejects.toThrow(
    /No tensor "x" to change/,
  );
  await expect(readGguf(at("never.gguf"))).rejects.toThrow(/ENOENT/);
});

describe("PEFT", () => {
  const heads = { heads: 4, kvHeads: 2 };

  test("an adapter is read back as it was written, under PEFT's names", async () => {
    await writePeftAdapter({ folder: at("peft"), baseModel: "nobody/tiny", ...lora, ...heads });
    const file = await readSafetensors(at("peft/adapter_model.safetensors"));
    expect(Array.from(file.tensors.values(), ({ name, shape }) => `${name} [${shape.join(", ")}]`)).toEqual([
      "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [4, 64]",
      "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight [64, 4]",
      "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight [4, 64]",
      "base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight [32, 4]",
      "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight [2, 128]",
      "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight [64, 2]",
    ]);
    expect(await readPeftAdapter(at("peft"), { architecture: "llama", ...heads })).toEqual(lora);
  });

  test("an adapter of fused tensors keeps them fused, its rows as they are", async () => {
    const fused = {
      architecture: "phi3",
      alpha: 8,
      tensors: [pair("blk.0.attn_qkv.weight", 128, 64), pair("blk.0.ffn_up.weight", 256, 64)],
    };
    await writePeftAdapter({ folder: at("fused"), baseModel: "nobody/tiny", ...fused, ...heads });
    const file = await readSafetensors(at("fused/adapter_model.safetensors"));
    expect([...file.tensors.keys()].filter((name) => name.endsWith("lora_B.weight"))).toEqual([
      "base_model.model.model.layers.0.self_attn.qkv_proj.lora_B.weight",
      "base_model.model.model.layers.0.mlp.gate_up_proj.lora_B.weight",
    ]);
    expect(await readPeftAdapter(at("fused"), { architecture: "phi3", ...heads })).toEqual(fused);
  });

  test("with rsLoRA PEFT's own alpha is written, and the alpha that divided by the rank is the scale is read back", async () => {
    const folder = at("rs-lora");
    const one = { ...lora, tensors: lora.tensors.slice(0, 2) };
    await writePeftAdapter({ folder, baseModel: "nobody/tiny", ...one, ...heads, rsLora: true, dropout: 0.05 });
    const config: unknown = JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ r: 4, lora_alpha: 4, use_rslora: true, lora_dropout: 0.05, target_modules: ["k_proj", "q_proj"] });
    expect(await readPeftAdapter(folder, { architecture: "llama", ...heads })).toEqual(one);
    await expect(writePeftAdapter({ folder, baseModel: "nobody/tiny", ...lora, ...heads, rsLora: true })).rejects.toThrow(/several ranks/);
  });

  test("what has no PEFT name and what is no plain LoRA are one-line errors", async () => {
    const options = { folder: at("refused"), baseModel: "nobody/tiny", alpha: 8, ...heads };
    await expect(writePeftAdapter({ ...options, architecture: "llama", tensors: [pair("output.weight", 8, 8)] })).rejects.toThrow(
      /The tensor output\.weight has no PEFT name/,
    );
    await expect(writePeftAdapter({ ...options, architecture: "mamba", tensors: [] })).rejects.toThrow(
      /architecture "mamba" are not known/,
    );
    await expect(readPeftAdapter(at("refused"), { architecture: "llama", ...heads })).rejects.toThrow(/Cannot read .*adapter_config\.json/);
    await writeSafetensors({ path: at("refused/adapter_model.safetensors"), tensors: [] });
    writeFileSync(at("refused/adapter_config.json"), JSON.stringify({ peft_type: "LORA", lora_alpha: 8, use_dora: true }));
    await expect(readPeftAdapter(at("refused"), { architecture: "llama", ...heads })).rejects.toThrow(/it uses DoRA or an alpha pattern/);
  });
});
