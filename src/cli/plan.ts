// `sartor plan`: what each technique will need here, and which cannot run and why.
import { plan } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { planningOptions, type TextOptions } from "./options.ts";
import { createProgress, duration } from "./progress.ts";
import { table } from "./table.ts";

export async function planVerb(path: string, options: TextOptions): Promise<void> {
  const progress = createProgress();
  progress.update("reading the task, opening models, measuring this machine");
  const { plan: planned, notices } = await plan({
    path,
    environment: readEnvironment(),
    signal: interruptSignal(),
    ...planningOptions(options),
  });
  progress.clear();
  if (options.json === true) {
    console.log(JSON.stringify({ plan: planned, notices }, undefined, 2));
    return;
  }
  for (const notice of notices) console.log(`note: ${notice}`);
  const rows = planned.entries.map(({ chain, model, status, needs, reason }) => [
    model === "" ? chain : `${chain} (${model})`,
    status,
    needs === undefined ? "" : duration(needs.seconds),
    needs === undefined ? "" : `${(needs.memoryBytes / 1e9).toFixed(1)} GB`,
    reason ?? "",
  ]);
  console.log(table(["strategy", "", "time", "memory", "why"], rows));
  const { effort, total } = planned;
  console.log(
    `\nIn all about ${duration(total.seconds)}: ${effort.epochs} epochs, ${effort.promptTrials} prompts, ${effort.validationExamples} validation examples at most (effort: ${planned.effortName}).`,
  );
  console.log("Times are first guesses from this machine's measured speed. Run: sartor compare");
}
