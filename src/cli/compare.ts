// `sartor compare`: the main job, with progress on standard error and the table on standard output.
import { randomBytes } from "node:crypto";
import { relative } from "node:path";
import { compare, type CompareEvent, terminalReport } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { planningOptions, type TextOptions } from "./options.ts";
import { createProgress, type Progress } from "./progress.ts";

export async function compareVerb(path: string, options: TextOptions): Promise<void> {
  const now = new Date();
  const id = `${now.toISOString().slice(0, 19).replace(/[:T]/gu, "-")}-${randomBytes(2).toString("hex")}`;
  const progress = createProgress();
  const tracker = trackProgress(progress);
  const running = compare({ path, environment: readEnvironment(), id, now, signal: interruptSignal(), ...planningOptions(options) });
  progress.update("reading the task, opening models");
  for (;;) {
    const { done, value } = await running.next();
    if (done !== true) {
      tracker(value);
      continue;
    }
    progress.clear();
    const { report, files } = value;
    if (options.json === true) console.log(JSON.stringify(report, undefined, 2));
    else
      console.log(
        `${terminalReport(report, { width: process.stdout.columns ?? 100, colour: process.stdout.isTTY === true })}\n\nReport: ${relative(process.cwd(), files.html)}`,
      );
    return;
  }
}

interface Tracked {
  /** Planned seconds: of all, and of what is done. */
  total: number;
  finished: number;
  scored: number;
  /** By chain and model. */
  planned: ReadonlyMap<string, { readonly build: number; readonly rest: number }>;
}

/** Planned seconds give the fraction done: builds first, then answers (most of the rest), then the passes at the end. */
function trackProgress(progress: Progress): (event: CompareEvent) => void {
  const state: Tracked = { total: 1, finished: 0, scored: 0, planned: new Map() };
  const show = (text: string, part = 0): void => progress.update(text, Math.min(0.99, (state.finished + part) / state.total));
  return (event) => {
    switch (event.kind) {
      case "task":
        for (const notice of event.notices) progress.note(`note: ${notice}`);
        return progress.note(
          `${event.name}: ${Object.entries(event.sizes)
            .map(([part, size]) => `${size} ${part}`)
            .join(", ")}`,
        );
      case "plan":
        return progress.note(planned(event, state));
      case "build":
        return building(event, state, progress, show);
      case "built":
      case "not built":
        state.finished += costOf(state, event.order).build;
        if (event.kind === "not built") progress.note(`${event.order.chain} was not built: ${event.reason}`);
        return;
      case "evaluate":
        return show(`testing ${event.candidate} ${event.done}/${event.of}`, (event.done / event.of) * answersEach(state));
      case "score":
        state.finished += answersEach(state);
        return progress.note(`${String(++state.scored).padStart(2)}  ${event.candidate}: ${event.metric} ${event.score.toFixed(3)}`);
      case "measure":
        return show(`measuring ${event.what} ${event.done}/${event.of}`, (event.done / event.of) * (state.total - state.finished) * 0.5);
    }
  };
}

const keyOf = ({ chain, model }: { chain: string; model: string }): string => `${chain} ${model}`;
const costOf = ({ planned }: Tracked, order: { chain: string; model: string }): { build: number; rest: number } =>
  planned.get(keyOf(order)) ?? { build: 0, rest: 0 };
const answersEach = ({ planned }: Tracked): number =>
  (0.7 * [...planned.values()].reduce((sum, { rest }) => sum + rest, 0)) / Math.max(1, planned.size);

function planned({ plan, resumed }: CompareEvent & { kind: "plan" }, state: Tracked): string {
  const entries = plan.entries.filter((entry) => entry.status === "run");
  state.planned = new Map(
    entries.map((entry) => [
      keyOf(entry),
      { build: entry.buildSeconds ?? 0, rest: (entry.needs?.seconds ?? 0) - (entry.buildSeconds ?? 0) },
    ]),
  );
  state.total = Math.max(1, plan.total.seconds);
  return `${entries.length} candidates planned${resumed ? ", going on with an unfinished run" : ""}`;
}

function building(
  { order, index, of, event: step }: CompareEvent & { kind: "build" },
  state: Tracked,
  progress: Progress,
  show: (text: string, part?: number) => void,
): void {
  if (step?.kind === "step" && step.note !== undefined) progress.note(`${order.chain}: ${step.note}`);
  const title = `building ${index + 1}/${of} ${order.chain}`;
  if (step?.kind !== "progress") return show(title);
  const detail = step.detail === undefined ? "" : `, ${step.detail}`;
  show(
    `${title} ${step.step}: ${step.label} ${step.done}/${step.of}${detail}`,
    (step.done / Math.max(1, step.of)) * costOf(state, order).build,
  );
}
