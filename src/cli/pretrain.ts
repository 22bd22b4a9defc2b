// `sartor pretrain`: a small model from scratch, with progress on standard error.
import { pretrain, type PretrainPlan, type PretrainResult } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { wholeNumber } from "./options.ts";
import { describeRun, fileLines, trainingProgress } from "./training-progress.ts";

interface PretrainVerbOptions {
  readonly data: string;
  readonly output: string;
  readonly depth?: string;
  readonly tokens?: string;
  readonly vocabulary?: string;
  readonly context?: string;
  readonly seed?: string;
  readonly json?: boolean;
}

export async function pretrainVerb({ data, output, json = false, ...given }: PretrainVerbOptions): Promise<void> {
  const numbers = Object.entries(given).map(([name, text]) => [name, wholeNumber(text, `--${name}`)] as const);
  const progress = trainingProgress();
  progress.update("reading the text, learning a tokenizer");
  const options = { data, output, environment: readEnvironment(), signal: interruptSignal(), ...Object.fromEntries(numbers) };
  for await (const event of pretrain(options)) {
    if (event.kind === "plan") progress.note(planLine(event));
    else if (event.kind === "done") {
      progress.clear();
      const { kind: _kind, ...result } = event;
      console.log(json ? JSON.stringify(result, undefined, 2) : described(result));
    } else progress.show(event);
  }
}

function planLine({ config, parameters, characters, textTokens, tokens, steps, worth }: PretrainPlan): string {
  const short = worth > tokens ? ` (a model of this size is worth ${millions(worth)})` : "";
  return [
    `${millions(characters)} characters, ${millions(textTokens)} tokens of a vocabulary of ${config.vocabulary}`,
    `${config.layers} layers of width ${config.width}: ${millions(parameters)} weights`,
    `reads ${millions(tokens)} tokens in ${steps} steps${short}`,
  ].join("\n");
}

function described(result: PretrainResult): string {
  const { sample, bitsPerByte, files } = result;
  const written = sample === undefined ? "" : `\n\n${sample.prompt}|${sample.text}`;
  return `${describeRun(result)}\nHeld-out text takes ${bitsPerByte.toFixed(3)} bits a byte.${written}\n\n${fileLines(files)}`;
}

const millions = (count: number): string => `${(count / 1e6).toPrecision(3)} M`;
