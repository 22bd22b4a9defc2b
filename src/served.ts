// A finished run, opened to answer: the recommended candidate or any other, by the same path on which it was measured.
import { join } from "node:path";
import { answer } from "./answer/answer.ts";
import { cite, type CitedAnswer } from "./answer/cite.ts";
import { type Environment, openResources } from "./answer/open.ts";
import type { Resources } from "./answer/resources.ts";
import { type Candidate, modelsOf, retrieversOf } from "./candidate.ts";
import { readTask } from "./data/read-task.ts";
import { documentReader } from "./document/read-all.ts";
import { UserError } from "./errors.ts";
import { findRun, readCandidates } from "./evaluate/run.ts";
import type { Answer } from "./evaluation.ts";
import { metricNames } from "./metric/metrics.ts";
import { readReport } from "./report/open.ts";
import type { Report } from "./report/schema.ts";
import { fileSystemStore } from "./store/file-system.ts";
import type { Task } from "./task.ts";
import { didYouMean } from "./util/suggest.ts";

export interface OpenServedOptions {
  /** Folder of a task, or its file. */
  readonly path: string;
  /** A run other than the newest. */
  readonly run?: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export interface AskOptions {
  readonly input: string;
  /** Id of a candidate; the recommended one where left out. */
  readonly candidate?: string;
  readonly signal?: AbortSignal;
  readonly onText?: (piece: string) => void;
}

export interface Served extends AsyncDisposable {
  readonly task: Task;
  readonly report: Report;
  /** Ids that `ask` takes. */
  readonly candidates: readonly string[];
  readonly recommended: string;
  /** Opens the models and indexes of the recommended candidate, so that its first answer does not wait. Throws what is missing. */
  warmUp(): Promise<void>;
  ask(options: AskOptions): Promise<ServedAnswer>;
}

export interface ServedAnswer extends Answer {
  readonly candidate: string;
  /** The output, which is as it was measured, with the passages that support each of its sentences; where it is text and passages were found. */
  readonly cited?: CitedAnswer;
}

/** @throws {UserError} when the task has no finished comparison, or nothing in it can be served. */
export async function openServed({ path, run, environment, signal }: OpenServedOptions): Promise<Served> {
  const { task } = await readTask({ path, metricNames, readDocuments: documentReader({ secret: environment.secret, signal }) });
  const store = fileSystemStore(join(task.folder, ".sartor"));
  const folder = await findRun(store, run);
  const [report, candidates] = await Promise.all([readReport(folder), readCandidates(folder)]);
  const recommended = recommendedOf(report, candidates);
  const resources = openResources({ documents: task.documents, store, environment, baseFolder: task.folder, ...(signal && { signal }) });
  return {
    task,
    report,
    candidates: [...candidates.keys()],
    recommended,
    warmUp: () => openAll(candidates.get(recommended)!, resources),
    ask: async ({ candidate: id = recommended, ...options }) => {
      const candidate = candidates.get(id);
      if (candidate === undefined)
        throw new UserError(`No candidate "${id}" in run ${report.runId}. ${didYouMean(id, [...candidates.keys()])}`);
      const given = await answer({ ...options, candidate, resources, seed: task.seed });
      const { output, passages, abstained = false } = given;
      if (task.output.kind !== "text" || passages.length === 0 || abstained || output === task.abstention)
        return { ...given, candidate: id };
      return { ...given, candidate: id, cited: await cite({ output, passages, ...(options.signal && { signal: options.signal }) }) };
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

async function openAll(candidate: Candidate, resources: Resources): Promise<void> {
  for (const model of modelsOf(candidate)) await resources.model(model);
  for (const settings of retrieversOf(candidate)) await resources.retriever(settings);
}

/** The winner; without a recommendation the one with the best score. */
function recommendedOf({ recommendation, candidates: rows, metric }: Report, candidates: ReadonlyMap<string, Candidate>): string {
  if (recommendation.winner !== null && candidates.has(recommendation.winner)) return recommendation.winner;
  const sign = metric.higherIsBetter ? -1 : 1;
  const best = rows.filter((row) => candidates.has(row.id)).toSorted((a, b) => sign * (a.score.value - b.score.value))[0];
  if (best === undefined) throw new UserError("This run built no candidate that could be served. Its report says why: sartor report");
  return best.id;
}
