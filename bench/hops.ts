// Recall of the entity that holds the answer, by how many ties it is away from what the question names, on a small graph written for it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
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
import type { Document } from "../src/task.ts";
import { mean } from "../src/util/mean.ts";
import { seededRandom } from "../src/util/random.ts";
import { type BenchOptions, figure, printTable } from "./bench.ts";

interface Question {
  /** Ties between what the question names and what holds the answer. */
  readonly hops: number;
  readonly question: string;
  readonly gold: string;
}

const folder = fileURLToPath(new URL("hops/", import.meta.url));
const shown = [1, 3, 5] as const;
const countries = 40;

export interface HopsRow {
  readonly scorer: Scorer;
  readonly hops: number;
  /** Recall at 1, 3 and 5, by the distance of the answer. */
  readonly recall: { readonly [distance: number]: readonly number[] };
}

/** One row for each number of hops followed. */
export async function measureHops(scorer: Scorer, embedding?: EmbeddingModel): Promise<readonly HopsRow[]> {
  const documents = await graphDocuments();
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

/** The graph with its like around it: in a graph of any size, many entities answer to the words of a question, and few to its ties. */
async function graphDocuments(): Promise<readonly Document[]> {
  const temporary = await mkdtemp(join(tmpdir(), "sartor-hops-"));
  try {
    await writeFile(join(temporary, "makers.ttl"), `${await readFile(`${folder}makers.ttl`, "utf8")}\n${others().join("\n")}`);
    return (await readDocuments({ sources: ["makers.ttl"], folder: temporary })).documents;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Countries of the same kinds of entities, ties and values under other names. */
function others(): string[] {
  const random = seededRandom("hops");
  const pick = (from: string): string => from.split(" ")[random.integer(from.split(" ").length)]!;
  const name = (): string =>
    `${pick("Bar Cor Dun Fal Gil Hol Kes Lor Mar Nor Pel Ros Sel Tor Ul Ver Wes Yar")}${pick("amer bick cote dale eford gate holm ingley leigh mond ness over ridge stow thorpe wick")}`;
  return Array.from({ length: countries }, (_, index) => {
    const [person, town, shop, thing, hall, band, river, wood] = Array.from({ length: 8 }, (__, place) => `:e${index}_${place}`);
    return `
${person} rdfs:label "${name()} ${name()}" ; :bornIn ${town} ; :worksAt ${shop} ; :built ${thing} ; :conducts ${band} ; :bornYear ${1800 + random.integer(100)} .
${shop} rdfs:label "${name()} workshop" ; :standsIn ${town} ; :buysWoodFrom ${wood} ; :sign "a ${name()}" ; :apprentices ${random.integer(20)} .
${thing} rdfs:label "${name()} ${pick("organ oboe viola cello bell clarinet bassoon gong")}" ; :keptIn ${hall} ; :material "${pick("oak tin maple brass bronze poplar")}" ; :pipes ${random.integer(900)} .
${hall} rdfs:label "${name()} Hall" ; :standsIn ${town} ; :seats ${random.integer(900)} ; :openedIn ${1850 + random.integer(60)} ; :houses ${band} .
${band} rdfs:label "${name()} ${pick("Players Strings Consort")}" ; :members ${random.integer(60)} ; :rehearsesOn "${pick("Tuesday Sunday Friday Monday")} ${pick("evenings nights mornings")}" .
${town} rdfs:label "${name()}" ; :liesOn ${river} ; :population ${random.integer(30000)} ; :fair "the ${name()} ${pick("fair market feast day week")}" ; :mayor "${name()} ${name()}" .
${river} rdfs:label "River ${name()}" ; :length "${random.integer(300)} kilometres" ; :risesOn "Mount ${name()}" .
${wood} rdfs:label "${name()} forest" ; :trees "${pick("spruce beech oak boxwood")}" ; :warden "${name()} ${name()}" ; :area "${random.integer(300)} hectares" .`;
  });
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
