// nDCG@10 of each scorer on public test collections, beside figures measured once with other software. Documents are single passages.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { availableParallelism } from "node:os";
import type { Scorer } from "../src/candidate.ts";
import { messageOf } from "../src/errors.ts";
import type { EmbeddingModel } from "../src/model.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { buildRetriever } from "../src/retriever/search.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { memoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store.ts";
import type { Document } from "../src/task.ts";

export interface BenchOptions {
  /** Print one line of JSON last. */
  readonly json: boolean;
  /** Folder of the test collections. */
  readonly data: string;
}

const scorers = ["tf-idf", "bm25", "dense", "hybrid", "convex"] as const satisfies readonly Scorer[];

interface Collection {
  readonly documents: readonly Document[];
  readonly queries: readonly { readonly text: string; readonly relevant: ReadonlySet<string> }[];
}

interface Source {
  readonly name: string;
  readonly read: (data: string) => Promise<Collection>;
  /** nDCG@10 with BM25 (k1 .9, b .4), MiniLM in fp32, RRF and standardised sums of the two, by Python software. */
  readonly published: { readonly [S in Exclude<Scorer, "tf-idf">]: number };
}

const sources: readonly Source[] = [
  {
    name: "cranfield",
    read: (data) => readBeir(join(data, "cranfield", "beir")),
    published: { bm25: 0.358, dense: 0.395, hybrid: 0.423, convex: 0.421 },
  },
  {
    name: "cacm",
    read: (data) => readBeir(join(data, "cacm", "beir")),
    published: { bm25: 0.466, dense: 0.409, hybrid: 0.555, convex: 0.554 },
  },
  {
    name: "squad2_cs224n",
    read: (data) => readSquad(join(data, "squad2_cs224n", "dev-v2.0.json")),
    published: { bm25: 0.889, dense: 0.807, hybrid: 0.887, convex: 0.916 },
  },
];

interface Measured {
  readonly set: string;
  readonly documents: number;
  readonly queries: number;
  readonly ndcg: { readonly [scorer: string]: number };
  readonly published: Source["published"];
  readonly queryMilliseconds: { readonly [scorer: string]: number };
  readonly embeddingsPerSecond?: number;
}

/** Prints a line for each set and scorer; a set that is not there, or a model that cannot be had, is named with its reason. */
export async function run({ json, data }: BenchOptions): Promise<void> {
  await using runtime = startRuntime({ threads: Math.min(2, availableParallelism()) });
  const embedding = await openMiniLm(runtime);
  // hybrid and convex come after dense and find its queries embedded.
  console.log("set              scorer   nDCG@10  published  ms/query (embedding a query counts for dense only)");
  const results: Measured[] = [];
  for (const source of sources) {
    if (!existsSync(join(data, source.name))) {
      console.log(`${source.name.padEnd(16)} left out: there is no ${join(data, source.name)}`);
      continue;
    }
    results.push(await measure(source, await source.read(data), embedding));
  }
  if (json) console.log(JSON.stringify({ bench: "retrieval", results }));
}

async function openMiniLm(runtime: Parameters<typeof openEmbeddingModel>[0]["runtime"]): Promise<EmbeddingModel | undefined> {
  const extra = process.env["SARTOR_MODELS"];
  try {
    const modelsFolder = defaultModelsFolder(process.env);
    return await openEmbeddingModel({ name: "all-minilm-l6-v2", modelsFolder, runtime, ...(extra && { extraFolders: [extra] }) });
  } catch (error) {
    console.log(`dense, hybrid and convex left out: ${messageOf(error)}`);
    return undefined;
  }
}

async function measure({ name, published }: Source, collection: Collection, embedding: EmbeddingModel | undefined): Promise<Measured> {
  await using store = memoryStore();
  const { documents, queries } = collection;
  const ndcg: Record<string, number> = {};
  const queryMilliseconds: Record<string, number> = {};
  let embedded: { embeddingsPerSecond: number } | undefined;
  for (const scorer of scorers) {
    if (embedding === undefined && scorer !== "tf-idf" && scorer !== "bm25") continue;
    const one = await measureScorer({ scorer, collection, store, embedding });
    ndcg[scorer] = one.ndcg;
    queryMilliseconds[scorer] = one.queryMilliseconds;
    // The first dense scorer embeds, the others find its vectors in the store.
    if (scorer === "dense") embedded = { embeddingsPerSecond: documents.length / one.buildSeconds };
    const beside = scorer === "tf-idf" ? "" : published[scorer].toFixed(3);
    const columns = [one.ndcg.toFixed(4).padStart(7), beside.padStart(9), one.queryMilliseconds.toFixed(2).padStart(8)];
    console.log(`${name.padEnd(16)} ${scorer.padEnd(8)} ${columns.join("  ")}`);
  }
  const speed = embedded === undefined ? "" : `, ${embedded.embeddingsPerSecond.toFixed(1)} embeddings/s`;
  console.log(`${name.padEnd(16)} ${documents.length} documents, ${queries.length} queries${speed}`);
  return { set: name, documents: documents.length, queries: queries.length, ndcg, published, queryMilliseconds, ...embedded };
}

interface MeasureScorer {
  readonly scorer: Scorer;
  readonly collection: Collection;
  readonly store: Store;
  readonly embedding: EmbeddingModel | undefined;
}

async function measureScorer({ scorer, collection: { documents, queries }, store, embedding }: MeasureScorer) {
  const started = performance.now();
  await using retriever = await buildRetriever({
    settings: { scorer, chunk: { words: 1_000_000, overlap: 0 } },
    documents,
    store,
    embedding,
  });
  const asked = performance.now();
  let sum = 0;
  for (const { text, relevant } of queries) {
    const found = await retriever.search(text, { k: 10 });
    sum += ndcgOf(
      found.map(({ document }) => document),
      relevant,
    );
  }
  const queryMilliseconds = (performance.now() - asked) / queries.length;
  return { ndcg: sum / queries.length, queryMilliseconds, buildSeconds: (asked - started) / 1000 };
}

/** Binary gains, ten ranks. */
function ndcgOf(found: readonly string[], relevant: ReadonlySet<string>): number {
  const discount = (rank: number): number => 1 / Math.log2(rank + 2);
  const gain = found.reduce((sum, id, rank) => sum + (relevant.has(id) ? discount(rank) : 0), 0);
  let ideal = 0;
  for (let rank = 0; rank < Math.min(10, relevant.size); rank++) ideal += discount(rank);
  return gain / ideal;
}

async function lines(path: string): Promise<string[]> {
  return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
}

/** The title is part of the text: many documents of cacm have nothing else. */
async function readBeir(folder: string): Promise<Collection> {
  const records = async (name: string) =>
    (await lines(join(folder, name))).map((line) => JSON.parse(line) as { _id: string; title: string; text: string });
  const relevant = new Map<string, Set<string>>();
  for (const line of (await lines(join(folder, "qrels.tsv"))).slice(1)) {
    const [query = "", document = "", score] = line.split("\t");
    if (Number(score) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  return {
    documents: (await records("corpus.jsonl")).map(({ _id, title, text }) => ({
      id: _id,
      title: "",
      text: `${title}\n${text}`,
      sha256: "",
    })),
    queries: (await records("queries.jsonl")).flatMap(({ _id, text }) =>
      relevant.has(_id) ? [{ text, relevant: relevant.get(_id)! }] : [],
    ),
  };
}

interface Squad {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly question: string; readonly is_impossible: boolean }[];
    }[];
  }[];
}

/** Paragraphs as documents, answerable questions as queries. */
async function readSquad(path: string): Promise<Collection> {
  const { data } = JSON.parse(await readFile(path, "utf8")) as Squad;
  const paragraphs = data.flatMap((article) => article.paragraphs);
  return {
    documents: paragraphs.map(({ context }, index) => ({ id: String(index), title: "", text: context, sha256: "" })),
    queries: paragraphs.flatMap(({ qas }, index) =>
      qas.filter((qa) => !qa.is_impossible).map(({ question }) => ({ text: question, relevant: new Set([String(index)]) })),
    ),
  };
}
