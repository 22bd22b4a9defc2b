// nDCG@10 and R@100 of each scorer on public test collections, beside figures measured once with other software. Documents are single
// passages. Indexes are kept, so that a second run embeds nothing.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Scorer } from "../src/candidate.ts";
import { messageOf, UserError } from "../src/errors.ts";
import type { EmbeddingModel, LanguageModel } from "../src/model.ts";
import { wholeNumber } from "../src/cli/options.ts";
import { openModel } from "../src/model/open.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { chooseWeight } from "../src/retriever/choose-weight.ts";
import { judgeByCrossEncoder, openCrossEncoder } from "../src/retriever/cross-encoder.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { judgeByModel } from "../src/retriever/judge-by-model.ts";
import { openIndexWriter } from "../src/retriever/index-writer.ts";
import { type IndexSearchOptions, openIndex, type OpenIndex } from "../src/retriever/open-index.ts";
import type { RerankOptions } from "../src/retriever/rerank.ts";
import { documentKey } from "../src/retriever/passages.ts";
import { type Runtime, startRuntime } from "../src/runtime/runtime.ts";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";
import { type Gain, gainOf, sharesByFold, tunedByFold } from "./retrieval-tuned.ts";
import { type Collection, type CollectionQuery, type Reference, type Source, sources } from "./collections.ts";

/** In the tables' order. dense comes before those that need its queries embedded. */
const tuned = "convex-tuned";
const crossed = "convex-cross-encoder";
const extras = [
  "bm25-feedback",
  "convex-feedback",
  "convex-neighbours",
  "dense-mapped",
  "convex-mapped",
  "everything",
  "convex-rerank",
  crossed,
] as const;
/** What the rows with an interval are compared with. */
const plainOf: { readonly [row: string]: Scorer } = {
  "convex-neighbours": "convex",
  "dense-mapped": "dense",
  "convex-mapped": "convex",
  everything: "convex",
};
const scorers = ["tf-idf", "bm25", "dense", "hybrid", "convex"] as const satisfies readonly Scorer[];
const titles: { readonly [S in Scorer | typeof tuned | (typeof extras)[number]]: string } = {
  "tf-idf": "TF-IDF cosine",
  bm25: "BM25 (Lucene's, k1 .9, b .4)",
  dense: "dense (MiniLM, cosine)",
  hybrid: "hybrid (RRF, k 60)",
  convex: "convex (standardised, equal weights)",
  [tuned]: "convex (weight chosen on other queries)",
  "bm25-feedback": "BM25 with feedback (RM3)",
  "convex-feedback": "convex with feedback (RM3)",
  "convex-neighbours": "convex, scores shared with neighbours",
  "dense-mapped": "dense, embeddings tuned on other queries",
  "convex-mapped": "convex, embeddings tuned on other queries",
  everything: "convex, tuned embeddings and neighbours",
  "convex-rerank": "convex, read again by the model",
  [crossed]: "convex, read again by the cross-encoder",
};
const MOST = 100;

interface Measured {
  readonly ndcg: number;
  /** Over the same without tuning. */
  readonly gain?: Gain;
  readonly recall: number;
  readonly milliseconds: number;
}

interface SetResult {
  readonly set: string;
  readonly documents: number;
  readonly queries: number;
  readonly embeddingsPerSecond?: number;
  readonly measured: { readonly [scorer: string]: Measured };
  readonly reference: Reference;
  /** Chosen for each half of the queries on the other. */
  readonly weights?: readonly number[];
}

/** `--sets a,b` leaves the others out; `--runs <folder>` writes each ranking as a TREC run; `--kept <folder>` is where indexes are kept;
 * `--rerank <depth>` has the demo's language model read so many passages of each query again; `--cross-encoder <folder>` a cross-encoder, 20. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const options = readArguments(given, {
    sets: { type: "string" },
    runs: { type: "string" },
    kept: { type: "string" },
    rerank: { type: "string" },
    "cross-encoder": { type: "string" },
  });
  const threads = Number(process.env["SARTOR_THREADS"] ?? availableParallelism());
  await using runtime = startRuntime({ threads });
  const embedding = await openMiniLm(runtime);
  const kept = options.kept ?? join(defaultModelsFolder(process.env), "..", "bench", "retrieval");
  await using model = options.rerank === undefined ? undefined : await openReader(threads);
  const rerank = model && { judge: judgeByModel(model), depth: wholeNumber(options.rerank!, "--rerank") };
  const folder = options["cross-encoder"];
  await using reader = folder === undefined ? undefined : await openCrossEncoder({ folder, runtime });
  const crossEncoder = reader && { judge: judgeByCrossEncoder(reader) };
  const results: SetResult[] = [];
  for (const source of chosen(options.sets)) {
    if (!existsSync(join(data, source.name))) {
      console.log(`${source.name} left out: there is no ${join(data, source.name)}`);
      continue;
    }
    const result = await measureSet({
      source,
      collection: await source.read(data),
      embedding,
      runtime,
      // Without embeddings an index is another one.
      folder: join(kept, embedding === undefined ? `${source.name}-words` : source.name),
      runs: options.runs,
      rerank,
      crossEncoder,
    });
    results.push(result);
    printSet(result);
  }
  printMeans(results);
  if (json) console.log(JSON.stringify({ bench: "retrieval", results }));
}

function chosen(names: string | undefined): readonly Source[] {
  if (names === undefined) return sources;
  const wanted = names.split(",");
  const unknown = wanted.find((name) => !sources.some((source) => source.name === name));
  if (unknown !== undefined) throw new UserError(`There is no set "${unknown}". Sets: ${sources.map(({ name }) => name).join(", ")}.`);
  return sources.filter(({ name }) => wanted.includes(name));
}

export async function openReader(threads: number): Promise<LanguageModel> {
  const extra = process.env["SARTOR_MODELS"];
  return openModel({
    reference: "smollm2-135m-instruct",
    modelsFolder: defaultModelsFolder(process.env),
    extraFolders: extra === undefined ? [] : [extra],
    threads,
    contextLength: 2048,
    secret: () => undefined,
  });
}

export async function openMiniLm(runtime: Parameters<typeof openEmbeddingModel>[0]["runtime"]): Promise<EmbeddingModel | undefined> {
  const extra = process.env["SARTOR_MODELS"];
  try {
    const modelsFolder = defaultModelsFolder(process.env);
    return await openEmbeddingModel({ name: "all-minilm-l6-v2", modelsFolder, runtime, ...(extra && { extraFolders: [extra] }) });
  } catch (error) {
    console.log(`dense, hybrid and convex left out: ${messageOf(error)}`);
    return undefined;
  }
}

interface MeasureSet {
  readonly source: Source;
  readonly collection: Collection;
  readonly embedding: EmbeddingModel | undefined;
  readonly runtime: Runtime;
  readonly folder: string;
  readonly runs: string | undefined;
  readonly rerank: RerankOptions | undefined;
  readonly crossEncoder: RerankOptions | undefined;
}

async function measureSet({ source, collection, embedding, runtime, folder, runs, ...readers }: MeasureSet): Promise<SetResult> {
  const { name, reference } = source;
  const { documents, queries } = collection;
  const speed = await fill({ name, documents, embedding, folder });
  await using index = await openIndex({ folder, openEmbedding: async () => embedding! });
  const measured: Record<string, Measured> = {};
  const scores: Record<string, readonly number[]> = {};
  const note = async (row: string, { rankings, milliseconds }: Ranked): Promise<void> => {
    scores[row] = queries.map(({ relevant }, at) => ndcgOf(rankings[at]!, relevant));
    const plain = scores[plainOf[row] ?? ""];
    measured[row] = { ...scoresOf(queries, rankings), milliseconds, ...(plain && { gain: gainOf(queries, plain, scores[row]) }) };
    if (runs !== undefined) await writeRun({ folder: runs, name: `${name}-${row}`, queries, rankings });
  };
  for (const scorer of scorers) {
    if (embedding === undefined && scorer !== "tf-idf" && scorer !== "bm25") continue;
    await note(scorer, await rank(index, queries, { method: scorer }));
  }
  if (embedding === undefined) return { set: name, documents: documents.length, queries: queries.length, measured, reference, ...speed };
  const { weights, ...ranked } = await rankTuned(index, queries);
  await note(tuned, ranked);
  const maps = await tunedByFold({ index, embedding, runtime, queries });
  const shares = await sharesByFold({ index, queries, score: ndcgOf, most: CHOSEN_ON });
  const work: { readonly [E in (typeof extras)[number]]: OptionsOf | undefined } = {
    "bm25-feedback": () => ({ method: "bm25", feedback: {} }),
    "convex-feedback": () => ({ method: "convex", feedback: {} }),
    "convex-neighbours": (at) => ({ method: "convex", neighbours: shares[at]! }),
    "dense-mapped": (at) => ({ method: "dense", queryMap: maps[at]! }),
    "convex-mapped": (at) => ({ method: "convex", queryMap: maps[at]! }),
    everything: (at) => ({ method: "convex", queryMap: maps[at]!, neighbours: shares[at]! }),
    "convex-rerank": readers.rerank && (() => ({ method: "convex", rerank: readers.rerank! })),
    [crossed]: readers.crossEncoder && (() => ({ method: "convex", rerank: readers.crossEncoder! })),
  };
  for (const extra of extras) if (work[extra] !== undefined) await note(extra, await rank(index, queries, work[extra]));
  return { set: name, documents: documents.length, queries: queries.length, measured, reference, weights, ...speed };
}

/** Queries that a weight is chosen on, at most. */
const CHOSEN_ON = 200;

/** Each half of the queries under the weight that is best for the other half: no query is ranked by a weight that saw it. */
async function rankTuned(index: OpenIndex, queries: readonly CollectionQuery[]) {
  const rankings: Ranking[] = [];
  const weights: number[] = [];
  let milliseconds = 0;
  for (const half of [0, 1]) {
    const others = queries.filter((_, at) => at % 2 !== half).slice(0, CHOSEN_ON);
    const { weight } = await chooseWeight({
      queries: others.map(({ text, relevant }) => ({ text, score: (found) => ndcgOf(found, relevant) })),
      search: (query, tried) => index.search(query, { method: "convex", weight: tried, k: 10 }),
    });
    weights.push(weight);
    const own = queries.flatMap((query, at) => (at % 2 === half ? [{ query, at }] : []));
    const ranked = await rank(
      index,
      own.map(({ query }) => query),
      { method: "convex", weight },
    );
    own.forEach(({ at }, place) => (rankings[at] = ranked.rankings[place]!));
    milliseconds += (ranked.milliseconds * own.length) / queries.length;
  }
  return { rankings, milliseconds, weights };
}

/** Brings the kept index to the collection's documents, and tells how quick that was where many were embedded. */
async function fill({
  name,
  documents,
  embedding,
  folder,
}: Pick<Collection, "documents"> & Pick<MeasureSet, "embedding" | "folder"> & { name: string }) {
  await using writer = await openIndexWriter({
    folder,
    chunk: { words: 1_000_000, overlap: 0 },
    ...(embedding && { embedding: { name: embedding.id, model: embedding } }),
  });
  const fresh = documents.filter((document) => writer.entry(document.id)?.key !== documentKey(document));
  const started = performance.now();
  for (const [at, document] of fresh.entries()) {
    await writer.put(document);
    if (process.stderr.isTTY && at % 100 === 0) process.stderr.write(`\r${name}: ${at}/${fresh.length} embedded `);
  }
  await writer.commit({ sources: { folder: ".", paths: [] } });
  return fresh.length < 100 ? {} : { embeddingsPerSecond: (1000 * fresh.length) / (performance.now() - started) };
}

type Ranking = readonly { readonly document: string; readonly score: number }[];

interface Ranked {
  readonly rankings: readonly Ranking[];
  readonly milliseconds: number;
}

/** Of the query at a place. */
type OptionsOf = (at: number) => IndexSearchOptions;

async function rank(index: OpenIndex, queries: readonly CollectionQuery[], options: IndexSearchOptions | OptionsOf): Promise<Ranked> {
  const rankings: Ranking[] = [];
  const started = performance.now();
  const of = typeof options === "function" ? options : () => options;
  for (const [at, { text }] of queries.entries()) rankings.push(await index.search(text, { ...of(at), k: MOST }));
  return { rankings, milliseconds: (performance.now() - started) / queries.length };
}

function scoresOf(queries: readonly CollectionQuery[], rankings: readonly Ranking[]): Pick<Measured, "ndcg" | "recall"> {
  const mean = (score: (ranking: Ranking, relevant: ReadonlySet<string>) => number): number =>
    queries.reduce((sum, { relevant }, index) => sum + score(rankings[index]!, relevant), 0) / queries.length;
  return { ndcg: mean(ndcgOf), recall: mean(recallOf) };
}

/** Binary gains, ten ranks. */
export function ndcgOf(ranking: Ranking, relevant: ReadonlySet<string>): number {
  const discount = (place: number): number => 1 / Math.log2(place + 2);
  const gain = ranking.slice(0, 10).reduce((sum, { document }, place) => sum + (relevant.has(document) ? discount(place) : 0), 0);
  let ideal = 0;
  for (let place = 0; place < Math.min(10, relevant.size); place++) ideal += discount(place);
  return gain / ideal;
}

function recallOf(ranking: Ranking, relevant: ReadonlySet<string>): number {
  return ranking.filter(({ document }) => relevant.has(document)).length / relevant.size;
}

interface WriteRun {
  readonly folder: string;
  readonly name: string;
  readonly queries: readonly CollectionQuery[];
  readonly rankings: readonly Ranking[];
}

/** TREC's format: query, Q0, document, rank, score, name of the run. */
async function writeRun({ folder, name, queries, rankings }: WriteRun): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = queries.flatMap(({ id }, query) =>
    rankings[query]!.map(({ document, score }, place) => `${id} Q0 ${document} ${place + 1} ${score.toFixed(6)} sartor-${name}`),
  );
  await writeFile(join(folder, `${name}.run`), `${lines.join("\n")}\n`);
}

const figure = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(3));

const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(3)}`;

function printSet({ set, documents, queries, embeddingsPerSecond, measured, reference, weights }: SetResult): void {
  const speed = embeddingsPerSecond === undefined ? "" : `, ${embeddingsPerSecond.toFixed(1)} embeddings/s`;
  const tunedTo = weights === undefined ? "" : `, weights ${weights.join(" and ")}`;
  console.log(`\n${set}: ${documents} documents, ${queries} queries${speed}${tunedTo}`);
  const beside: { readonly [scorer: string]: number } = { ...reference, recall: 0 };
  const recall: { readonly [scorer: string]: number } = reference.recall ?? {};
  printTable(
    ["scorer", "nDCG@10", "reference", "R@100", "reference", "ms/query", "gain"],
    Object.entries(measured).map(([scorer, one]) => [
      titles[scorer as keyof typeof titles],
      figure(one.ndcg),
      figure(beside[scorer]),
      figure(one.recall),
      figure(recall[scorer]),
      one.milliseconds.toFixed(2),
      one.gain === undefined ? "" : `${signed(one.gain.mean)} [${signed(one.gain.low)}, ${signed(one.gain.high)}]`,
    ]),
  );
  if (measured[crossed] === undefined) console.log(`${titles[crossed]}: not measured: no weights (--cross-encoder <folder> has them).`);
}

function printMeans(results: readonly SetResult[]): void {
  if (results.length < 2) return;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(`\nmean of ${results.length} sets`);
  printTable(
    ["scorer", "nDCG@10", "reference", "R@100"],
    Object.keys(results[0]!.measured).map((scorer) => [
      titles[scorer as keyof typeof titles],
      figure(mean(results.map(({ measured }) => measured[scorer]!.ndcg))),
      Object.hasOwn(results[0]!.reference, scorer)
        ? figure(mean(results.map(({ reference }) => reference[scorer as keyof Omit<Reference, "recall">])))
        : "",
      figure(mean(results.map(({ measured }) => measured[scorer]!.recall))),
    ]),
  );
}
