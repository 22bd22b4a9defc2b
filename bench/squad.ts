// Questions on articles that training never saw: SQuAD 2.0 (Rajpurkar et al., 2018, https://arxiv.org/abs/1806.03822), answerable ones.
// Closed book, retrieval, LoRA and their chains, under token F1.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { wholeNumber } from "../src/cli/options.ts";
import { seededRandom } from "../src/util/random.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { compareTask, effortOf, scoreCells } from "./compare-task.ts";

/** Articles, and questions of each: 240 + 60 to learn from, 150 to test on. */
const sizes = {
  train: { articles: 8, questions: 30 },
  validation: { articles: 2, questions: 30 },
  test: { articles: 6, questions: 25 },
} as const;
const strategies = ["zero-shot", "rag-bm25", "lora", "lora > rag-bm25", "rag-bm25 > lora", "rag-bm25 > raft"];
const target = 0.4;

interface Article {
  readonly title: string;
  readonly paragraphs: readonly {
    readonly context: string;
    readonly qas: readonly {
      readonly id: string;
      readonly question: string;
      readonly is_impossible?: boolean;
      readonly answers: readonly SquadAnswer[];
    }[];
  }[];
}

interface SquadAnswer {
  readonly text: string;
  readonly answer_start: number;
}

export interface SquadQuestion {
  readonly id: string;
  readonly input: string;
  readonly output: string;
  readonly alternatives: readonly string[];
  /** Questions on one paragraph are not independent. */
  readonly group: string;
  readonly evidence: readonly { readonly document: string; readonly start: number; readonly end: number }[];
}

export interface SquadDraw {
  readonly sides: { readonly [S in keyof typeof sizes]: readonly SquadQuestion[] };
  /** Every paragraph of every article, by file name. */
  readonly documents: ReadonlyMap<string, string>;
}

/** `--seed <n>` draws other articles and questions; `--folder <path>` keeps the work and goes on with it; `--effort <level>` as in `sartor compare`. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const {
    seed: text = "0",
    folder,
    effort,
  } = readArguments(given, { seed: { type: "string" }, folder: { type: "string" }, effort: { type: "string" } });
  const seed = wholeNumber(text, "--seed");
  const draw = await drawSquad({ path: join(data, "squad2_cs224n", "dev-v2.0.json"), seed });
  const report = await compareTask({
    name: `squad-${seed}`,
    folder,
    effort: effortOf(effort),
    write: (path) => writeSquad({ path, draw, seed }),
  });
  const rows = report.candidates.toSorted((a, b) => b.score.value - a.score.value);
  console.log(
    `SQuAD 2.0, answerable, ${draw.sides.test.length} questions on unseen articles, ${draw.documents.size} paragraphs, seed ${seed}`,
  );
  printTable(
    ["strategy", "token F1", "95 %", "n", "errors"],
    rows.map((row) => [row.strategy, ...scoreCells(row)]),
  );
  const scoreOf = (strategy: string): number => rows.find((row) => row.strategy === strategy)?.score.value ?? Number.NaN;
  const [trainedOn, naive] = [scoreOf("rag-bm25 > lora"), scoreOf("lora > rag-bm25")];
  const met = trainedOn >= target && trainedOn > naive;
  console.log(`RAG > LoRA ${figure(trainedOn)}, target ${target} and above LoRA > RAG's ${figure(naive)}: ${met ? "met" : "missed"}`);
  if (json)
    console.log(
      JSON.stringify({
        bench: "squad",
        seed,
        target,
        met,
        strategies: rows.map(({ strategy, score, retrieval }) => ({ strategy, ...score, retrieval })),
      }),
    );
}

/** Articles stand on one side each; questions of an article in an order that the seed decides. */
export async function drawSquad({ path, seed }: { readonly path: string; readonly seed: number }): Promise<SquadDraw> {
  const random = seededRandom(`squad ${seed}`);
  const { data } = JSON.parse(await readFile(path, "utf8")) as { data: readonly Article[] };
  const articles = random.shuffle(data);
  const documents = new Map(
    data.flatMap((article) => article.paragraphs.map(({ context }, index) => [nameOf(article, index), context] as const)),
  );
  let used = 0;
  const take = ({ articles: count, questions }: { readonly articles: number; readonly questions: number }): readonly SquadQuestion[] => {
    const own = articles.slice(used, (used += count));
    return random.shuffle(own.flatMap((article) => random.shuffle(questionsOf(article)).slice(0, questions)));
  };
  return { sides: { train: take(sizes.train), validation: take(sizes.validation), test: take(sizes.test) }, documents };
}

function questionsOf(article: Article): readonly SquadQuestion[] {
  return article.paragraphs.flatMap(({ qas }, index) =>
    qas
      .filter(({ is_impossible: impossible }) => impossible !== true)
      .map(({ id, question, answers }) => {
        const { text, answer_start: start } = mostGiven(answers);
        const document = nameOf(article, index);
        const evidence = [{ document, start, end: start + text.length }];
        const alternatives = [...new Set(answers.map((answer) => answer.text))].filter((one) => one !== text);
        return { id, input: question.trim(), output: text, alternatives, group: document, evidence };
      }),
  );
}

/** What most annotators marked; the first of equals. What is learnt; the others count as well. */
function mostGiven(answers: readonly SquadAnswer[]): SquadAnswer {
  const votes = (answer: SquadAnswer): number => answers.filter(({ text }) => text === answer.text).length;
  return answers.reduce((best, answer) => (votes(answer) > votes(best) ? answer : best));
}

const nameOf = ({ title }: Article, index: number): string => `${title}/${title}-${String(index + 1).padStart(2, "0")}.txt`;

interface WriteSquad {
  readonly path: string;
  readonly draw: SquadDraw;
  readonly seed: number;
}

export async function writeSquad({ path, draw: { sides, documents }, seed }: WriteSquad): Promise<void> {
  for (const [name, text] of documents) {
    const file = join(path, "documents", name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const names = Object.keys(sides) as (keyof typeof sides)[];
  for (const name of names)
    await writeFile(join(path, `${name}.jsonl`), sides[name].map((question) => `${JSON.stringify(question)}\n`).join(""));
  const task = {
    name: "squad",
    instruction: "Answer the question with a few words from the text.",
    output: "text",
    examples: Object.fromEntries(names.map((name) => [name, `${name}.jsonl`])),
    documents: "documents",
    metrics: ["token-f1", "exact-match"],
    strategies,
    seed,
  };
  await writeFile(join(path, "sartor.yaml"), stringify(task));
}
