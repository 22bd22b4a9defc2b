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
    else console.log(`${terminalReport(report, { width: process.stdout.columns ?? 100, colour: process.stdout.isTTY === true })}\n\nReport: ${relative(process.cwd(), files.html)}`);
    return;
  }
}

/** Planned seconds give the fraction done: builds first, then answers, then the passes at the end. */
function trackProgress(progress: Progress): (event: CompareEvent) => void {
  let total = 1;
  let finished = 0;
  let scored = 0;
  let planned = new Map<string, { build: number; rest: number }>();
  const show = (text: string, part = 0): void => progress.update(text, Math.min(0.99, (finished + part) / total));
  const costOf = (key: string): { build: number; rest: number } => planned.get(key) ?? { build: 0, rest: 0 };
  const restEach = (): number => [...planned.values()].reduce((sum, { rest }) => sum + rest, 0) / Math.max(1, planned.size);
  return (event) => {
    switch (event.kind) {
      case "task":
        for (const notice of event.notices) progress.note(`note: ${notice}`);
        progress.note(`${event.name}: ${Object.entries(event.sizes).map(([part, size]) => `${size} ${part}`).join(", ")}`);
        break;
      case "plan": {
        const entries = event.plan.entries.filter((entry) => entry.status === "run");
        planned = new Map(entries.map(({ chain, model, needs, buildSeconds = 0 }) => [`${chain} ${model}`, { build: buildSeconds, rest: (needs?.seconds ?? 0) - buildSeconds }]));
        total = Math.max(1, event.plan.total.seconds);
        progress.note(`${entries.length} candidates planned${event.resumed ? ", going on with an unfinished run" : ""}`);
        break;
      }
      case "build": {
        const step = event.event;
        const detail = step?.kind === "progress" ? ` ${step.step}: ${step.label} ${step.done}/${step.of}${step.detail === undefined ? "" : `, ${step.detail}`}` : "";
        const part = step?.kind === "progress" ? (step.done / Math.max(1, step.of)) * costOf(`${event.order.chain} ${event.order.model}`).build : 0;
        show(`building ${event.index + 1}/${event.of} ${event.order.chain}${detail}`, part);
        if (step?.kind === "step" && step.note !== undefined) progress.note(`${event.order.chain}: ${step.note}`);
        break;
      }
      case "built":
      case "not built":
        finished += costOf(`${event.order.chain} ${event.order.model}`).build;
        if (event.kind === "not built") progress.note(`${event.order.chain} was not built: ${event.reason}`);
        break;
      case "evaluate":
        show(`testing ${event.candidate} ${event.done}/${event.of}`, (event.done / event.of) * restEach() * 0.7);
        break;
      case "score":
        scored++;
        finished += restEach() * 0.7;
        progress.note(`${String(scored).padStart(2)}  ${event.candidate}: ${event.metric} ${event.score.toFixed(3)}`);
        break;
      case "measure":
        show(`measuring ${event.what} ${event.done}/${event.of}`, (event.done / event.of) * (total - finished) * 0.5);
        break;
    }
  };
}
