// nDCG@10 of follow-ups on mtrag: the last question alone, with those before it, and condensed by the model.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { followUp } from "../src/retriever/follow-up.ts";
import { openIndex } from "../src/retriever/open-index.ts";
import type { Rewritten } from "../src/retriever/query-work.ts";
import { rewriteByModel } from "../src/retriever/rewrite-by-model.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { transcript, type Turn } from "../src/util/transcript.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { type CollectionQuery, sources } from "./collections.ts";
import { ndcgOf, openMiniLm, openReader } from "./retrieval.ts";

/** How a conversation becomes a query. */
type Resolve = (turns: readonly Turn[]) => Rewritten | Promise<Rewritten>;

const plain: { readonly [name: string]: Resolve } = {
  "last question alone": (turns) => ({ text: turns.at(-1)!.content }),
  "all questions": (turns) => ({ text: turns.flatMap(({ role, content }) => (role === "user" ? [content] : [])).join(" ") }),
  "with the two before it": (turns) => followUp(turns).rewritten,
};

/** Over the index that `bench -- retrieval --sets mtrag` keeps; `--model` has the demo's language model condense too. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const options = readArguments(given, { kept: { type: "string" }, model: { type: "boolean" } });
  const threads = Number(process.env["SARTOR_THREADS"] ?? availableParallelism());
  await using runtime = startRuntime({ threads });
  const embedding = await openMiniLm(runtime);
  await using model = options.model === true ? await openReader(threads) : undefined;
  const condense = model && rewriteByModel("condense", model);
  const resolves: { readonly [name: string]: Resolve } = {
    ...plain,
    ...(condense && { "condensed by the model": async (turns) => (await condense(transcript(turns)))[0] ?? followUp(turns).rewritten }),
  };
  const { queries } = await sources.find(({ name }) => name === "mtrag")!.read(data);
  const kept = options.kept ?? join(defaultModelsFolder(process.env), "..", "bench", "retrieval");
  await using index = await openIndex({ folder: join(kept, "mtrag"), openEmbedding: async () => embedding! });
  const followUps = queries.filter(({ turns = [] }) => turns.length > 1).length;
  console.log(`mtrag: ${queries.length} conversations, ${followUps} of more than one turn`);
  const rows: { readonly name: string; readonly scores: readonly number[] }[] = [];
  for (const [name, resolve] of Object.entries(resolves)) {
    const resolved: Rewritten[] = [];
    for (const { turns = [] } of queries) resolved.push(await resolve(turns));
    const scores: number[] = [];
    for (const method of ["bm25", "dense", "convex"] as const)
      scores.push(
        await scoreOf(queries, async ({ text }, at) => index.search(text, { method, k: 10, rewrite: async () => [resolved[at]!] })),
      );
    rows.push({ name, scores });
  }
  printTable(
    ["query", "BM25", "dense", "convex"],
    rows.map(({ name, scores }) => [name, ...scores.map(figure)]),
  );
  if (json) console.log(JSON.stringify({ bench: "conversations", rows }));
}

type Search = (query: CollectionQuery, at: number) => Promise<Parameters<typeof ndcgOf>[0]>;

async function scoreOf(queries: readonly CollectionQuery[], search: Search): Promise<number> {
  let sum = 0;
  for (const [at, query] of queries.entries()) sum += ndcgOf(await search(query, at), query.relevant);
  return sum / queries.length;
}
