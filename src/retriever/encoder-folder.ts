// An encoder's files in a folder laid out as transformers.js and sentence-transformers do: which there are, and how it pools.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { sha256 } from "../util/hash.ts";

/** How the vector of a text is made of its tokens': their mean, or the first one's. */
export type Pooling = "mean" | "cls";

export interface EncoderFolder {
  readonly paths: { readonly onnx: string; readonly tokenizer: string; readonly tokenizerConfig: string };
  /** Changes with the contents of the files. */
  readonly key: string;
  readonly maxTokens: number;
  readonly pooling: Pooling;
}

/** The first that is there is taken: the smaller and quicker before the exact one. */
const onnxFiles = ["onnx/model_quantized.onnx", "onnx/model.onnx", "model_quantized.onnx", "model.onnx"];

const positions = z.object({ max_position_embeddings: z.number().int().positive().optional() });
const sentences = z.object({ max_seq_length: z.number().int().positive().nullish() });
const poolings = z.object({ pooling_mode_cls_token: z.boolean().optional() });

/** @throws {UserError} where a file is missing or cannot be read. */
export async function readEncoderFolder(
  folder: string,
  what: "embedding model" | "cross-encoder" = "embedding model",
): Promise<EncoderFolder> {
  const onnx = await firstOf(onnxFiles.map((name) => join(folder, name)));
  const [tokenizer, tokenizerConfig] = [join(folder, "tokenizer.json"), join(folder, "tokenizer_config.json")];
  const missing = onnx === undefined ? onnxFiles[1] : !(await isFile(tokenizer)) ? "tokenizer.json" : undefined;
  if (onnx === undefined || missing !== undefined)
    throw new UserError(`${folder} holds no ${what}: there is no ${missing}. Name a folder as transformers.js lays them out.`);
  const limits = [
    (await json(join(folder, "config.json"), positions)).max_position_embeddings,
    (await json(join(folder, "sentence_bert_config.json"), sentences)).max_seq_length,
  ];
  const pooling = (await json(join(folder, "1_Pooling", "config.json"), poolings)).pooling_mode_cls_token === true ? "cls" : "mean";
  return {
    paths: { onnx, tokenizer, tokenizerConfig },
    key: sha256(Buffer.concat([await readFile(onnx), await readFile(tokenizer)])),
    maxTokens: Math.min(...limits.filter((limit) => typeof limit === "number"), 512),
    pooling,
  };
}

async function firstOf(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path;
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** What a file of settings says; one that is not there says nothing. */
async function json<T extends z.ZodType>(path: string, schema: T): Promise<z.infer<T> | Record<string, never>> {
  if (!(await isFile(path))) return {};
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new UserError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** A file that a model can't do without. */
export async function readJson(path: string): Promise<object> {
  return JSON.parse(await readFile(path, "utf8")) as object;
}
