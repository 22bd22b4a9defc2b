// A training run on standard error: the step with loss, speed and time left, a line an epoch.
import { relative } from "node:path";
import type { EpochEvent, StepEvent, TrainingRecord, TuneEvent, TuneSettings } from "../index.ts";
import { createProgress, duration, type Progress } from "./progress.ts";
import { table } from "./table.ts";

export interface TrainingProgress extends Progress {
  show(event: StepEvent | EpochEvent): void;
}

/** Time is counted from the end of the first step, and so is the share done: a run that goes on has taken steps before. */
export function trainingProgress(stream?: NodeJS.WriteStream): TrainingProgress {
  const before = createProgress(stream);
  let training: { readonly progress: Progress; readonly taken: number } | undefined;
  return {
    ...before,
    show: (event) => {
      if (event.kind === "epoch") {
        const validation = event.validationLoss === undefined ? "" : `, validation ${event.validationLoss.toFixed(3)}`;
        return before.note(`epoch ${event.epoch}: loss ${event.trainLoss.toFixed(3)}${validation}${event.best ? "" : " (not better)"}`);
      }
      training ??= { progress: createProgress(stream), taken: event.step };
      const { step, of, loss, tokensPerSecond } = event;
      const share = (step - training.taken) / Math.max(1, of - training.taken);
      training.progress.update(`step ${step}/${of}, loss ${loss.toFixed(3)}, ${Math.round(tokensPerSecond)} tokens/s`, share);
    },
  };
}

/** What tuning tells before its end. */
export function showTuning(event: Exclude<TuneEvent, { readonly kind: "done" }>, progress: TrainingProgress): void {
  if (event.kind === "fetch") {
    if (event.event.kind === "progress") progress.update(`fetching ${event.event.file}`, event.event.received / event.event.total);
  } else if (event.kind === "data") {
    for (const [name, reason] of Object.entries(event.reasons))
      progress.note(`${name} ${String(event.settings[name as keyof TuneSettings])}: ${reason}`);
    progress.note(`${event.train} sequences of ${event.tokens} tokens, ${event.validation} for validation; ${event.steps} steps at most`);
  } else progress.show(event);
}

export const noticeLines = (notices: readonly string[]): string => notices.map((notice) => `note: ${notice}\n`).join("");

/** Losses by epoch as a table, and what the run took. */
export function describeRun(record: TrainingRecord): string {
  const { losses, bestEpoch, steps, stoppedEarly, diverged, seconds, peakMemoryBytes, trainedParameters } = record;
  const rows = losses.map(({ epoch, train, validation }) => [
    String(epoch),
    train.toFixed(3),
    validation?.toFixed(3) ?? "",
    epoch === bestEpoch ? "kept" : "",
  ]);
  const early = stoppedEarly ? ", stopped early" : "";
  const broken = diverged === undefined ? "" : `\n${diverged} The weights of epoch ${bestEpoch} are kept.`;
  const memory = `${(peakMemoryBytes / 1e9).toFixed(1)} GB at most`;
  return `${table(["epoch", "loss", "validation", ""], rows)}\n\n${steps} steps in ${duration(seconds)}${early}, ${trainedParameters.toLocaleString("en")} weights trained, ${memory}.${broken}`;
}

export const fileLines = (files: { readonly [name: string]: string }): string =>
  table(
    ["", ""],
    Object.entries(files).map(([name, path]) => [name, relative(process.cwd(), path)]),
  ).trim();
