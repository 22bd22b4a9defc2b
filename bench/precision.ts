// Whether the fast mode's rougher gradients cost anything: best validation loss after whole LoRA runs, exact and fast, on three tasks,
// from several seeds each. The spread over seeds says what is noise.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { readEnvironment } from "../src/cli/environment.ts";
import { wholeNumber } from "../src/cli/options.ts";
import { UserError } from "../src/errors.ts";
import { listModels } from "../src/model/model-files.ts";
import type { TokenSequence } from "../src/model.ts";
import { type Runtime, startRuntime } from "../src/runtime/runtime.ts";
import { applyChatTemplate, type ChatMessage, chatMl } from "../src/tokenizer/chat-template.ts";
import { type GgufTokenizer, tokenizerFromGguf } from "../src/tokenizer/gguf-tokenizer.ts";
import type { Precision } from "../src/train/graphs.ts";
import { tuneLora } from "../src/train/tune-lora.ts";
import { groupBy } from "../src/util/group-by.ts";
import { mean } from "../src/util/mean.ts";
import { seededRandom } from "../src/util/random.ts";
import { readGguf } from "../src/weights/gguf-read.ts";
import { drawBanking } from "./banking77.ts";
import { type BenchOptions, figure, meanOverSeeds, printTable, readArguments } from "./bench.ts";
import { drawSquad } from "./squad.ts";

const modelName = "smollm2-135m-instruct";
const sizes = { train: 96, validation: 48 } as const;
const longest = 256;

interface Pair {
  readonly input: string;
  readonly output: string;
}

type Draw = (data: string) => Promise<{ readonly train: readonly Pair[]; readonly validation: readonly Pair[] }>;

const tasks: { readonly [name: string]: Draw } = {
  banking77: async (data) => (await drawBanking({ folder: join(data, "banking77"), seed: 0 })).sides,
  e2e: async (data) => {
    const records = parse(await readFile(join(data, "e2e_nlg_cleaned", "devel-fixed.no-ol.csv")), { columns: true }) as readonly {
      readonly mr: string;
      readonly ref: string;
    }[];
    // One text a meaning, so that no meaning stands on both sides.
    const byMeaning = new Map(records.map(({ mr, ref }) => [mr, ref]));
    const pairs = seededRandom("e2e").shuffle([...byMeaning].map(([input, output]) => ({ input, output })));
    return { train: pairs.slice(0, sizes.train), validation: pairs.slice(sizes.train, sizes.train + sizes.validation) };
  },
  squad: async (data) => {
    const { sides, documents } = await drawSquad({ path: join(data, "squad2_cs224n", "dev-v2.0.json"), seed: 0 });
    const read = ({ input, output, evidence }: (typeof sides)["train"][number]): Pair => ({
      input: `${documents.get(evidence[0]!.document)}\n\n${input}`,
      output,
    });
    return { train: sides.train.map(read), validation: sides.validation.map(read) };
  },
};

interface Result {
  readonly task: string;
  readonly seed: number;
  readonly exact: number;
  readonly fast: number;
}

/** `--seeds <n>`, three unless said otherwise; `--epochs <n>`, three likewise; `--tasks <names>`, all likewise, in one list with commas. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const {
    seeds = "3",
    epochs = "3",
    tasks: named = Object.keys(tasks).join(","),
  } = readArguments(given, { seeds: { type: "string" }, epochs: { type: "string" }, tasks: { type: "string" } });
  const environment = readEnvironment();
  const basePath = (await listModels(environment)).find(({ entry }) => entry.name === modelName)?.local?.files[0].path;
  if (basePath === undefined) throw new UserError(`${modelName} is not fetched. Run: sartor models fetch ${modelName}`);
  const tokenizer = tokenizerFromGguf((await readGguf(basePath)).metadata);
  await using runtime = startRuntime({ threads: environment.threads });
  const results: Result[] = [];
  for (const task of named.split(",")) {
    const draw = tasks[task];
    if (draw === undefined) throw new UserError(`--tasks: "${task}" is none of ${Object.keys(tasks).join(", ")}.`);
    // One draw of data: what varies between seeds is where the adapter starts and the order of the batches.
    const sides = await draw(data);
    const texts = { train: sequences(sides.train, sizes.train), validation: sequences(sides.validation, sizes.validation) };
    for (let seed = 0; seed < wholeNumber(seeds, "--seeds"); seed++) {
      const tune = (precision: Precision): Promise<number> =>
        bestLoss({ runtime, basePath, ...texts, seed, precision, epochs: wholeNumber(epochs, "--epochs") });
      results.push({ task, seed, exact: await tune("exact"), fast: await tune("fast") });
      console.error(JSON.stringify(results.at(-1)));
    }
  }
  print(results);
  if (json) console.log(JSON.stringify({ bench: "precision", epochs: Number(epochs), results, ...verdict(results) }));

  function sequences(pairs: readonly Pair[], count: number): readonly TokenSequence[] {
    return pairs
      .map((pair) => sequenceOf(pair, tokenizer))
      .filter(({ tokens }) => tokens.length <= longest)
      .slice(0, count);
  }
}

function sequenceOf({ input, output }: Pair, tokenizer: GgufTokenizer): TokenSequence {
  const user = { role: "user", content: input };
  const tokens = (messages: readonly ChatMessage[]): readonly number[] =>
    tokenizer.encode(applyChatTemplate(tokenizer.chatTemplate ?? chatMl, messages, tokenizer), { special: true });
  return { tokens: tokens([user, { role: "assistant", content: output }]), promptLength: tokens([user]).length };
}

interface Run {
  readonly runtime: Runtime;
  readonly basePath: string;
  readonly train: readonly TokenSequence[];
  readonly validation: readonly TokenSequence[];
  readonly seed: number;
  readonly precision: Precision;
  readonly epochs: number;
}

async function bestLoss(options: Run): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for await (const event of tuneLora(options))
    if (event.kind === "epoch") best = Math.min(best, event.validationLoss ?? Number.POSITIVE_INFINITY);
  return best;
}

function print(results: readonly Result[]): void {
  printTable(
    ["task", "seed", "exact", "fast", "fast - exact"],
    results.map(({ task, seed, exact, fast }) => [task, String(seed), figure(exact), figure(fast), (fast - exact).toFixed(4)]),
  );
  const { difference, noise, within } = verdict(results);
  console.log(
    `fast - exact over all: ${difference.mean.toFixed(4)} [${difference.low.toFixed(4)}, ${difference.high.toFixed(4)}]; the spread of exact runs over seeds is ${noise.toFixed(4)}: ${within ? "within" : "beyond"} it`,
  );
}

/** The mean difference with its interval over all runs, beside the standard deviation of exact runs over seeds of a task. */
function verdict(results: readonly Result[]) {
  const difference = meanOverSeeds(results.map(({ exact, fast }) => fast - exact));
  const deviations = [...groupBy(results, ({ task }) => task).values()].map((runs) => deviation(runs.map(({ exact }) => exact)));
  const noise = mean(deviations);
  return { difference, noise, within: Math.abs(difference.mean) <= noise };
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, values.length - 1));
}
