// Writes the vectors of a corpus and of its queries as float32, for a peer that is given vectors.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PieceWriter } from "../src/retriever/piece-writer.ts";
import { clusteredVectors, scaleCorpus } from "./scale-corpus.ts";
import type { ScaleRequest } from "./scale-measure.ts";

const { passages, folder, queries } = JSON.parse(process.argv[3]!) as ScaleRequest;
const model = clusteredVectors();
const corpus = await scaleCorpus();

async function write(name: string, vectors: AsyncIterable<Float32Array> | Iterable<Float32Array>): Promise<void> {
  using file = new PieceWriter(join(folder, name));
  for await (const vector of vectors) file.write(vector);
  file.finish();
}

async function* passageVectors(): AsyncIterable<Float32Array> {
  for (const { text } of corpus.documents(passages)) yield* await model.embed(text.split("\n"));
}

await write("vectors.bin", passageVectors());
await write("queries.bin", await model.embed(JSON.parse(await readFile(queries, "utf8")) as string[]));
await writeFile(join(folder, "dimensions.json"), JSON.stringify(model.dimensions));
console.log("{}");
