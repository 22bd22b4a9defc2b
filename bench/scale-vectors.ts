// Writes the vectors of a corpus and of its queries as float32, for a peer that is given vectors.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writePieces } from "../src/util/atomic.ts";
import { clusteredVectors, scaleCorpus } from "./scale-corpus.ts";
import type { ScaleRequest } from "./scale-measure.ts";

const { passages, folder, queries } = JSON.parse(process.argv[3]!) as ScaleRequest;
const model = clusteredVectors();
const corpus = await scaleCorpus();

async function* vectors(): AsyncIterable<Float32Array> {
  for (const { text } of corpus.documents(passages)) yield* await model.embed(text.split("\n"));
}

await writePieces(join(folder, "vectors.bin"), vectors());
await writePieces(join(folder, "queries.bin"), await model.embed(corpus.queries(queries)));
await writeFile(join(folder, "dimensions.json"), JSON.stringify(model.dimensions));
console.log("{}");
