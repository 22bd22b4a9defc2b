// What the exactness bench works on: the demo model in three files, an adapter tuned on real data, and texts that tuning did not see.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { UserError } from "../../src/errors.ts";
import type { TokenSequence } from "../../src/model.ts";
import { fetchModel } from "../../src/model/fetch-model.ts";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { defaultModelsFolder } from "../../src/model/model-files.ts";
import { runnableFile } from "../../src/model/repack.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { type Base, openBase } from "../../src/train/base.ts";
import { seededRandom } from "../../src/util/random.ts";
import { readGguf, readTensor } from "../../src/weights/gguf-read.ts";
import { mergeInto } from "../../src/weights/merge.ts";

/** Files of one model: its weights in fp32, as it is served, and as it is published. */
export type FileKind = "f32" | "q8_0" | "q4_1";

export interface Setting {
  readonly folder: string;
  readonly runtime: Runtime;
  readonly files: { readonly f32: string } & { readonly [K in FileKind]?: string };
  readonly texts: Texts;
}

/** With the fp32 file opened, for training. */
export interface TrainingSetting extends Setting {
  readonly base: Base;
  readonly threads: number;
}

export interface Texts {
  readonly train: readonly TokenSequence[];
  readonly heldOut: readonly TokenSequence[];
  /** Stretches of other text, from which the numeric noise is taken. */
  readonly plain: readonly (readonly number[])[];
}

export interface MakeSettingOptions extends Pick<TrainingSetting, "folder" | "runtime" | "threads"> {
  readonly data: string;
  readonly heldOut: number;
}

const TRAINED = 400;
const PLAIN = { stretches: 4, tokens: 128 } as const;

export async function makeSetting({ folder, runtime, threads, data, heldOut }: MakeSettingOptions): Promise<TrainingSetting> {
  const { published, served } = await demoModel();
  const f32 = join(folder, "f32.gguf");
  await writeUnpacked(served, f32);
  const files = { q4_1: published, q8_0: served, f32 };
  return { folder, runtime, threads, files, base: await openBase(f32), texts: await readTexts({ data, path: served, heldOut }) };
}

async function demoModel(): Promise<{ readonly published: string; readonly served: string }> {
  const modelsFolder = defaultModelsFolder(process.env);
  for await (const event of fetchModel({ name: "smollm2-135m-instruct", modelsFolder }))
    if (event.kind === "done")
      return { published: event.model.files[0].path, served: (await runnableFile({ model: event.model, modelsFolder })).path };
  throw new Error("The fetch ended without a model.");
}

/** The same model with every matrix as the 32-bit floats that it stands for. */
async function writeUnpacked(from: string, path: string): Promise<void> {
  const base = await readGguf(from);
  const matrices = [...base.tensors.values()].filter(({ shape }) => shape.length > 1);
  await mergeInto({ base, path, replacements: new Map(matrices.map(({ name }) => [name, () => readTensor(base, name)])) });
}

/** E2E (Dušek et al. 2019, https://arxiv.org/abs/1911.03905): attributes of a restaurant to a sentence about it; WikiText-2 as plain text. */
async function readTexts({ data, path, heldOut }: { data: string; path: string; heldOut: number }): Promise<Texts> {
  await using model = await openLlamaModel({ path, threads: 1 });
  const read = async (file: string) => {
    const rows = parse<{ mr: string; ref: string }>(await readFile(join(data, "e2e_nlg_cleaned", file), "utf8"), { columns: true });
    const byMeaning = new Map(rows.map(({ mr, ref }) => [mr, ref]));
    return seededRandom(file).shuffle([...byMeaning]);
  };
  const sequence = ([meaning, text]: readonly [string, string]): TokenSequence =>
    model.tokenize({ kind: "chat", messages: [{ role: "user", content: `Describe the restaurant: ${meaning}` }], shared: 0 }, text);
  const train = (await read("devel-fixed.no-ol.csv")).slice(0, TRAINED);
  const seen = new Set(train.map(([meaning]) => meaning));
  const others = (await read("test-fixed.csv")).filter(([meaning]) => !seen.has(meaning)).slice(0, heldOut);
  if (others.length < heldOut)
    throw new UserError(`There are ${others.length} held-out prompts in ${data}/e2e_nlg_cleaned; ask for at most those with --prompts.`);
  const paragraphs = (await readFile(join(data, "general_probes", "wikitext2_test.txt"), "utf8"))
    .split("\n")
    .filter((line) => line.length > 800);
  const plain = paragraphs.slice(0, PLAIN.stretches).map((text) => model.tokenizeText(text.trim()).slice(0, PLAIN.tokens));
  return { train: train.map(sequence), heldOut: others.map(sequence), plain };
}
