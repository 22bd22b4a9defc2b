// `sartor tune`: fine-tuning without a task, with progress on standard error.
import { tune, type TuneMethod, type TuneOptions, type TuneSettings } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { list, number, wholeNumber } from "./options.ts";
import { describeRun, fileLines, trainingProgress } from "./training-progress.ts";

/** What commander reads: texts under the names of the options, flags as booleans. */
interface TuneVerbOptions {
  readonly model: string;
  readonly data: string;
  readonly output: string;
  readonly method: TuneMethod;
  readonly json?: boolean;
  readonly [option: string]: string | boolean | undefined;
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
        for (const [name, reason] of Object.entries(event.reasons))
          progress.note(`${name} ${String(event.settings[name as keyof TuneSettings])}: ${reason}`);
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

type Given = Omit<TuneOptions, "environment" | "signal">;

/** How each option that may be left out becomes a setting. */
const readers: { readonly [option: string]: (text: string, flag: string) => Partial<Given> } = {
  validation: (text) => ({ validation: text }),
  rank: (text, flag) => ({ rank: wholeNumber(text, flag) }),
  alpha: (text, flag) => ({ alpha: number(text, flag) }),
  rslora: () => ({ rsLora: true }),
  targets: (text) => ({ targets: list(text) as NonNullable<Given["targets"]> }),
  dropout: (text, flag) => ({ dropout: number(text, flag) }),
  lastLayers: (text, flag) => ({ lastLayers: wholeNumber(text, flag) }),
  learningRate: (text, flag) => ({ learningRate: number(text, flag) }),
  schedule: (text) => ({ schedule: text as NonNullable<Given["schedule"]> }),
  epochs: (text, flag) => ({ epochs: wholeNumber(text, flag) }),
  steps: (text, flag) => ({ maxSteps: wholeNumber(text, flag) }),
  batchSize: (text, flag) => ({ batchSize: wholeNumber(text, flag) }),
  maxLength: (text, flag) => ({ maxLength: wholeNumber(text, flag) }),
  fast: () => ({ precision: "fast" }),
  seed: (text, flag) => ({ seed: wholeNumber(text, flag) }),
};

function optionsOf({ model, data, output, method, ...given }: TuneVerbOptions): Given {
  const settings = Object.entries(readers).map(([option, read]) => {
    const value = given[option];
    return value === undefined ? {} : read(String(value), `--${option.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`);
  });
  return Object.assign({ model, data, output, method }, ...settings) as Given;
}
