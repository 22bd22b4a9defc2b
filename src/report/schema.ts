// report.json: what a comparison found, as published. Times in seconds, bytes in bytes.
import { z } from "zod";

const count = z.number().int().nonnegative();
const text = z.string();
const figure = z.number();
/** Null where it was not measured or does not apply. */
const measured = figure.nullable();

const metricValues = z.record(text, figure.nullable());
const artefact = z.object({ path: text, bytes: count, sha256: text });

const candidate = z.object({
  id: text,
  strategy: text,
  kind: z.enum(["generate", "classify", "cascade", "route"]),
  parents: z.array(text),
  /** ineligible: it breaks a constraint, or too many of its rows are missing. */
  status: z.enum(["winner", "in the race", "beaten", "ineligible", "measured"]),
  model: text.nullable(),
  /** Of each step, by the step's name. */
  parameters: z.array(z.object({ step: text, seconds: figure, parameters: z.record(text, z.unknown()), note: text.optional() })),
  seed: figure,
  local: z.boolean(),
  score: z.object({ metric: text, value: figure, low: figure, high: figure, corrected: figure.optional(), n: count, errors: count }),
  metrics: metricValues,
  errorsByKind: z.record(text, count),
  latency: z.object({ p50: figure, p95: figure, n: count }),
  /** Mean of an answer. */
  tokens: z.object({ input: figure, output: figure }),
  cost: z.object({ per1k: figure, perPass: figure, unit: z.enum(["dollars", "machine-seconds"]) }),
  build: z.object({ seconds: figure, peakMemoryBytes: figure, labelledExamples: count }),
  inference: z.object({ peakMemoryBytes: measured }),
  update: z.object({ seconds: figure, how: text }),
  consistency: figure.optional(),
  retrieval: z.object({ recall: figure, ndcg: figure }).optional(),
  /** Score by number of training examples. */
  curve: z.array(z.object({ examples: count, score: figure })).optional(),
  /** Score of the same candidate built with other seeds; `score` above is the first. */
  repeats: z.array(z.object({ seed: figure, score: figure })).optional(),
  /** Loss by epoch, where weights were trained. */
  training: z.array(z.object({ epoch: count, trainLoss: figure, validationLoss: figure.nullable() })).optional(),
  forgetting: z
    .object({ lossBefore: figure, lossAfter: figure, probeBefore: figure, probeAfter: figure, low: figure, high: figure, n: count })
    .optional(),
  artefacts: z.array(artefact),
  /** What could not be measured and why; what a step had to say. */
  notes: z.array(text),
});

export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  runId: text,
  createdAt: text,
  task: z.object({ name: text, instruction: text, output: text, examples: count, documents: count, models: z.array(text) }),
  seed: figure,
  versions: z.record(text, text),
  machine: z.object({ platform: text, threads: count, memoryBytes: figure, speeds: z.record(text, figure) }),
  metric: z.object({ name: text, higherIsBetter: z.boolean() }),
  objective: z.enum(["cost", "latency", "update"]),
  tolerance: figure,
  constraints: z.record(text, z.union([figure, z.boolean()])),
  usage: z.object({ requestsPerMonth: figure, updatesPerMonth: figure, months: figure }),
  prices: z.object({ machineHour: figure.optional(), source: text }),
  split: z.object({
    train: count,
    validation: count,
    test: count,
    groups: count,
    hash: text,
    /** Of these, examples that were made from the documents; absent where none was. */
    synthetic: z.object({ train: count, validation: count, test: count }).optional(),
  }),
  /** How many runs have looked at the test examples, this one included. */
  testUses: count,
  notices: z.array(text),
  /** The other wordings behind `consistency`, in words; absent where it was not measured. */
  wordings: text.optional(),
  notRun: z.array(z.object({ strategy: text, reason: text })),
  candidates: z.array(candidate),
  /** Difference is a - b, with simultaneous bands over all pairs. */
  comparisons: z.array(z.object({ a: text, b: text, difference: figure, low: figure, high: figure, n: count, method: text })),
  recommendation: z.object({
    status: z.enum(["clear", "provisional", "none"]),
    winner: text.nullable(),
    stillInTheRace: z.array(text),
    beaten: z.array(text),
    reason: text,
    expectedRegret: measured,
    examplesNeeded: measured,
    rejected: z.array(
      z.object({ id: text, constraint: text, value: z.union([figure, z.boolean()]).nullable(), limit: z.union([figure, z.boolean()]) }),
    ),
  }),
});

export type Report = z.infer<typeof reportSchema>;
export type ReportCandidate = Report["candidates"][number];
