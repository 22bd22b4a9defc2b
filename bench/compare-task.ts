// Runs the library's own comparison on a task that a bench writes, and gives back its report.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, type CompareEvent, type EffortName, type Report, UserError } from "../src/index.ts";
import { readEnvironment } from "../src/cli/environment.ts";
import { efforts } from "../src/compare/plan.ts";
import { figure } from "./bench.ts";

export interface CompareTaskOptions {
  /** Names the run and its folder. */
  readonly name: string;
  readonly write: (folder: string) => Promise<void>;
  readonly effort?: EffortName | undefined;
  /** Keep the work below this folder, and go on with what lies there; else a temporary folder, removed at the end. */
  readonly folder?: string | undefined;
}

export type ReportRow = Report["candidates"][number];

/** The value of `--effort` on the command line. */
export function effortOf(text: string | undefined): EffortName | undefined {
  const known = Object.keys(efforts);
  if (text === undefined || known.includes(text)) return text as EffortName | undefined;
  throw new UserError(`--effort is "${text}". Give one of: ${known.join(", ")}.`);
}

/** Says on standard error what comes about, with minutes since the start. */
export async function compareTask({ name, write, effort, folder }: CompareTaskOptions): Promise<Report> {
  const path = folder === undefined ? await mkdtemp(join(tmpdir(), `sartor-bench-${name}-`)) : join(folder, name);
  await mkdir(path, { recursive: true });
  await write(path);
  const started = performance.now();
  const running = compare({ path, environment: readEnvironment(), id: name, now: new Date(), ...(effort && { effort }) });
  try {
    for (;;) {
      const { done, value } = await running.next();
      if (done === true) return value.report;
      const line = told(value);
      if (line !== undefined) console.error(`${((performance.now() - started) / 60_000).toFixed(1).padStart(6)} min  ${name}: ${line}`);
    }
  } finally {
    await running.return(undefined as never);
    if (folder === undefined) await rm(path, { recursive: true, force: true });
  }
}

function told(event: CompareEvent): string | undefined {
  switch (event.kind) {
    case "task":
      return [
        ...event.notices,
        Object.entries(event.sizes)
          .map(([part, size]) => `${size} ${part}`)
          .join(", "),
      ].join("\n");
    case "plan":
      return `${event.plan.entries.filter(({ status }) => status === "run").length} candidates planned (${event.plan.effortName})`;
    case "built":
      return `built ${event.candidate.id} in ${Math.round(event.candidate.manifest.build.seconds)} s`;
    case "not built":
      return `${event.order.chain} was not built: ${event.reason}`;
    case "score":
      return `${event.candidate} ${event.metric} ${figure(event.score)}`;
    default:
      return undefined;
  }
}

/** `.451 [.38, .52]` as cells of a table. */
export function scoreCells({ score }: ReportRow): readonly string[] {
  return [figure(score.value), `[${figure(score.low)}, ${figure(score.high)}]`, String(score.n), String(score.errors)];
}
