// Recall of the entity that holds the answer, by how many ties it is away from what the question names, on a small graph written for it.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Scorer } from "../src/candidate.ts";
import { readDocuments } from "../src/document/read-all.ts";
import { fetchModel } from "../src/model/fetch-model.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import type { EmbeddingModel } from "../src/model.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { buildRetriever } from "../src/retriever/search.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { memoryStore } from "../src/store/memory.ts";
import { mean } from "../src/util/mean.ts";
import { type BenchOptions, figure, printTable } from "./bench.ts";

interface Question {
  /** Ties between what the question names and what holds the answer. */
  readonly hops: number;
  readonly question: string;
  readonly gold: string;
}

const folder = fileURLToPath(new URL("hops/", import.meta.url));
const shown = [1, 3, 5] as const;

export interface HopsRow {
  readonly scorer: Scorer;
  readonly hops: number;
  /** Recall at 1, 3 and 5, by the distance of the answer. */
  readonly recall: { readonly [distance: number]: readonly number[] };
}

/** One row for each number of hops followed. */
export async function measureHops(scorer: Scorer, embedding?: EmbeddingModel): Promise<readonly HopsRow[]> {
  const { documents } = await readDocuments({ sources: ["makers.ttl"], folder });
  const questions = (await readFile(`${folder}questions.jsonl`, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Question);
  await using store = memoryStore();
  await using retriever = await buildRetriever({ settings: { scorer, chunk: { words: 80, overlap: 16 } }, documents, store, embedding });
  const rows: HopsRow[] = [];
  for (const hops of [0, 1, 2]) {
    const ranks: (readonly [distance: number, rank: number])[] = [];
    for (const { question, gold, hops: distance } of questions) {
      const found = await retriever.search(question, { k: 5, hops });
      const rank = found.findIndex(({ document }) => document === `makers.ttl/${gold}`);
      ranks.push([distance, rank < 0 ? Number.POSITIVE_INFINITY : rank + 1]);
    }
    const recallAt = (distance: number): number[] =>
      shown.map((k) => mean(ranks.filter(([one]) => one === distance).map(([, rank]) => (rank <= k ? 1 : 0))));
    rows.push({ scorer, hops, recall: Object.fromEntries([0, 1, 2].map((distance) => [distance, recallAt(distance)])) });
  }
  return rows;
}

export async function run({ json }: BenchOptions): Promise<void> {
  const modelsFolder = defaultModelsFolder(process.env);
  const name = "all-minilm-l6-v2";
  for await (const _ of fetchModel({ name, modelsFolder, extraFolders: [] }));
  await using runtime = startRuntime({ threads: Number(process.env["SARTOR_THREADS"] ?? availableParallelism()) });
  const embedding = await openEmbeddingModel({ name, modelsFolder, extraFolders: [], runtime });
  const rows = [...(await measureHops("bm25")), ...(await measureHops("dense", embedding)), ...(await measureHops("convex", embedding))];
  printTable(
    ["scorer, hops followed", ...[0, 1, 2].flatMap((distance) => shown.map((k) => `R@${k} at ${distance}`))],
    rows.map(({ scorer, hops, recall }) => [`${scorer}, ${hops}`, ...[0, 1, 2].flatMap((distance) => recall[distance]!.map(figure))]),
  );
  if (json) console.log(JSON.stringify({ rows }));
}
