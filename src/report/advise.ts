// How to choose here: eight considerations, one row a family of techniques, filled with what this report measured. Nothing is guessed.
import { families, type Family, familyOf } from "./families.ts";
import { bytes, cost, counted, difference, interval, score, seconds, share } from "../util/figures.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { figuresSentence, headline, metricName, nameOf, ranked, reasonText, statusWords, syntheticText } from "./view.ts";

export const considerations = {
  skill: "What must one know to make it and keep it?",
  resources: "What does it take to build and to answer?",
  customisation: "How far does it move the model towards the task?",
  data: "How many labelled examples, and what do more of them bring?",
  "update frequency": "How soon does an answer use a new document or example?",
  quality: "How good are its answers on examples it never saw?",
  "use cases": "What is it for, and what does that look like here?",
  "ease of use": "What is it like to run?",
} as const;
export type Consideration = keyof typeof considerations;

export interface AdviceRow {
  readonly family: Family;
  /** The best candidate of the family, by score; null where none was measured. */
  readonly candidate: string | null;
  /** The family's other candidates, best first. */
  readonly others: readonly string[];
  readonly cells: { readonly [C in Consideration]: string };
}

export interface Advice {
  readonly task: string;
  readonly metric: string;
  readonly recommendation: string;
  readonly considerations: typeof considerations;
  readonly rows: readonly AdviceRow[];
}

const absent = "not measured";

/** One row a family, in words with figures; what was not measured says so. */
export function advise(report: Report): Advice {
  return {
    task: report.task.name,
    metric: metricName(report),
    recommendation: `${headline(report)} ${figuresSentence(report)} ${reasonText(report)} ${syntheticText(report)}`.trim(),
    considerations,
    rows: families.map((family) => rowOf(report, family)),
  };
}

function rowOf(report: Report, family: Family): AdviceRow {
  const [best, ...others] = ranked(report).filter((candidate) => familyOf(candidate) === family);
  const cells = Object.fromEntries(
    Object.entries(cellOf).map(([name, cell]) => [name, cell({ report, family, best })]),
  ) as AdviceRow["cells"];
  return { family, candidate: best === undefined ? null : nameOf(report, best), others: others.map((one) => nameOf(report, one)), cells };
}

interface Question {
  readonly report: Report;
  readonly family: Family;
  readonly best: ReportCandidate | undefined;
}

const skills: { readonly [F in Family]: string } = {
  prompting: "Writing an instruction and choosing examples to show.",
  retrieval: "Keeping documents in order; settings of an index.",
  "fine-tuning": "Labelled examples, and an eye on losses and forgetting.",
  "training from scratch": "As fine-tuning, with a tokenizer and a model of one's own.",
  combined: "What each of its parts takes, and an eye on how they meet.",
  "no language model": "Plain text classification or search.",
};

const purposes: { readonly [F in Family]: string } = {
  prompting: "Tasks that the model can do already once it is told how.",
  retrieval: "Answers that stand in documents, also in those that change.",
  "fine-tuning": "A form, a tone or labels that an instruction does not bring about.",
  "training from scratch": "Narrow text with much data and a tiny budget per answer.",
  combined: "Knowledge from documents in a learned form; or cheap answers first, good ones where needed.",
  "no language model": "A yardstick, and often enough for labels and look-ups.",
};

const cellOf: { readonly [C in Consideration]: (question: Question) => string } = {
  skill: ({ family, best }) =>
    `${skills[family]}${best === undefined ? "" : ` ${counted(best.parameters.length, "step")} here, settled on validation examples.`}`,
  resources: ({ best }) => (best === undefined ? absent : resources(best)),
  customisation: ({ report, best }) => (best === undefined ? absent : customisation(report, best)),
  data: ({ report, best }) => (best === undefined ? absent : data(report, best)),
  "update frequency": ({ report, best }) => (best === undefined ? absent : updates(report, best)),
  quality: ({ report, best }) => (best === undefined ? absent : quality(report, best)),
  "use cases": ({ report, family, best }) => `${purposes[family]} ${best === undefined ? `Here: ${absent}.` : uses(report, best)}`,
  "ease of use": ({ best }) => (best === undefined ? absent : ease(best)),
};

function resources({ build, inference, cost: price }: ReportCandidate): string {
  const memory = inference.peakMemoryBytes === null ? `memory of answering ${absent}` : `${bytes(inference.peakMemoryBytes)} to answer`;
  return `${seconds(build.seconds)} and ${bytes(build.peakMemoryBytes)} to build; ${memory}; ${cost(price.per1k, price.unit)} for 1,000 answers.`;
}

function customisation(report: Report, best: ReportCandidate): string {
  const base = report.candidates.find((one) => one.strategy === "zero-shot" && (best.model === null || one.model === best.model));
  if (best.id === base?.id) return "None: the model as it is, with an instruction.";
  const pair = base === undefined ? undefined : report.comparisons.find(({ a, b }) => [a, b].includes(base.id) && [a, b].includes(best.id));
  const sign = pair?.a === best.id ? 1 : -1;
  const bounds = pair === undefined ? undefined : ([sign * pair.low, sign * pair.high] as const);
  const gain =
    pair === undefined || bounds === undefined
      ? `Gain over zero-shot ${absent}.`
      : `${difference(sign * pair.difference)} ${metricName(report)} over zero-shot (${interval({ low: Math.min(...bounds), high: Math.max(...bounds) })}).`;
  if (best.forgetting === undefined) return gain;
  return `${gain} General questions answered right: ${share(best.forgetting.probeBefore)} before, ${share(best.forgetting.probeAfter)} after.`;
}

function data(report: Report, { build, curve }: ReportCandidate): string {
  const used = build.labelledExamples === 0 ? "No labelled examples." : `${counted(build.labelledExamples, "labelled example")}.`;
  if (curve === undefined || curve.length === 0) return `${used} Label efficiency ${absent}.`;
  return `${used} ${metricName(report)} by examples: ${curve.map((point) => `${score(point.score)} with ${point.examples}`).join(", ")}.`;
}

function updates({ usage }: Report, { update }: ReportCandidate): string {
  return `${seconds(update.seconds)} (${update.how}); ${seconds(update.seconds * usage.updatesPerMonth)} a month at ${counted(usage.updatesPerMonth, "update")}.`;
}

function quality(report: Report, { score: measured, status, consistency }: ReportCandidate): string {
  const same = consistency === undefined ? "" : ` Same answer over ${report.wordings ?? "other wordings"}: ${share(consistency)}.`;
  return `${score(measured.value)} ${metricName(report)} (${interval(measured)}), ${statusWords[status]}; ${counted(measured.errors, "error")} in ${measured.n}.${same}`;
}

function uses({ metric }: Report, { retrieval, errorsByKind, metrics }: ReportCandidate): string {
  const found = retrieval === undefined ? "" : ` Right passage found for ${share(retrieval.recall)} of the questions.`;
  const others = Object.entries(metrics).flatMap(([name, value]) =>
    value === null || name === metric.name ? [] : [`${name} ${score(value)}`],
  );
  const failures = Object.entries(errorsByKind).map(([kind, times]) => `${times} ${kind}`);
  return `${others.length === 0 ? "" : `Here: ${others.join(", ")}.`}${found}${failures.length === 0 ? "" : ` Failures: ${failures.join(", ")}.`}`.trim();
}

function ease({ latency, local, artefacts }: ReportCandidate): string {
  const size = artefacts.reduce((sum, artefact) => sum + artefact.bytes, 0);
  const files = artefacts.length === 0 ? "no files of its own" : `${counted(artefacts.length, "file")} of its own (${bytes(size)})`;
  return `${seconds(latency.p50)} median, ${seconds(latency.p95)} p95; ${local ? "runs on this machine" : "needs a server elsewhere"}; ${files}.`;
}
