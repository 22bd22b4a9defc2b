// `sartor tune`: fine-tuning without a task, with progress on standard error.
import { tune, type TuneMethod, type TuneOptions, type TuneSettings } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { number, wholeNumber } from "./options.ts";
import { describeRun, fileLines, trainingProgress } from "./training-progress.ts";

interface TuneVerbOptions {
  readonly model: string;
  readonly data: string;
  readonly validation?: string;
  readonly output: string;
  readonly method: TuneMethod;
  readonly rank?: string;
  readonly alpha?: string;
  readonly learningRate?: string;
  readonly epochs?: string;
  readonly steps?: string;
  readonly batchSize?: string;
  readonly maxLength?: string;
  readonly seed?: string;
  readonly json?: boolean;
}

export async function tuneVerb(given: TuneVerbOptions): Promise<void> {
  const progress = trainingProgress();
  progress.update("reading the data, opening the model");
  for await (const event of tune({ ...optionsOf(given), environment: readEnvironment(), signal: interruptSignal() })) {
    switch (event.kind) {
      case "fetch":
        if (event.event.kind === "progress") progress.update(`fetching ${event.event.file}`, event.event.received / event.event.total);
        break;
      case "data":
        for (const notice of event.notices) progress.note(`note: ${notice}`);
        for (const [name, reason] of Object.entries(event.reasons))
          progress.note(`${name} ${event.settings[name as keyof TuneSettings]}: ${reason}`);
        progress.note(
          `${event.train} sequences of ${event.tokens} tokens, ${event.validation} for validation; ${event.steps} steps at most`,
        );
        break;
      case "done": {
        progress.clear();
        const { kind: _kind, ...result } = event;
        const notices = event.notices.map((notice) => `note: ${notice}\n`).join("");
        console.log(
          given.json === true ? JSON.stringify(result, undefined, 2) : `${notices}${describeRun(result)}\n\n${fileLines(event.files)}`,
        );
        break;
      }
      default:
        progress.show(event);
    }
  }
}

function optionsOf({ model, data, output, method, ...given }: TuneVerbOptions): Omit<TuneOptions, "environment"> {
  const { validation, alpha, learningRate, steps, ...rest } = given;
  const whole = { rank: "--rank", epochs: "--epochs", batchSize: "--batch-size", maxLength: "--max-length", seed: "--seed" } as const;
  const numbers = Object.entries(whole).flatMap(([name, flag]) => {
    const text = rest[name as keyof typeof whole];
    return text === undefined ? [] : [[name, wholeNumber(text, flag)] as const];
  });
  return {
    model,
    data,
    output,
    method,
    ...Object.fromEntries(numbers),
    ...(validation === undefined ? {} : { validation }),
    ...(alpha === undefined ? {} : { alpha: number(alpha, "--alpha") }),
    ...(learningRate === undefined ? {} : { learningRate: number(learningRate, "--learning-rate") }),
    ...(steps === undefined ? {} : { maxSteps: wholeNumber(steps, "--steps") }),
  };
}
