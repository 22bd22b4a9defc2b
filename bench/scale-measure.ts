// What the benches of scale measure of a search, and of a process.
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Times {
  readonly p50: number;
  readonly p95: number;
  /** Share of the 10 best by comparing everything that is among the 10 found. */
  readonly recall?: number;
}

export interface ScaleRequest {
  readonly passages: number;
  readonly folder: string;
  /** A JSON file of them: to read the manuals would take more memory than to search. */
  readonly queries: string;
  /** Queries whose recall is measured: comparing everything takes long. */
  readonly compared: number;
}

export interface BuildResult {
  readonly seconds: number;
  /** Bytes at most, and bytes on disk. */
  readonly memory: number;
  readonly disk: number;
}

export interface SearchResult {
  /** Bytes held after the searches. */
  readonly memory: number;
  readonly searches: { readonly [name: string]: Times };
  /** Milliseconds of putting one document in, of changing it, of taking it out: until the next search can tell. */
  readonly changes?: readonly number[];
}

export type Search = (query: string) => Promise<readonly string[]>;

const WARM_UP = 50;

/** Milliseconds of each query after some to warm up. */
export async function timed(search: Search, queries: readonly string[]): Promise<Times> {
  for (const query of queries.slice(0, WARM_UP)) await search(query);
  const times: number[] = [];
  for (const query of queries.slice(WARM_UP)) {
    const started = performance.now();
    await search(query);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  return { p50: at(0.5), p95: at(0.95) };
}

/** How much of what one search finds another one finds. */
export async function recallOf(search: Search, exact: Search, queries: readonly string[]): Promise<number> {
  let [shared, all] = [0, 0];
  for (const query of queries) {
    const truth = new Set(await exact(query));
    all += truth.size;
    shared += (await search(query)).filter((id) => truth.has(id)).length;
  }
  return shared / all;
}

/** Bytes that this process held at most. */
export function peakMemory(): number {
  return 1024 * Number(/VmHWM:\s*(\d+)/u.exec(readFileSync("/proc/self/status", "utf8"))![1]);
}

export async function diskBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
