// An index of 10,000 to 1,000,000 passages: time to build, memory, time of each search and recall against comparing everything, beside
// LanceDB used bare and LlamaIndex's default store. Every build and every measurement in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { wholeNumber } from "../src/cli/options.ts";
import { UserError } from "../src/errors.ts";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";
import { startPython } from "./python.ts";
import { scaleCorpus } from "./scale-corpus.ts";
import type { BuildResult, ScaleRequest, SearchResult } from "./scale-measure.ts";

const systems = ["own", "lance", "llama-index"] as const;
type System = (typeof systems)[number];
const titles: { readonly [S in System]: string } = { own: "sartor", lance: "LanceDB, bare", "llama-index": "LlamaIndex, in memory" };

/** Its store takes 12 KB a vector. */
const LLAMA_INDEX_MOST = 200_000;
const WARM_UP = 50;
const target = { passages: 1_000_000, hybrid: 50 } as const;

interface Row extends BuildResult, SearchResult {
  readonly system: System;
  readonly passages: number;
  /** Bytes held after the searches. */
  readonly held: number;
}

/** `--passages 10000,100000` the sizes; `--systems own` leaves the others out; `--queries` (250, the first 50 to warm up); `--python`. */
export async function run({ json, arguments: given }: BenchOptions): Promise<void> {
  const options = readArguments(given, {
    passages: { type: "string" },
    systems: { type: "string" },
    queries: { type: "string" },
    python: { type: "string" },
  });
  const sizes = (options.passages ?? "10000,100000,1000000").split(",").map((one) => wholeNumber(one, "--passages"));
  const count = wholeNumber(options.queries ?? "250", "--queries");
  const folder = await mkdtemp(join(tmpdir(), "sartor-scale-"));
  try {
    const queries = join(folder, "queries.json");
    await writeFile(queries, JSON.stringify((await scaleCorpus()).queries(count)));
    const rows = await measureAll({ sizes, systems: chosen(options.systems), queries, python: options.python });
    printAll(rows);
    if (json) console.log(JSON.stringify({ bench: "scale", target, rows }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface MeasureAll {
  readonly sizes: readonly number[];
  readonly systems: readonly System[];
  readonly queries: string;
  readonly python: string | undefined;
}

async function measureAll({ sizes, systems: wanted, queries, python }: MeasureAll): Promise<Row[]> {
  const rows: Row[] = [];
  for (const passages of sizes) {
    for (const system of wanted) {
      const row = await measure(system, { passages, queries, compared: passages > 200_000 ? 20 : 100 }, python);
      if (row === undefined) continue;
      rows.push(row);
      print(row);
    }
  }
  return rows;
}

function chosen(names: string | undefined): readonly System[] {
  if (names === undefined) return systems;
  const wanted = names.split(",");
  const unknown = wanted.find((name) => !(systems as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UserError(`There is no system "${unknown}". Systems: ${systems.join(", ")}.`);
  return systems.filter((name) => wanted.includes(name));
}

async function measure(system: System, request: Omit<ScaleRequest, "folder">, python: string | undefined): Promise<Row | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "sartor-scale-"));
  try {
    if (system === "llama-index") return await measureLlamaIndex({ ...request, folder }, python);
    const index = join(folder, "index");
    await mkdir(index);
    const build = await probe<BuildResult>(`scale-${system}.ts`, "build", { ...request, folder: index });
    const search = await probe<SearchResult>(`scale-${system}.ts`, "search", { ...request, folder: index });
    return { system, passages: request.passages, ...search, ...build, held: search.memory };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureLlamaIndex(request: ScaleRequest, python: string | undefined): Promise<Row | undefined> {
  const { passages, folder } = request;
  if (passages > LLAMA_INDEX_MOST) {
    console.log(`${titles["llama-index"]} left out at ${passages} passages: they would take ${Math.round((passages * 12) / 1e6)} GB`);
    return undefined;
  }
  await probe("scale-vectors.ts", "write", request);
  await using peer = await startPython({ script: "scale_llama_index.py", options: { folder, warmUp: WARM_UP }, ...(python && { python }) });
  if (peer === undefined) return undefined;
  const { seconds, peak, memory, p50, p95 } = await peer.ask<{ seconds: number; peak: number; memory: number; p50: number; p95: number }>(
    {},
  );
  const searches = { dense: { p50, p95, recall: 1 } };
  return { system: "llama-index", passages, seconds, memory: peak, held: memory, disk: 0, searches };
}

async function probe<R>(script: string, action: string, request: ScaleRequest): Promise<R> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, action, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${script} ${action} ended with code ${String(code)}.`);
  return JSON.parse(out) as R;
}

const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6));

function print({ system, passages, seconds, memory, held, disk, changes }: Row): void {
  const changed =
    changes === undefined ? "" : `; a document added, changed, removed in ${changes.map((one) => one.toFixed(0)).join(", ")} ms`;
  console.log(
    `${titles[system]}, ${passages} passages: built in ${seconds.toFixed(1)} s with ${megabytes(memory)} MB, ${megabytes(disk)} MB on disk, searched with ${megabytes(held)} MB${changed}`,
  );
}

function printAll(rows: readonly Row[]): void {
  printTable(
    ["system", "passages", "search", "p50 ms", "p95 ms", "recall@10"],
    rows.flatMap(({ system, passages, searches }) =>
      Object.entries(searches).map(([name, { p50, p95, recall }]) => [
        titles[system],
        String(passages),
        name,
        p50.toFixed(2),
        p95.toFixed(2),
        recall === undefined ? "" : recall.toFixed(3),
      ]),
    ),
  );
}
