// Passages a second that are embedded, beside sentence-transformers in 32-bit floats over the same model on the same machine, in turns;
// and how near the vectors are to theirs. The peer's weights are those of our file, dequantised: that changes no speed.
import { copyFile, mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wholeNumber } from "../src/cli/options.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { embeddingCache } from "../src/retriever/embedding-cache.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { innerProduct } from "../src/retriever/similarity.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { fileSystemStore } from "../src/store/file-system.ts";
import { readOnnxEncoder } from "../src/weights/onnx-encoder.ts";
import { writeSafetensors } from "../src/weights/safetensors.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { sources } from "./collections.ts";
import { startPython } from "./python.ts";

const name = "all-minilm-l6-v2";
const rounds = 3;
const threads = 2;

/** `--python <path>` names the peer's Python; `--passages <number>` is how many of each collection are embedded (default: 100). */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { python, passages = "100" } = readArguments(given, { python: { type: "string" }, passages: { type: "string" } });
  const folder = await mkdtemp(join(tmpdir(), "sartor-bench-embed-"));
  try {
    const texts = await passagesOf(data, wholeNumber(passages, "--passages"));
    const modelsFolder = defaultModelsFolder(process.env);
    await writePeerModel(join(modelsFolder, name), folder);
    await using runtime = startRuntime({ threads });
    await using model = await openEmbeddingModel({ name, modelsFolder, runtime });
    await model.embed(texts.slice(0, 32));
    await using peer = await startPython({ script: "embed_sentences.py", options: { folder, threads }, python });
    const [own, theirs]: [Side[], Side[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      own.push(await timed(() => model.embed(texts)));
      if (peer !== undefined) theirs.push(await peer.ask<Side>({ texts }));
    }
    const cache = await embeddingCache(model, fileSystemStore(folder));
    await cache.passages(texts);
    const cached = await timed(() => cache.passages(texts));
    report({ texts, own: quickest(own), cached, theirs: theirs.length === 0 ? undefined : quickest(theirs), json });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Side {
  readonly seconds: number;
  readonly vectors: readonly (Float32Array | readonly number[])[];
}

async function timed(embed: () => Promise<readonly Float32Array[]>): Promise<Side> {
  const started = performance.now();
  const vectors = await embed();
  return { seconds: (performance.now() - started) / 1000, vectors };
}

const quickest = (sides: readonly Side[]): Side => sides.toSorted((a, b) => a.seconds - b.seconds)[0]!;

/** As many of each collection, from all over it. */
async function passagesOf(data: string, ofEach: number): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const source of sources) {
    const { documents } = await source.read(data);
    const step = documents.length / ofEach;
    for (let at = 0; at < ofEach; at++) texts.push(documents[Math.floor(at * step)]!.text);
  }
  return texts;
}

/** The model as sentence-transformers reads it: mean pooling over 256 tokens. */
async function writePeerModel(from: string, to: string): Promise<void> {
  const tensors = await readOnnxEncoder(join(from, "model_quantized.onnx"));
  await writeSafetensors({
    path: join(to, "model.safetensors"),
    metadata: { format: "pt" },
    tensors: Array.from(tensors.values(), (tensor) => ({ ...tensor, type: "F32" as const })),
  });
  for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"]) await copyFile(join(from, file), join(to, file));
  await mkdir(join(to, "1_Pooling"));
  const files = {
    "modules.json": [
      { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
      { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    ],
    "sentence_bert_config.json": { max_seq_length: 256, do_lower_case: false },
    "1_Pooling/config.json": { word_embedding_dimension: 384, pooling_mode_mean_tokens: true },
  };
  for (const [file, value] of Object.entries(files)) await writeFile(join(to, file), JSON.stringify(value));
}

interface Report {
  readonly texts: readonly string[];
  readonly own: Side;
  readonly cached: Side;
  readonly theirs: Side | undefined;
  readonly json: boolean;
}

function report({ texts, own, cached, theirs, json }: Report): void {
  const rate = ({ seconds }: Side): number => texts.length / seconds;
  const rows = [
    ["sartor (8 bits)", rate(own)],
    ["sartor, known already", rate(cached)],
    ...(theirs === undefined ? [] : [["sentence-transformers (32 bits)", rate(theirs)] as const]),
  ] as const;
  console.log(`${texts.length} passages of ${sources.length} collections, ${threads} threads, the quickest of ${rounds} rounds in turns`);
  printTable(
    ["", "passages/s"],
    rows.map(([side, value]) => [side, value.toFixed(1)]),
  );
  if (theirs === undefined) return;
  const cosines = own.vectors.map((vector, at) => innerProduct(Float32Array.from(vector), Float32Array.from(theirs.vectors[at]!)));
  const ratio = rate(own) / rate(theirs);
  const [lowest, mean] = [Math.min(...cosines), cosines.reduce((sum, one) => sum + one, 0) / cosines.length];
  console.log(`${ratio.toFixed(2)} times as fast; cosine to its vectors: mean ${figure(mean)}, lowest ${figure(lowest)}`);
  if (json)
    console.log(
      JSON.stringify({ bench: "embed", passages: texts.length, own: rate(own), peer: rate(theirs), ratio, cosine: { mean, lowest } }),
    );
}
