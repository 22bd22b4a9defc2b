// `sartor tune`: fine-tuning without a task, with progress on standard error.
import { tune, type TuneMethod, type TuneOptions } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { list, number, type Readers, readSettings, wholeNumber } from "./options.ts";
import { describeRun, fileLines, noticeLines, showTuning, trainingProgress } from "./training-progress.ts";

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
    if (event.kind !== "done") {
      showTuning(event, progress);
      continue;
    }
    progress.clear();
    const { kind: _kind, ...result } = event;
    console.log(
      given.json === true
        ? JSON.stringify(result, undefined, 2)
        : `${noticeLines(event.notices)}${describeRun(result)}\n\n${fileLines(event.files)}`,
    );
  }
}

type Given = Omit<TuneOptions, "environment" | "signal">;

const readers: Readers<Given> = {
  validation: (text) => ({ validation: text }),
  rank: (text, flag) => ({ rank: wholeNumber(text, flag) }),
  alpha: (text, flag) => ({ alpha: number(text, flag) }),
  rslora: () => ({ rsLora: true }),
  targets: (text) => ({ targets: list(text) as NonNullable<Given["targets"]> }),
  dropout: (text, flag) => ({ dropout: number(text, flag) }),
  lastLayers: (text, flag) => ({ lastLayers: wholeNumber(text, flag) }),
  newTokens: (text, flag) => ({ newTokens: wholeNumber(text, flag) }),
  learningRate: (text, flag) => ({ learningRate: number(text, flag) }),
  schedule: (text) => ({ schedule: text as NonNullable<Given["schedule"]> }),
  epochs: (text, flag) => ({ epochs: wholeNumber(text, flag) }),
  steps: (text, flag) => ({ maxSteps: wholeNumber(text, flag) }),
  batchSize: (text, flag) => ({ batchSize: wholeNumber(text, flag) }),
  maxLength: (text, flag) => ({ maxLength: wholeNumber(text, flag) }),
  replay: (text) => ({ replay: text }),
  replayWeight: (text, flag) => ({ replayWeight: number(text, flag) }),
  kl: (text, flag) => ({ kl: number(text, flag) }),
  averaging: () => ({ averaging: true }),
  fast: () => ({ precision: "fast" }),
  seed: (text, flag) => ({ seed: wholeNumber(text, flag) }),
};

function optionsOf({ model, data, output, method, ...given }: TuneVerbOptions): Given {
  return { model, data, output, method, ...readSettings(readers, given) };
}
