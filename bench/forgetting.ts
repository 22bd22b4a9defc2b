// Task score against forgetting: LoRA on the banking77 draw of bench/banking77.ts with nothing against forgetting, then with replay, with
// nearness to the base model (KL) and with averaging, each at two strengths. What is measured is what would be served.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type OpenedResources, openResources } from "../src/answer/open.ts";
import { render } from "../src/answer/render.ts";
import type { GenerateCandidate } from "../src/candidate.ts";
import { readEnvironment } from "../src/cli/environment.ts";
import { candidateModel } from "../src/compare/facts.ts";
import { evaluation } from "../src/evaluate/evaluate.ts";
import { type Forgetting, type General, measureForgetting, measureGeneral } from "../src/evaluate/forgetting.ts";
import { scoreOf } from "../src/evaluation.ts";
import { createMetric } from "../src/metric/metrics.ts";
import { isLocal, type LocalLanguageModel, type TokenSequence } from "../src/model.ts";
import { memoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store.ts";
import { baseCandidate } from "../src/strategy/base.ts";
import type { LabelledExample } from "../src/task.ts";
import type { Averaged } from "../src/train/averaging.ts";
import { type LoraResult, tuneLora, type TuneLoraOptions } from "../src/train/tune-lora.ts";
import { sha256File } from "../src/util/hash.ts";
import { tokenWindows } from "../src/train/windows.ts";
import { writeGgufAdapter } from "../src/weights/gguf-adapter.ts";
import { drawBanking } from "./banking77.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";

const modelName = "smollm2-135m-instruct";
const instruction = "Name the intent of this message to a bank.";
/** As the strategy tunes. */
const lora = { rank: 8, alpha: 16, learningRate: 1e-3, batchSize: 8, epochs: 100, seed: 0 } as const;
const general = { bytes: 12_000, questions: 150 };
/** Of the texts replayed: tokens read each, and how many. */
const window = 64;
const texts = 400;

type Against = Pick<TuneLoraOptions, "replay" | "kl" | "averaging">;

interface Bench {
  readonly resources: OpenedResources;
  readonly store: Store;
  readonly model: LocalLanguageModel;
  readonly candidate: GenerateCandidate;
  readonly labels: readonly string[];
  readonly sides: { readonly [S in "train" | "validation" | "test"]: readonly LabelledExample[] };
  readonly replayed: readonly TokenSequence[];
  readonly base: General;
  readonly steps: number;
}

interface Result {
  readonly name: string;
  readonly accuracy: number;
  readonly forgetting?: Forgetting;
  readonly seconds?: number;
}

/** `--steps` (100): updates of every run. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { steps = "100", seed = "0" } = readArguments(given, { steps: { type: "string" }, seed: { type: "string" } });
  await using store = memoryStore();
  await using resources = openResources({ documents: [], store, environment: readEnvironment() });
  const bench = await open({ data, store, resources, steps: Number(steps), seed: Number(seed) });
  const results: Result[] = [{ name: "base model", accuracy: await accuracy(bench, bench.candidate) }];
  const add = (result: Result) => {
    results.push(result);
    console.error(line(result).join("  "));
  };
  const plain = await tune(bench, { averaging: {} });
  for (const row of await averagedRows(bench, plain)) add(row);
  for (const [name, against] of Object.entries(variants(bench.replayed))) {
    const { trained, seconds } = await tune(bench, against);
    add({ name, seconds, ...(await measured(bench, trained, 1)) });
  }
  print(results, bench.base);
  if (json)
    console.log(JSON.stringify({ bench: "forgetting", model: modelName, steps: bench.steps, lossBefore: bench.base.loss, results }));
}

function variants(sequences: readonly TokenSequence[]): { readonly [name: string]: Against } {
  return {
    "replay, weight 0.25": { replay: { sequences, weight: 0.25 } },
    "replay, weight 1": { replay: { sequences, weight: 1 } },
    "KL on replayed text, weight 1": { replay: { sequences, weight: 0 }, kl: { weight: 1 } },
    "KL on replayed text, weight 5": { replay: { sequences, weight: 0 }, kl: { weight: 5 } },
    "KL on completions, weight 0.1": { kl: { weight: 0.1, on: "task" } },
    "KL on replayed text, weight 5, averaging": { replay: { sequences, weight: 0 }, kl: { weight: 5 }, averaging: {} },
  };
}

async function open(options: {
  readonly data: string;
  readonly store: Store;
  readonly resources: OpenedResources;
  readonly steps: number;
  readonly seed: number;
}): Promise<Bench> {
  const { data, resources, seed } = options;
  const { labels, sides } = await drawBanking({ folder: join(data, "banking77"), seed });
  const examples = (side: keyof typeof sides) => sides[side].map((message, index) => ({ ...message, id: `${side} ${index}` }));
  const named = candidateModel(modelName);
  const model = await resources.model(named);
  if (!isLocal(model)) throw new Error(`${modelName} is not local.`);
  const output = { kind: "labels", labels } as const;
  const train = examples("train");
  const task = { instruction, output, seed } as Parameters<typeof baseCandidate>[0]["task"];
  const start = baseCandidate({ task, model: named, train, countTokens: (text) => model.countTokens(text) });
  return {
    ...options,
    model,
    candidate: { ...start, prompt: { ...start.prompt, listLabels: false } },
    labels,
    sides: { train, validation: examples("validation"), test: examples("test") },
    replayed: await readTexts(join(data, "general_probes", "lambada_openai.jsonl"), model),
    base: await measureGeneral({ model, ...general }),
  };
}

/** The beginnings of passages from novels (LAMBADA, Paperno et al. 2016, https://arxiv.org/abs/1606.06031). */
async function readTexts(path: string, model: LocalLanguageModel): Promise<readonly TokenSequence[]> {
  await stat(path);
  const sequences: TokenSequence[] = [];
  for await (const row of createInterface({ input: createReadStream(path) })) {
    const { context } = JSON.parse(row) as { readonly context: string };
    const [first] = tokenWindows(model.tokenizeText(context), window);
    if (first !== undefined) sequences.push(first);
    if (sequences.length === texts) break;
  }
  return sequences;
}

interface Trained {
  readonly trained: LoraResult & { readonly averaged?: Averaged };
  readonly seconds: number;
}

async function tune({ resources, model, candidate, sides, steps }: Bench, against: Against): Promise<Trained> {
  const sequences = (examples: readonly LabelledExample[]) =>
    examples.map((example) => {
      const { input, completion } = render({ candidate, input: example.input, demonstrations: [] });
      return model.tokenize(input, completion(example.output));
    });
  const options = { ...lora, ...against, runtime: await resources.runtime(), basePath: model.path, maxSteps: steps, patience: 100 };
  const running = tuneLora({ ...options, train: sequences(sides.train), validation: sequences(sides.validation) });
  for await (const event of running) if (event.kind === "done") return { trained: event, seconds: event.seconds };
  throw new Error("The run ended without a result.");
}

/** The plain run at several shares of the way; a share is the scale at which the adapter is served. */
async function averagedRows(bench: Bench, { trained, seconds }: Trained): Promise<readonly Result[]> {
  const { factor } = trained.averaged as Averaged;
  const at = async (name: string, share: number): Promise<Result> => ({
    name,
    seconds,
    ...(await measured(bench, trained, share / factor)),
  });
  return [
    await at("none", 1),
    await at("averaging, 0.75", 0.75),
    await at("averaging, 0.5", 0.5),
    await at(`averaging, by validation: ${factor}`, factor),
  ];
}

/** Accuracy and forgetting with the adapter at a scale. */
async function measured(bench: Bench, { adapter, alpha }: LoraResult, scale: number): Promise<Pick<Result, "accuracy" | "forgetting">> {
  const path = await bench.store.path("adapter.gguf");
  await writeGgufAdapter({ path, architecture: "llama", alpha: scale * alpha, tensors: adapter });
  const candidate = { ...bench.candidate, adapter: { path: "adapter.gguf", sha256: await sha256File(path), scale: 1 } };
  const forgetting = await measureForgetting({ candidate, resources: bench.resources, base: bench.base, ...general, seed: 0 });
  return { accuracy: await accuracy(bench, candidate), ...(forgetting && { forgetting }) };
}

async function accuracy({ resources, store, labels, sides }: Bench, candidate: GenerateCandidate): Promise<number> {
  const output = { kind: "labels", labels } as const;
  const metric = createMetric("accuracy", { output });
  const options = { candidate, examples: sides.test, set: "test", metrics: [metric], output, resources, cache: store, seed: 0 } as const;
  return scoreOf((await evaluation(options)).rows, metric);
}

function print(results: readonly Result[], base: General): void {
  const probe = base.right.filter(Boolean).length / base.right.length;
  console.log(`Before tuning: loss a byte ${base.loss.toFixed(4)}, probe ${figure(probe)} of ${base.right.length} questions`);
  printTable(["against forgetting", "accuracy", "loss a byte", "probe", "change", "95 %", "seconds"], results.map(line));
}

function line({ name, accuracy: value, forgetting, seconds }: Result): readonly string[] {
  if (forgetting === undefined) return [name, figure(value), "", "", "", "", ""];
  const { lossBefore, lossAfter, probeBefore, probeAfter, low, high } = forgetting;
  const change = `${lossAfter >= lossBefore ? "+" : ""}${(lossAfter - lossBefore).toFixed(4)}`;
  return [
    name,
    figure(value),
    change,
    figure(probeAfter),
    figure(probeAfter - probeBefore),
    `[${figure(low)}, ${figure(high)}]`,
    (seconds ?? 0).toFixed(0),
  ];
}
