// An index folder of any size: `build` makes it, `search` measures it, each in a process of its own.
import { readFile } from "node:fs/promises";
import { openIndexWriter } from "../src/retriever/index-writer.ts";
import { openIndex, type OpenIndex } from "../src/retriever/open-index.ts";
import type { Document } from "../src/task.ts";
import { clusteredVectors, PASSAGE_WORDS, scaleCorpus } from "./scale-corpus.ts";
import {
  type BuildResult,
  diskBytes,
  peakMemory,
  recallOf,
  type ScaleRequest,
  type Search,
  type SearchResult,
  timed,
  type Times,
} from "./scale-measure.ts";

const [action, given] = process.argv.slice(2);
const request = JSON.parse(given!) as ScaleRequest;
const { folder } = request;
const model = clusteredVectors();
const settings = { folder, chunk: { words: PASSAGE_WORDS, overlap: 0, method: "fixed" }, embedding: { name: "clustered", model } } as const;
const sources = { folder: ".", paths: [] };

async function build({ passages }: ScaleRequest): Promise<BuildResult> {
  const corpus = await scaleCorpus();
  const started = performance.now();
  await using writer = await openIndexWriter(settings);
  for (const document of corpus.documents(passages)) await writer.put(document);
  await writer.commit({ sources });
  return { seconds: (performance.now() - started) / 1000, memory: peakMemory(), disk: await diskBytes(folder) };
}

const methods = ["bm25", "dense", "hybrid", "convex"] as const;

async function search({ queries: path, compared }: ScaleRequest): Promise<SearchResult> {
  const queries = JSON.parse(await readFile(path, "utf8")) as string[];
  await using index = await openIndex({ folder, openEmbedding: async () => model });
  const by =
    (of: OpenIndex, method: (typeof methods)[number]): Search =>
    async (query) =>
      (await of.search(query, { method, k: 10 })).map(({ document, start }) => `${document} ${start}`);
  const times: Record<string, Times> = {};
  for (const method of methods) times[method] = await timed(by(index, method), queries);
  const memory = process.memoryUsage.rss();
  await using exact = await openIndex({ folder, openEmbedding: async () => model, exactUpTo: Number.POSITIVE_INFINITY });
  for (const method of ["dense", "hybrid", "convex"] as const)
    times[method] = { ...times[method]!, recall: await recallOf(by(index, method), by(exact, method), queries.slice(0, compared)) };
  return { memory, searches: times, changes: await changes(index) };
}

async function changes(index: OpenIndex): Promise<number[]> {
  const document = (text: string): Document => ({ id: "new.txt", title: "", text, sha256: "" });
  const steps: readonly (readonly [string, Document | undefined])[] = [
    ["quagga", document("A quagga was seen.")],
    ["okapi", document("An okapi was seen.")],
    ["okapi", undefined],
  ];
  const times: number[] = [];
  for (const [word, put] of steps) {
    const started = performance.now();
    {
      await using writer = await openIndexWriter(settings);
      await (put === undefined ? writer.remove("new.txt") : writer.put(put));
      await writer.commit({ sources });
    }
    const found = await index.search(word, { method: "bm25", k: 1 });
    times.push(performance.now() - started);
    if (found.some(({ document: id }) => id === "new.txt") !== (put !== undefined))
      throw new Error(`The change to "${word}" was not seen.`);
  }
  return times;
}

console.log(JSON.stringify(await (action === "build" ? build : search)(request)));
