// How far local metrics of faithfulness agree with people, beside large models that judged the same answers. The form is chosen on half of
// the conversations and measured on the other.
import { join } from "node:path";
import { messageOf } from "../src/errors.ts";
import { createMetric } from "../src/metric/metrics.ts";
import { rarity } from "../src/metric/support.ts";
import { defaultModelsFolder } from "../src/model/model-files.ts";
import { openEmbeddingModel } from "../src/retriever/embed.ts";
import { startRuntime } from "../src/runtime/runtime.ts";
import { groupBy } from "../src/util/group-by.ts";
import { seededRandom } from "../src/util/random.ts";
import { areaUnderRoc, groupBootstrap, type Interval, intervalText, spearman } from "./agreement.ts";
import { type BenchOptions, figure, printTable } from "./bench.ts";
import { featuresOf, type Form, forms, type SentenceFeatures, textsOf, type VectorOf } from "./faithfulness/forms.ts";
import { judgeNames, type Rated, type RatingName, readRated } from "./faithfulness/rated.ts";

interface Row extends Rated {
  readonly features: readonly SentenceFeatures[];
  /** By the metric that tasks can name. */
  readonly metric: number;
}

type Score = (row: Row) => number;

export async function run({ json, data }: BenchOptions & { readonly data: string }): Promise<void> {
  const { rated, documents } = await readRated(join(data, "mtrag", "human_evaluated_subset.json"));
  const vectorOf = await embedded(rated);
  const weight = rarity(documents);
  const rows = rated.map((one): Row => ({ ...one, features: featuresOf(one, weight, vectorOf), metric: byMetric(one) }));
  const conversations = [...groupBy(rows, ({ conversation }) => conversation).values()];
  const tuning = conversations.filter((_, at) => at % 2 === 0);
  const held = conversations.filter((_, at) => at % 2 === 1);
  console.log(
    `${rows.length} rated answers; ${tuning.flat().length} of ${tuning.length} conversations to choose on, ${held.flat().length} of ${held.length} to measure on\n`,
  );
  const tried = forms.map((form) => ({ form, agreement: agreementOf(tuning.flat(), ({ features }) => form.score(features)) }));
  const [best] = tried.toSorted((a, b) => b.agreement - a.agreement);
  printTried(tried);
  const measured = measure(held, best!.form);
  printMeasured(measured);
  if (json)
    console.log(
      JSON.stringify({
        bench: "faithfulness",
        chosen: best!.form.name,
        tried: tried.map(({ form: { name }, agreement }) => ({ name, agreement })),
        measured,
      }),
    );
}

/** Every sentence of answers and passages, embedded once. */
async function embedded(rated: readonly Rated[]): Promise<VectorOf> {
  const extra = process.env["SARTOR_MODELS"];
  await using runtime = startRuntime({ threads: 1 });
  const modelsFolder = defaultModelsFolder(process.env);
  try {
    await using model = await openEmbeddingModel({
      name: "all-minilm-l6-v2",
      modelsFolder,
      runtime,
      extraFolders: extra === undefined ? [] : [extra],
    });
    const texts = [...new Set(rated.flatMap((one) => [one.question, one.answer, ...textsOf(one)]))];
    const vectors = await model.embed(texts);
    const byText = new Map(texts.map((text, at) => [text, vectors[at]!]));
    return (text) => byText.get(text)!;
  } catch (error) {
    console.log(`without embeddings: ${messageOf(error)}`);
    return () => new Float32Array(1);
  }
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const ratingOf = (row: Rated, name: RatingName = "faithfulness"): number => average(row.ratings[name]);
/** "Mostly yes" on average. */
const faithful = (row: Rated): boolean => ratingOf(row) >= 3;

function agreementOf(rows: readonly Row[], score: Score, name?: RatingName): number {
  const known = rows.filter((row) => !Number.isNaN(score(row)));
  return spearman(
    known.map(score),
    known.map((row) => ratingOf(row, name)),
  );
}

function aucOf(rows: readonly Row[], score: Score): number {
  const known = rows.filter((row) => !Number.isNaN(score(row)));
  return areaUnderRoc(known.map(score), known.map(faithful));
}

const metric = createMetric("faithfulness", { output: { kind: "text" } });

/** An answer that claims nothing can't be unfaithful. */
function byMetric({ answer, passages, question }: Rated): number {
  const shown = passages.map((passage) => ({ ...passage, document: "", start: 0, end: 0, score: 0 }));
  const statistics = metric.statistics({ example: { id: "", input: question, output: "" }, output: answer, passages: shown });
  return statistics[1] === 0 ? 1 : metric.value(statistics, 1);
}

interface Measured {
  readonly name: string;
  readonly spearman: Interval;
  readonly auc: Interval;
  /** How much less the chosen form agrees than this. */
  readonly difference?: Interval;
}

function measure(groups: readonly (readonly Row[])[], chosen: Form): readonly Measured[] {
  const random = seededRandom("faithfulness");
  const interval = (statistic: (rows: readonly Row[]) => number): Interval => groupBootstrap({ groups, statistic, random });
  const scores = new Map(groups.flat().map((row) => [row, chosen.score(row.features)]));
  const chosenScore: Score = (row) => scores.get(row)!;
  const one = (name: string, score: Score): Measured => ({
    name,
    spearman: interval((rows) => agreementOf(rows, score)),
    auc: interval((rows) => aucOf(rows, score)),
    difference: interval((rows) => agreementOf(rows, chosenScore) - agreementOf(rows, score)),
  });
  return [
    one(`chosen: ${chosen.name}`, chosenScore),
    one("the metric faithfulness", ({ metric }) => metric),
    ...Object.entries(judgeNames).map(([key, name]) => one(name, ({ judges }) => judges[key as keyof typeof judgeNames])),
    { name: "one person against the other two", ...people(interval) },
  ];
}

/** What a metric can reach at most, about. */
function people(interval: (statistic: (rows: readonly Row[]) => number) => Interval): Pick<Measured, "spearman" | "auc"> {
  const pairs = (rows: readonly Row[]) =>
    rows.flatMap(({ ratings: { faithfulness } }) =>
      faithfulness.map((rating, at) => ({ rating, others: average(faithfulness.filter((_, other) => other !== at)) })),
    );
  const ratings = (rows: readonly Row[]): readonly number[] => pairs(rows).map(({ rating }) => rating);
  return {
    spearman: interval((rows) =>
      spearman(
        ratings(rows),
        pairs(rows).map(({ others }) => others),
      ),
    ),
    auc: interval((rows) =>
      areaUnderRoc(
        ratings(rows),
        pairs(rows).map(({ others }) => others >= 3),
      ),
    ),
  };
}

function printTried(tried: readonly { readonly form: Form; readonly agreement: number }[]): void {
  console.log("forms tried, the ten best and plain ones: rank correlation with people on the conversations to choose on");
  const ordered = tried.toSorted((a, b) => b.agreement - a.agreement);
  const shown = ordered.filter(({ form: { name } }, at) => at < 10 || name.endsWith(", mean by length"));
  printTable(
    ["form", "Spearman"],
    shown.map(({ form: { name }, agreement }) => [name, figure(agreement)]),
  );
}

function printMeasured(measured: readonly Measured[]): void {
  console.log("\non the other conversations, with 95 % intervals over conversations");
  printTable(
    ["", "Spearman", "faithful or not, AUC", "chosen less this"],
    measured.map(({ name, spearman: rank, auc, difference }) => [
      name,
      intervalText(rank),
      intervalText(auc),
      difference === undefined ? "" : intervalText(difference),
    ]),
  );
}
