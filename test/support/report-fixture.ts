// A report and its evaluations as a run leaves them, seeded: questions about a bicycle hire, twelve candidates unless told otherwise.
import type { Evaluation, Passage, Row, RowError } from "../../src/evaluation.ts";
import type { Report, ReportCandidate } from "../../src/report/schema.ts";
import { type Random, seededRandom } from "../../src/util/random.ts";

export interface ReportFixtureOptions {
  readonly seed?: number;
  readonly candidates?: number;
  readonly examples?: number;
  readonly status?: Report["recommendation"]["status"];
  readonly unit?: "dollars" | "machine-seconds";
  readonly models?: readonly string[];
  /** Put into inputs, outputs, names, reasons, notices: text that must stay text. */
  readonly hostile?: string;
}

export interface ReportFixture {
  readonly report: Report;
  readonly evaluations: readonly Evaluation[];
}

interface Kind {
  readonly strategy: string;
  readonly kind: ReportCandidate["kind"];
  /** Probability of a right answer. */
  readonly skill: number;
  readonly p50: number;
  readonly build: number;
  readonly trained?: boolean;
  readonly retrieves?: boolean;
  readonly labels?: number;
}

const kinds: readonly Kind[] = [
  { strategy: "zero-shot", kind: "generate", skill: 0.06, p50: 0.34, build: 0 },
  { strategy: "tf-idf-linear", kind: "classify", skill: 0.19, p50: 0.0004, build: 0.6, labels: 152 },
  { strategy: "nearest-example", kind: "classify", skill: 0.23, p50: 0.0007, build: 0.1, labels: 152 },
  { strategy: "best-passage", kind: "classify", skill: 0.31, p50: 0.002, build: 0.3, retrieves: true },
  { strategy: "few-shot", kind: "generate", skill: 0.2, p50: 0.41, build: 0.2, labels: 4 },
  { strategy: "rag-bm25", kind: "generate", skill: 0.44, p50: 1.1, build: 0.4, retrieves: true },
  { strategy: "lora", kind: "generate", skill: 0.25, p50: 0.33, build: 214, trained: true, labels: 152 },
  { strategy: "knn-few-shot", kind: "generate", skill: 0.28, p50: 0.46, build: 0.3, labels: 152 },
  { strategy: "pretrain", kind: "generate", skill: 0.11, p50: 0.05, build: 182, trained: true, labels: 152 },
  { strategy: "rag-bm25 > lora", kind: "generate", skill: 0.63, p50: 1.12, build: 655, trained: true, retrieves: true, labels: 152 },
  {
    strategy: "rag-bm25 > tune-text > closed-book > prompt",
    kind: "generate",
    skill: 0.16,
    p50: 0.38,
    build: 431,
    trained: true,
    labels: 152,
  },
  { strategy: "cascade", kind: "cascade", skill: 0.52, p50: 0.62, build: 12, retrieves: true, labels: 152 },
  { strategy: "prompt", kind: "generate", skill: 0.22, p50: 0.4, build: 96, labels: 152 },
  { strategy: "lora > rag-bm25", kind: "generate", skill: 0.41, p50: 1.1, build: 215, trained: true, retrieves: true, labels: 152 },
  { strategy: "rag-hybrid", kind: "generate", skill: 0.47, p50: 1.2, build: 22, retrieves: true },
  { strategy: "rag-dense", kind: "generate", skill: 0.43, p50: 1.18, build: 21, retrieves: true },
  { strategy: "rag-tf-idf", kind: "generate", skill: 0.42, p50: 1.1, build: 0.4, retrieves: true },
  { strategy: "rag-bm25 > raft", kind: "generate", skill: 0.6, p50: 1.13, build: 702, trained: true, retrieves: true, labels: 152 },
  { strategy: "full", kind: "generate", skill: 0.24, p50: 0.33, build: 388, trained: true, labels: 152 },
  { strategy: "rag-bm25 > summarise", kind: "generate", skill: 0.34, p50: 2.6, build: 0.5, retrieves: true },
  { strategy: "prompt > lora > prompt", kind: "generate", skill: 0.27, p50: 0.36, build: 404, trained: true, labels: 152 },
  {
    strategy: "rag-bm25 > tune-text > prompt",
    kind: "generate",
    skill: 0.46,
    p50: 1.15,
    build: 440,
    trained: true,
    retrieves: true,
    labels: 152,
  },
  { strategy: "route", kind: "route", skill: 0.5, p50: 0.7, build: 3, retrieves: true, labels: 152 },
  { strategy: "rag-convex", kind: "generate", skill: 0.48, p50: 1.19, build: 22, retrieves: true },
  { strategy: "rag-hybrid > lora", kind: "generate", skill: 0.61, p50: 1.21, build: 690, trained: true, retrieves: true, labels: 152 },
];

const silent = "The handbook does not say.";
const questions: readonly (readonly [input: string, expected: string])[] = [
  ["how long to charge a heron battery from flat", "4 hours 15 minutes"],
  ["We want just one Drover. How many monthly payments is the deposit?", "two monthly payments"],
  ["who do I ring after 1 am if the chain has gone", "Brackett Brothers"],
  ["what is the turning circle of an otter? trying to work out if it gets round our yard", silent],
  ["Can my 6 year old ride on the back of the Badger?", "up to 22 kg, in the rear seat"],
  ["whats the fee when a bike comes back two days late", "18 a day"],
  ["Is theft covered if it was only locked to itself?", "no"],
  ["what does E14 on the display mean", "brake sensor unplugged"],
  ["how cold is too cold to charge it", "below 3 \u00b0C"],
  ["Which depot opens on Sundays?", "Thorne Bassett"],
  ["do you sell gift vouchers", silent],
  ["How many full charges does a battery last, roughly?", "700"],
  ["in what year was the firm founded, and by whom", "2011, by two brothers"],
  ["minimum age for hiring the Drover please", "21"],
  ["What tyre pressure do the otters want?", "3.5 bar"],
  ["is there a discount for nurses", silent],
  ["My invoice shows a cleaning charge of 25, why?", "returned with mud in the drivetrain"],
  ["can i take a wren on the train to coldharbour", "yes, folded, outside rush hours"],
];
const openings = ["", "hi, ", "Quick one: ", "Sorry to ask again, ", "for my mum: ", "hello! "];
const wrongs = [
  "3 hours",
  "yes",
  "The handbook says that it depends on the plan.",
  "Pellwick",
  "one monthly payment",
  "B7",
  silent,
  "Ask at the depot.",
];

const passages: readonly Passage[] = [
  {
    document: "batteries.md",
    title: "Batteries",
    start: 74,
    end: 402,
    score: 7.31,
    text: "| Battery | Bikes | Capacity | Empty to full | Weight |\n| B5 | Heron, Otter | 540 Wh | 4 hours 15 minutes | 2.8 kg |",
  },
  {
    document: "business-fleets.md",
    title: "Business fleets",
    start: 566,
    end: 909,
    score: 5.02,
    text: "Deposits: two monthly payments for a Skiff, one for a Barge. A firm with a single Drover signs a Skiff.",
  },
  {
    document: "breakdowns.html",
    title: "Breakdowns",
    start: 2385,
    end: 2449,
    score: 3.4,
    text: "After 1 am the line goes to Brackett Brothers, who are cheerful but know nothing about bikes.",
  },
];

interface Drawn {
  readonly kind: Kind;
  readonly id: string;
  readonly model: string | null;
  readonly values: readonly number[];
}

/** Everything from the seed: the same options give the same report. */
export function reportFixture(options: ReportFixtureOptions = {}): ReportFixture {
  const { seed = 0, candidates: size = 12, examples = 100, models = ["smollm2-135m-instruct"] } = options;
  const random = seededRandom(`report fixture ${seed}`);
  const orders = models.flatMap((model) => kinds.map((kind) => ({ kind, model }))).slice(0, size);
  const difficulty = Array.from({ length: examples }, () => random.next());
  const drawn = orders.map(({ kind, model }): Drawn => {
    const values = difficulty.map((hard) => valueOf(0.35 * hard + 0.65 * random.next(), kind.skill, random));
    return { kind, id: `${kind.strategy.replaceAll(" > ", "--")}--${model}`, model: kind.kind === "generate" ? model : null, values };
  });
  const evaluations = drawn.map((one) => evaluationOf(one, random, options));
  const report = reportOf(drawn, evaluations, random, options);
  return { report, evaluations };
}

const valueOf = (draw: number, skill: number, random: Random): number => {
  if (draw < skill) return 1;
  return random.next() < 0.15 ? Math.round(random.next() * 60) / 100 : 0;
};

function evaluationOf({ id, kind, values }: Drawn, random: Random, { hostile = "" }: ReportFixtureOptions): Evaluation {
  const rows = values.map((value, index): Row => {
    const [question, expected] = questions[index % questions.length]!;
    const input = `${openings[Math.floor(index / questions.length) % openings.length]}${question}${hostile}`;
    const failed = kind.strategy === "pretrain" && random.next() < 0.04;
    const output = failed ? "" : value === 1 ? expected : wrongs[random.integer(wrongs.length)]!;
    const error: RowError = { fault: "candidate", kind: "empty", message: `The answer was empty${hostile}` };
    const retrieved = kind.retrieves === true ? passages : [];
    return {
      id: `q${String(index + 1).padStart(3, "0")}`,
      group: `q${index + 1}`,
      input,
      expected,
      output: `${output}${hostile}`,
      passages: retrieved.map((passage) => ({ ...passage, text: passage.text + hostile })),
      prompt: [
        "Answer the question from the Pellwick handbook in a few words.",
        ...retrieved.map(({ text }) => text),
        `Question: ${input}`,
        "Answer:",
      ].join("\n"),
      tokens: { input: 20 + 110 * retrieved.length, output: 6 },
      seconds: kind.p50 * (0.8 + 0.4 * random.next()),
      confidence: Math.min(1, 0.3 + 0.6 * value + 0.1 * random.next()),
      ...(failed ? { error } : {}),
      scores: { "token-f1": { value: failed ? 0 : value, statistics: [failed ? 0 : value] } },
      reason: value === 1 ? "all words match" : "no word in common",
    };
  });
  return { candidate: id, set: "test", rows };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const error = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) / Math.max(1, values.length));
};

type Statuses = Report["recommendation"] & { readonly of: (id: string) => ReportCandidate["status"] };

function recommend(drawn: readonly Drawn[], { status = "clear" }: ReportFixtureOptions): Statuses {
  const byScore = drawn.toSorted((a, b) => mean(b.values) - mean(a.values));
  const winner = byScore[0]!;
  const slow = drawn.find(({ kind }) => kind.p50 > 1.19);
  const near = byScore.filter((one) => mean(one.values) > mean(winner.values) - (status === "clear" ? 0.02 : 0.14) && one !== slow);
  const race = status === "none" ? [] : near.map(({ id }) => id).filter((id) => id !== winner.id);
  const beaten = drawn.filter((one) => status !== "none" && one !== winner && !race.includes(one.id) && one !== slow).map(({ id }) => id);
  const reasons = {
    clear: `${winner.id} is surely better than every other candidate on 100 test examples: token-f1 0.699 (0.612 to 0.787) at $0.18 a month.`,
    provisional: `No clear winner: on 100 test examples another candidate may be better than ${winner.id} by up to 0.156, and only 0.050 may be given up. Provisionally ${winner.id}, the cheapest whose expected loss against the best (0.018) is at most that much above the smallest: token-f1 0.728 (0.642 to 0.814) at $0.19 a month. Still in the race: ${race.join(", ")}. About 420 test examples would tell.`,
    none: "24 test examples can't tell candidates apart: 30 are the least for a recommendation.",
  };
  return {
    status,
    winner: status === "none" ? null : winner.id,
    stillInTheRace: race,
    beaten,
    reason: reasons[status],
    expectedRegret: status === "provisional" ? 0.018 : null,
    examplesNeeded: status === "provisional" ? 420 : null,
    rejected: slow === undefined ? [] : [{ id: slow.id, constraint: "p95", value: 2.31, limit: 2 }],
    of: (id) =>
      status === "none"
        ? "measured"
        : id === winner.id
          ? "winner"
          : id === slow?.id
            ? "ineligible"
            : race.includes(id)
              ? "in the race"
              : "beaten",
  };
}

function candidateOf(
  drawn: Drawn,
  {
    status,
    errors,
    unit,
    random,
    hostile,
  }: { status: ReportCandidate["status"]; errors: number; unit: "dollars" | "machine-seconds"; random: Random; hostile: string },
): ReportCandidate {
  const { kind, id, model, values } = drawn;
  const [value, spread] = [mean(values), 1.96 * error(values)];
  const per1k = unit === "dollars" ? (kind.p50 * 1000 * 0.05) / 3600 : kind.p50 * 1000;
  const size = kind.kind === "classify" ? 41e6 : 412e6 + 90e6 * random.next();
  return {
    id,
    strategy: `${kind.strategy}${hostile}`,
    kind: kind.kind,
    parents: kind.kind === "cascade" || kind.kind === "route" ? ["few-shot", "rag-bm25"] : [],
    status,
    model,
    parameters: kind.strategy.split(" > ").map((step) => ({
      step,
      seconds: kind.build / kind.strategy.split(" > ").length,
      parameters: kind.trained === true ? { rank: 8, epochs: 6, learningRate: 2e-4 } : { topK: 3 },
    })),
    seed: 0,
    local: true,
    score: {
      metric: "token-f1",
      value,
      low: Math.max(0, value - spread),
      high: Math.min(1, value + spread),
      ...(status === "winner" ? { corrected: value - 0.021 } : {}),
      n: values.length,
      errors,
    },
    metrics: { "exact-match": mean(values.map((one) => (one === 1 ? 1 : 0))), ...(kind.retrieves === true ? { "citation-f1": 0.41 } : {}) },
    errorsByKind: errors > 0 ? { empty: errors } : {},
    latency: { p50: kind.p50, p95: kind.p50 * 1.9, n: 50 },
    tokens: { input: kind.kind === "classify" ? 0 : 24 + (kind.retrieves === true ? 330 : 0), output: kind.kind === "classify" ? 0 : 7.4 },
    cost: { per1k, perPass: (per1k * values.length) / 1000, unit },
    build: { seconds: kind.build, peakMemoryBytes: kind.trained === true ? 1.9e9 : 520e6, labelledExamples: kind.labels ?? 0 },
    inference: { peakMemoryBytes: kind.kind === "route" ? null : size },
    update:
      kind.retrieves === true
        ? { seconds: 0.013, how: "upsert: one document into the index, used by the next answer" }
        : { seconds: kind.build, how: "rebuild" },
    consistency: 0.55 + 0.4 * random.next(),
    ...(kind.retrieves === true ? { retrieval: { recall: 0.78, ndcg: 0.69 } } : {}),
    ...learning(drawn, status, value),
    artefacts: kind.trained === true ? [{ path: `candidates/${id}/adapter.gguf`, bytes: 2_415_616, sha256: "7f".repeat(32) }] : [],
    notes: kind.strategy === "prompt" ? [`The search found nothing better than the instruction given.${hostile}`] : [],
  };
}

function learning({ kind }: Drawn, status: ReportCandidate["status"], value: number): Partial<ReportCandidate> {
  const racing = status === "winner" || status === "in the race";
  const curve = [
    [38, 0.68],
    [76, 0.87],
    [152, 1],
  ].map(([examples, part]) => ({ examples: examples!, score: value * part! }));
  const training = [2.41, 1.52, 1.1, 0.86, 0.71, 0.63].map((loss, index) => ({
    epoch: index + 1,
    trainLoss: loss * (2 - kind.skill),
    validationLoss: 1.1 + 1.2 * Math.abs(index - 3.2) ** 1.3 * 0.14 + 1 - kind.skill,
  }));
  const chat = kind.trained === true && kind.strategy !== "pretrain";
  return {
    ...(racing && (kind.labels ?? 0) > 0 ? { curve } : {}),
    ...(kind.trained === true ? { training } : {}),
    ...(chat
      ? {
          forgetting: {
            lossBefore: 0.82,
            lossAfter: 0.82 + 0.09 * kind.skill,
            probeBefore: 0.34,
            probeAfter: 0.34 - 0.05 * kind.skill,
            low: -0.05 * kind.skill - 0.04,
            high: -0.05 * kind.skill + 0.04,
            n: 150,
          },
        }
      : {}),
  };
}

function reportOf(drawn: readonly Drawn[], evaluations: readonly Evaluation[], random: Random, options: ReportFixtureOptions): Report {
  const { hostile = "", unit = "dollars", models = ["smollm2-135m-instruct"], seed = 0, examples = 100 } = options;
  const { of, ...recommendation } = recommend(drawn, options);
  const errorsOf = (index: number): number => evaluations[index]?.rows.filter((row) => row.error !== undefined).length ?? 0;
  const comparisons = drawn.flatMap((a, index) =>
    drawn.slice(index + 1).map((b) => {
      const pairs = a.values.map((value, row) => value - b.values[row]!);
      const [middle, spread] = [mean(pairs), 3.1 * error(pairs)];
      return {
        a: a.id,
        b: b.id,
        difference: middle,
        low: middle - spread,
        high: middle + spread,
        n: pairs.length,
        method: "max-t bootstrap",
      };
    }),
  );
  return {
    schemaVersion: 1,
    runId: "2026-11-01-10-12-44-3f9a",
    createdAt: "2026-11-01T10:12:44.000Z",
    task: {
      name: `questions${hostile}`,
      instruction: `Answer the question from the Pellwick handbook in a few words.${hostile}`,
      output: "text",
      examples: 304,
      documents: 30,
      models: [...models],
    },
    seed,
    versions: { sartor: "0.1.0", node: "20.20.0", "node-llama-cpp": "3.22.1", "onnxruntime-node": "1.30.0" },
    machine: {
      platform: "linux x64",
      threads: 2,
      memoryBytes: 25_769_803_776,
      speeds: { "tokens read a second": 1080, "tokens written a second": 50 },
    },
    metric: { name: "token-f1", higherIsBetter: true },
    objective: "cost",
    tolerance: 0.05,
    constraints: { p95: 2, local: true },
    usage: { requestsPerMonth: 10_000, updatesPerMonth: 4, months: 12 },
    prices: unit === "dollars" ? { machineHour: 0.05, source: "the task" } : { source: "none stated" },
    split: {
      train: 152,
      validation: 52,
      test: options.status === "none" ? 24 : examples,
      groups: examples,
      hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8",
    },
    testUses: 3,
    wordings: "other wordings given with the examples",
    notices: [`7 examples are near-duplicates of others and were kept on one side of the split.${hostile}`],
    notRun: [
      {
        strategy: "rag-dense",
        reason: `The embedding model all-minilm-l6-v2 is not on this machine. Fetch it with: sartor models fetch all-minilm-l6-v2${hostile}`,
      },
      { strategy: "full", reason: "It needs about 26 min; 3 min of the budget were left." },
      { strategy: "route", reason: "It needs about 4 min; 3 min of the budget were left." },
    ],
    candidates: drawn.map((one, index) => candidateOf(one, { status: of(one.id), errors: errorsOf(index), unit, random, hostile })),
    comparisons,
    recommendation: { ...recommendation, reason: `${recommendation.reason}${hostile}` },
  };
}
