// A run's folder `.sartor/runs/<id>/`: what it is of, its candidates, rows, events and report. A killed run is found and gone on with.
import type { Candidate } from "../candidate.ts";
import { UserError } from "../errors.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Store } from "../store.ts";

interface RunRecord {
  readonly id: string;
  /** What decides the result: task, split, plan, versions. */
  readonly key: string;
  readonly createdAt: string;
  readonly status: "running" | "done";
}

export interface Run {
  readonly id: string;
  readonly createdAt: string;
  /** True when an earlier, unfinished run of the same thing goes on. */
  readonly resumed: boolean;
  readonly store: Store;
  /** How many runs have looked at this task's test examples, this one included. */
  readonly testUses: number;
  log(event: object): Promise<void>;
  saveCandidate(candidate: Candidate): Promise<void>;
  saveEvaluation(evaluation: Evaluation): Promise<void>;
  finish(): Promise<void>;
}

export interface OpenRunOptions {
  readonly store: Store;
  readonly key: string;
  /** Id and time of a new run. */
  readonly id: string;
  readonly now: Date;
}

export async function openRun({ store, key, id, now }: OpenRunOptions): Promise<Run> {
  const unfinished = (await listRuns(store)).find((record) => record.status === "running" && record.key === key);
  const record: RunRecord = unfinished ?? { id, key, createdAt: now.toISOString(), status: "running" };
  const folder = store.scope(`runs/${record.id}`);
  await folder.writeText("run.json", JSON.stringify(record));
  return {
    id: record.id,
    createdAt: record.createdAt,
    resumed: unfinished !== undefined,
    store: folder,
    testUses: await countTestUse(store, record.id),
    log: (event) => folder.append("events.jsonl", event),
    saveCandidate: (candidate) => folder.writeText(`candidates/${candidate.id}.json`, JSON.stringify(candidate)),
    saveEvaluation: ({ candidate, set, rows }) =>
      folder.writeText(`evaluations/${candidate}.${set}.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
    finish: () => folder.writeText("run.json", JSON.stringify({ ...record, status: "done" } satisfies RunRecord)),
  };
}

async function countTestUse(store: Store, id: string): Promise<number> {
  const used = JSON.parse((await store.readText("test-uses.json")) ?? "[]") as readonly string[];
  const all = [...new Set([...used, id])];
  await store.writeText("test-uses.json", JSON.stringify(all));
  return all.length;
}

/** Newest first. */
export async function listRuns(store: Store): Promise<readonly RunRecord[]> {
  const keys = (await store.list("runs")).filter((key) => key.endsWith("/run.json"));
  const records = await Promise.all(keys.map(async (key) => JSON.parse((await store.readText(key)) ?? "null") as RunRecord | null));
  return records.filter((record) => record !== null).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

/** The folder of a finished run: the one named, or the newest. Throws {@link UserError} where there is none. */
export async function findRun(store: Store, id?: string): Promise<Store> {
  const runs = (await listRuns(store)).filter((record) => record.status === "done");
  const found = id === undefined ? runs[0] : runs.find((record) => record.id === id);
  if (found !== undefined) return store.scope(`runs/${found.id}`);
  if (id === undefined) throw new UserError("This task has no finished comparison yet. Run: sartor compare");
  throw new UserError(`No finished run "${id}" (there are: ${runs.map((run) => run.id).join(", ") || "none"}). Run: sartor compare`);
}

/** The candidates of a run by id. */
export async function readCandidates(run: Store): Promise<ReadonlyMap<string, Candidate>> {
  const keys = (await run.list("candidates")).filter((key) => key.endsWith(".json"));
  const candidates = await Promise.all(keys.map(async (key) => JSON.parse((await run.readText(key)) ?? "null") as Candidate));
  return new Map(candidates.map((candidate) => [candidate.id, candidate]));
}
