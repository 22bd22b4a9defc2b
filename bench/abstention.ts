// "The documents do not say": how well retrieval alone tells when not to answer. Half of SQuAD 2.0's questions (Rajpurkar et al. 2018) have
// no answer in the paragraph they were written for, one in five of the demo's has none in its handbook.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTask } from "../src/data/read-task.ts";
import { documentReader } from "../src/document/read-all.ts";
import type { Passage } from "../src/evaluation.ts";
import { metricNames } from "../src/metric/metrics.ts";
import { foundAt } from "../src/metric/evidence.ts";
import { rarity } from "../src/metric/support.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { openIndexWriter } from "../src/retriever/index-writer.ts";
import { openIndex } from "../src/retriever/open-index.ts";
import { documentKey } from "../src/retriever/passages.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import type { Document, Evidence } from "../src/task.ts";
import { groupBy } from "../src/util/group-by.ts";
import { seededRandom } from "../src/util/random.ts";
import { areaUnderRoc, groupBootstrap, type Interval, intervalText } from "./agreement.ts";
import { fitLogistic } from "./abstention/logistic.ts";
import { areaUnderRiskCoverage, bestThreshold, type Decision, rightDecisions } from "./abstention/risk-coverage.ts";
import { type SignalName, signalNames, type Signals, signalsOf } from "./abstention/signals.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { wholeNumber } from "../src/cli/options.ts";

interface Question {
  readonly id: string;
  readonly text: string;
  /** Questions of one group are about the same thing, and stand in one half. */
  readonly group: string;
  /** Where the answer stands; nowhere for a question without one. */
  readonly evidence: readonly Evidence[];
}

interface Collection {
  readonly name: string;
  readonly documents: readonly Document[];
  readonly questions: readonly Question[];
  readonly chunk: { readonly words: number; readonly overlap: number };
}

interface Row extends Question {
  readonly signals: Signals;
  /** The first passage by convex holds the answer: an answer read from it can be right. */
  readonly found: boolean;
}

/** Learnt from several signals. */
const combinations = {
  "all of them, logistic": signalNames,
  "four of them, logistic": ["BM25", "cosine", "convex, margin to the second", "question's words in one sentence"],
} as const satisfies { readonly [name: string]: readonly SignalName[] };
type Combination = keyof typeof combinations;
type Confidence = SignalName | Combination;
const isCombination = (name: Confidence): name is Combination => name in combinations;

/** `--questions <n>` takes so many of SQuAD's, spread over its articles; `--kept <folder>` is where indexes are kept, as of `bench -- retrieval`. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const options = readArguments(given, { questions: { type: "string" }, kept: { type: "string" } });
  const kept = options.kept ?? join(defaultModelsFolder(process.env), "..", "bench", "retrieval");
  const most = options.questions === undefined ? Number.POSITIVE_INFINITY : wholeNumber(options.questions, "--questions");
  const results = [];
  for (const collection of [await squad(join(data, "squad2_cs224n", "dev-v2.0.json"), most), await demo()]) {
    const rows = await measured(collection, join(kept, collection.name));
    results.push({ name: collection.name, ...print(collection.name, rows) });
  }
  if (json) console.log(JSON.stringify({ bench: "abstention", results }));
}

interface Squad {
  readonly data: readonly {
    readonly title: string;
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly {
        readonly id: string;
        readonly question: string;
        readonly is_impossible: boolean;
        readonly answers: readonly { readonly text: string; readonly answer_start: number }[];
      }[];
    }[];
  }[];
}

/** Paragraphs as documents, numbered as in `bench -- retrieval`. */
async function squad(path: string, most: number): Promise<Collection> {
  const { data } = JSON.parse(await readFile(path, "utf8")) as Squad;
  const paragraphs = data.flatMap(({ title, paragraphs: own }) => own.map((paragraph) => ({ title, ...paragraph })));
  const questions = paragraphs.flatMap(({ title, qas }, index) =>
    qas.map(({ id, question, answers }): Question => {
      const evidence = answers
        .slice(0, 1)
        .map(({ text, answer_start: start }) => ({ document: String(index), start, end: start + text.length }));
      return { id, text: question.trim(), group: title, evidence };
    }),
  );
  const drawn = questions.length <= most ? questions : seededRandom("abstention").shuffle(questions).slice(0, most);
  return {
    name: "squad2_cs224n",
    documents: paragraphs.map(({ context }, index) => ({ id: String(index), title: "", text: context, sha256: "" })),
    questions: drawn,
    chunk: { words: 1_000_000, overlap: 0 },
  };
}

/** The demo's task, its passages cut as its candidates cut them. */
async function demo(): Promise<Collection> {
  const path = fileURLToPath(new URL("../examples/questions", import.meta.url));
  const { task } = await readTask({ path, metricNames, readDocuments: documentReader({ secret: () => undefined }) });
  return {
    name: "demo questions",
    documents: task.documents,
    questions: task.examples.map(({ id, input, evidence = [] }) => ({ id, text: input, group: evidence[0]?.document ?? id, evidence })),
    chunk: { words: 80, overlap: 16 },
  };
}

async function measured({ documents, questions, chunk }: Collection, folder: string): Promise<Row[]> {
  const extra = process.env["SARTOR_MODELS"];
  await using runtime = startRuntime({ threads: 1 });
  const modelsFolder = defaultModelsFolder(process.env);
  await using model = await openEmbeddingModel({
    name: "all-minilm-l6-v2",
    modelsFolder,
    runtime,
    extraFolders: extra === undefined ? [] : [extra],
  });
  await fill({ documents, chunk, folder, embedding: { name: model.id, model } });
  await using index = await openIndex({ folder, openEmbedding: async () => model });
  const weight = rarity(documents.map(({ text }) => text));
  const vectors = new Map<string, Float32Array>();
  const embed = async (text: string): Promise<Float32Array> => {
    const vector = vectors.get(text) ?? (await model.embed([text]))[0]!;
    vectors.set(text, vector);
    return vector;
  };
  const rows: Row[] = [];
  for (const question of questions) {
    const { signals, passages } = await signalsOf({ question: question.text, index, weight, embed });
    rows.push({ ...question, signals, found: holds(passages[0], question.evidence) });
  }
  return rows;
}

const holds = (passage: Passage | undefined, evidence: readonly Evidence[]): boolean =>
  passage !== undefined && evidence.some((one) => foundAt(one, [passage]) !== undefined);

interface Fill extends Pick<Collection, "documents" | "chunk"> {
  readonly folder: string;
  readonly embedding: NonNullable<Parameters<typeof openIndexWriter>[0]["embedding"]>;
}

async function fill({ documents, chunk, folder, embedding }: Fill): Promise<void> {
  await using writer = await openIndexWriter({ folder, chunk, embedding });
  const fresh = documents.filter((document) => writer.entry(document.id)?.key !== documentKey(document));
  for (const document of fresh) await writer.put(document);
  if (fresh.length > 0) await writer.commit({ sources: { folder: ".", paths: [] } });
}

/** Groups in two halves, every second one in each. */
function halves(rows: readonly Row[]): readonly [readonly (readonly Row[])[], readonly (readonly Row[])[]] {
  const groups = [...groupBy(seededRandom("halves").shuffle(rows), ({ group }) => group).values()];
  return [groups.filter((_, at) => at % 2 === 0), groups.filter((_, at) => at % 2 === 1)];
}

/** How sure one way is of a row; what is learnt, from the other half. */
function confidenceBy(name: Confidence, other: readonly Row[]): (row: Row) => number {
  if (!isCombination(name)) return ({ signals }) => signals[name];
  const featuresOf = ({ signals }: Row): number[] => combinations[name].map((one) => signals[one]);
  const learnt = fitLogistic(
    other.map(featuresOf),
    other.map(({ found }) => found),
  );
  return (row) => learnt(featuresOf(row));
}

interface Judged extends Row, Decision {
  /** Under the threshold that was best on the other half. */
  readonly right: boolean;
}

/** Each half under what was learnt and chosen on the other. */
function judgedBy(name: Confidence, [first, second]: ReturnType<typeof halves>): Judged[][] {
  return [
    [first, second],
    [second, first],
  ].flatMap(([own, other]) => {
    const rows = other!.flat();
    const confidence = confidenceBy(name, rows);
    const decide = (row: Row): Decision => ({ confidence: confidence(row), wrong: !row.found });
    const threshold = bestThreshold(rows.map(decide));
    return own!.map((group) =>
      group.map((row) => {
        const decision = decide(row);
        return { ...row, ...decision, right: rightDecisions([decision], threshold) === 1 };
      }),
    );
  });
}

function print(name: string, rows: readonly Row[]) {
  const parts = halves(rows);
  const answerable = rows.filter(({ evidence }) => evidence.length > 0).length;
  const always = rows.filter(({ found }) => !found).length / rows.length;
  console.log(
    `\n${name}: ${rows.length} questions, ${answerable} with an answer, the first passage holds it for ${rows.length - Math.round(always * rows.length)}. Always answering is wrong in ${figure(always)}.`,
  );
  const ways: readonly Confidence[] = [...signalNames, ...(Object.keys(combinations) as Combination[])];
  const table = ways.map((confidence) => {
    const groups = judgedBy(confidence, parts);
    const random = seededRandom(`abstention ${name}`);
    const interval = (statistic: (judged: readonly Judged[]) => number): Interval =>
      groupBootstrap({ groups, statistic, random, samples: 300 });
    return {
      confidence,
      auc: interval((judged) =>
        areaUnderRoc(
          judged.map((one) => one.confidence),
          judged.map(({ evidence }) => evidence.length > 0),
        ),
      ),
      area: interval(areaUnderRiskCoverage),
      gain: interval((judged) => judged.filter(({ wrong }) => wrong).length / judged.length - areaUnderRiskCoverage(judged)),
      right: interval((judged) => judged.filter(({ right }) => right).length / judged.length),
    };
  });
  printTable(
    ["confidence", "answerable or not, AUC", "area under risk-coverage", "below always answering", "right decisions"],
    table.map(({ confidence, auc, area, gain, right }) => [confidence, ...[auc, area, gain, right].map(intervalText)]),
  );
  return { questions: rows.length, answerable, always, table };
}
