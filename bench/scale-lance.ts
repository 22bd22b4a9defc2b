// LanceDB used bare at the same size: its vector index from 50,000 rows on, its full-text index, its rank fusion.
import { readFile } from "node:fs/promises";
import * as lancedb from "@lancedb/lancedb";
import { clusteredVectors, scaleCorpus } from "./scale-corpus.ts";
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
const INDEXED_FROM = 50_000;
const TOGETHER = 20_000;
/** As this project's store searches it. */
const PROBES = 20;

async function build({ passages }: ScaleRequest): Promise<BuildResult> {
  const corpus = await scaleCorpus();
  const started = performance.now();
  const connection = await lancedb.connect(folder);
  let table: lancedb.Table | undefined;
  let rows: { id: string; text: string; vector: number[] }[] = [];
  const flush = async (): Promise<void> => {
    const data = lancedb.makeArrowTable(rows);
    if (table === undefined) table = await connection.createTable("passages", data);
    else await table.add(data);
    rows = [];
  };
  for (const document of corpus.documents(passages)) {
    const texts = document.text.split("\n");
    const vectors = await model.embed(texts);
    texts.forEach((text, place) => rows.push({ id: `${document.id} ${place}`, text, vector: Array.from(vectors[place]!) }));
    if (rows.length >= TOGETHER) await flush();
  }
  if (rows.length > 0) await flush();
  await table!.createIndex("text", { config: lancedb.Index.fts() });
  if (passages >= INDEXED_FROM) await table!.createIndex("vector", { config: lancedb.Index.ivfFlat({ distanceType: "dot" }) });
  return { seconds: (performance.now() - started) / 1000, memory: peakMemory(), disk: await diskBytes(folder) };
}

async function search({ queries: path, compared }: ScaleRequest): Promise<SearchResult> {
  const queries = JSON.parse(await readFile(path, "utf8")) as string[];
  const table = await (await lancedb.connect(folder)).openTable("passages");
  const fusion = await lancedb.rerankers.RRFReranker.create();
  const near = async (query: string) =>
    table
      .query()
      .nearestTo((await model.embed([query]))[0]!)
      .distanceType("dot")
      .nprobes(PROBES);
  const ids = async (rows: Promise<unknown[]>): Promise<string[]> => ((await rows) as { id: string }[]).map(({ id }) => id);
  const dense: Search = async (query) => ids((await near(query)).select(["id", "text", "_distance"]).limit(10).toArray());
  const exact: Search = async (query) => ids((await near(query)).bypassVectorIndex().select(["id", "_distance"]).limit(10).toArray());
  const searches: { readonly [name: string]: Search } = {
    bm25: (query) => ids(table.query().fullTextSearch(query).select(["id", "text", "_score"]).limit(10).toArray()),
    dense,
    hybrid: async (query) => ids((await near(query)).fullTextSearch(query).rerank(fusion).limit(10).toArray()),
  };
  const times: Record<string, Times> = {};
  for (const [name, one] of Object.entries(searches)) times[name] = await timed(one, queries);
  const memory = process.memoryUsage.rss();
  times["dense"] = { ...times["dense"]!, recall: await recallOf(dense, exact, queries.slice(0, compared)) };
  return { memory, searches: times };
}

console.log(JSON.stringify(await (action === "build" ? build : search)(request)));
process.exit(0);
