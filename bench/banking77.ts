// banking77 (Casanueva et al., 2020, https://arxiv.org/abs/2003.04807) with few examples: 10 of its 77 intents, 15 + 5 examples each, and
// 200 test messages. Every strategy on the first draw; LoRA and the linear baseline on five.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "yaml";
import { seededRandom } from "../src/util/random.ts";
import { type BenchOptions, figure, meanOverSeeds, type MeanOverSeeds, printTable, readArguments } from "./bench.ts";
import { compareTask, effortOf, type ReportRow, scoreCells } from "./compare-task.ts";

const classes = 10;
const perClass = { train: 15, validation: 5, test: 20 } as const;
const target = 0.84;
/** Over the draws after the first. */
const repeated = ["lora", "tf-idf-linear"];

interface Message {
  readonly input: string;
  readonly output: string;
}

export interface BankingDraw {
  readonly labels: readonly string[];
  readonly sides: { readonly [S in keyof typeof perClass]: readonly Message[] };
}

/** `--quick` measures the first draw alone; `--folder <path>` keeps the work and goes on with it; `--effort <level>` as in `sartor compare`. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const {
    quick = false,
    folder,
    effort,
  } = readArguments(given, { quick: { type: "boolean" }, folder: { type: "string" }, effort: { type: "string" } });
  const source = join(data, "banking77");
  const seeds = quick ? [0] : [0, 1, 2, 3, 4];
  const bySeed: (readonly ReportRow[])[] = [];
  for (const seed of seeds) {
    const draw = await drawBanking({ folder: source, seed });
    const strategies = seed === 0 ? "all" : repeated;
    const report = await compareTask({
      name: `banking77-${seed}`,
      folder,
      effort: effortOf(effort),
      write: (path) => writeBanking({ path, draw, seed, strategies }),
    });
    bySeed.push(report.candidates);
  }
  print({ seeds, bySeed, json });
}

interface Results {
  readonly seeds: readonly number[];
  readonly bySeed: readonly (readonly ReportRow[])[];
  readonly json: boolean;
}

function print({ seeds, bySeed, json }: Results): void {
  const rows = bySeed[0]!.toSorted((a, b) => b.score.value - a.score.value);
  console.log(`banking77, ${classes} intents, ${perClass.train} + ${perClass.validation} examples each, seed 0`);
  printTable(
    ["strategy", "accuracy", "95 %", "n", "errors"],
    rows.map((row) => [row.strategy, ...scoreCells(row)]),
  );
  const means = Object.fromEntries(repeated.map((strategy) => [strategy, overSeeds(bySeed, strategy)]));
  console.log(`\nOver seeds ${seeds.join(", ")} (other intents, messages and training; t interval)`);
  printTable(
    ["strategy", "mean accuracy", "95 %", "by seed"],
    Object.entries(means).map(([strategy, mean]) => [strategy, ...meanCells(mean)]),
  );
  const { mean } = means["lora"]!;
  console.log(`LoRA ${figure(mean)}, target ${target}: ${mean >= target ? "met" : "missed"}`);
  const seed0 = rows.map(({ strategy, score }) => ({ strategy, ...score }));
  if (json) console.log(JSON.stringify({ bench: "banking77", seeds, target, met: mean >= target, means, seed0 }));
}

/** A strategy that a draw could not build leaves its value out, and the count shows it. */
function overSeeds(bySeed: readonly (readonly ReportRow[])[], strategy: string): MeanOverSeeds {
  return meanOverSeeds(bySeed.flatMap((rows) => rows.filter((row) => row.strategy === strategy).map((row) => row.score.value)));
}

const meanCells = ({ mean, low, high, values }: MeanOverSeeds): readonly string[] => [
  figure(mean),
  `[${figure(low)}, ${figure(high)}]`,
  values.map(figure).join(" "),
];

/** Intents, and the messages of each, in an order that the seed decides. No message stands on two sides. */
export async function drawBanking({ folder, seed }: { readonly folder: string; readonly seed: number }): Promise<BankingDraw> {
  const random = seededRandom(`banking77 ${seed}`);
  const [training, testing] = await Promise.all(["train.csv", "test.csv"].map((name) => readMessages(join(folder, name))));
  const labels = random
    .shuffle([...new Set(training!.map(({ output }) => output))])
    .slice(0, classes)
    .toSorted();
  const drawn = labels.map((label) => {
    const known = new Set(testing!.map(({ input }) => input));
    const own = random.shuffle(training!.filter(({ input, output }) => output === label && !known.has(input)));
    const test = random.shuffle(testing!.filter(({ output }) => output === label));
    const { train, validation } = perClass;
    return { train: own.slice(0, train), validation: own.slice(train, train + validation), test: test.slice(0, perClass.test) };
  });
  const side = (name: keyof typeof perClass): readonly Message[] => random.shuffle(drawn.flatMap((one) => one[name]));
  return { labels, sides: { train: side("train"), validation: side("validation"), test: side("test") } };
}

async function readMessages(path: string): Promise<readonly Message[]> {
  const records = parse(await readFile(path), { columns: true }) as readonly { text: string; category: string }[];
  return records.map(({ text, category }) => ({ input: text.trim(), output: category }));
}

interface WriteBanking {
  readonly path: string;
  readonly draw: BankingDraw;
  readonly seed: number;
  readonly strategies: "all" | readonly string[];
}

export async function writeBanking({ path, draw: { labels, sides }, seed, strategies }: WriteBanking): Promise<void> {
  const names = Object.keys(sides) as (keyof typeof sides)[];
  for (const name of names)
    await writeFile(join(path, `${name}.jsonl`), sides[name].map((message) => `${JSON.stringify(message)}\n`).join(""));
  const task = {
    name: "banking77",
    instruction: "Name the intent of this message to a bank.",
    output: { labels },
    examples: Object.fromEntries(names.map((name) => [name, `${name}.jsonl`])),
    metrics: ["accuracy", "macro-f1"],
    strategies,
    seed,
  };
  await writeFile(join(path, "sartor.yaml"), stringify(task));
}
