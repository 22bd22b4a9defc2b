// Metrics of answers from passages that need neither gold passages nor a judge: whether what is said, cited, shown and asked fits together.
// Support is a matter of words, numbers and names; see support.ts, and docs/log.md for how far people agree.
import type { Metric, MetricFactory, Prediction } from "../evaluation.ts";
import { foundAt, ranked } from "./evidence.ts";
import {
  citedClaims,
  claimsOf,
  faithful,
  meanPrecision,
  preciseCitations,
  questionHeld,
  type Share,
  type Shown,
  type SupportOf,
  type Supports,
} from "./grounding.ts";
import { normaliseAnswer } from "./normalise.ts";
import { supportOf } from "./support.ts";

const together = (passages: readonly Shown[]): string => passages.map(({ title, text }) => `${title}\n\n${text}`).join("\n\n");

/** By the words of the passages together. */
const supportedByWords: Supports = (sentence, passages) =>
  passages.length > 0 && supportOf({ sentence, passage: together(passages) }).supported;

/** The share of its words that two neighbouring sentences of the passages hold. */
const degreeByWords: SupportOf = (sentence, passages) => supportOf({ sentence, passage: together(passages) }).score;

/** How much of what the answer claims the passages say (Ragas: Es et al. 2023). */
export const faithfulness: MetricFactory = (task) =>
  ofAnswers(task, {
    name: "faithfulness",
    row: ({ output, passages }) => faithful(output, passages, degreeByWords),
    says: "words of claims are in the passages",
  });

/** Share of the answer's claims that what they cite supports (ALCE: Gao et al. 2023). */
export const citationRecall: MetricFactory = (task) =>
  ofAnswers(task, {
    name: "citation-recall",
    row: ({ output, passages }) => citedClaims(output, passages, supportedByWords),
    says: "claims are in what they cite",
  });

/** Share of the citations that support what they stand behind and are needed for it (ALCE); 0 for an answer without any. */
export const citationPrecision: MetricFactory = (task) =>
  ofAnswers(task, {
    name: "citation-precision",
    row: ({ output, passages }) => {
      const [precise, all] = preciseCitations(output, passages, supportedByWords);
      return [precise, claimsOf(output).length === 0 ? all : Math.max(1, all)];
    },
    says: "citations support what they stand behind",
  });

/** How much of what the expected answer claims the passages say (Ragas's context recall). */
export const contextRecall: MetricFactory = (task) =>
  ofExpected(task, {
    name: "context-recall",
    row: ({ example, passages }) => faithful(example.output, passages, degreeByWords),
    says: "words of expected claims are in the passages",
  });

/** Mean precision at the ranks of useful passages (Ragas's context precision): those with gold evidence, else with a claim of the expected answer. */
export const contextPrecision: MetricFactory = (task) =>
  ofExpected(task, {
    name: "context-precision",
    row: ({ example, passages }) => {
      const { evidence = [], output } = example;
      const claims = claimsOf(output);
      const useful = ranked(passages).map((passage) =>
        evidence.length > 0
          ? evidence.some((one) => foundAt(one, [passage]) !== undefined)
          : claims.some(({ text }) => supportedByWords(text, [passage])),
      );
      return evidence.length + claims.length === 0 ? [0, 0] : [meanPrecision(useful), 1];
    },
    says: "mean precision of the passages",
  });

/** Share of the question's words that the answer, or where it was read, speaks of; 0 for an answer that only abstains (after Ragas's answer relevance). */
export const answerRelevance: MetricFactory = (task) =>
  ofExpected(task, {
    name: "answer-relevance",
    row: ({ example, output, passages }) => [abstaining(task)(output) ? 0 : questionHeld(example.input, output, passages), 1],
    says: "of the question's words",
  });

interface ShareMetric {
  readonly name: string;
  /** Out of nothing where an example has nothing to tell. */
  readonly row: (prediction: Prediction) => Share;
  readonly says: string;
}

type Task = Parameters<MetricFactory>[0];

function abstaining({ abstention }: Task): (text: string) => boolean {
  const sentinel = abstention === undefined ? undefined : normaliseAnswer(abstention);
  return (text) => normaliseAnswer(text) === sentinel;
}

/** Answers that abstain claim nothing. */
function ofAnswers(task: Task, { row, ...rest }: ShareMetric): Metric {
  const abstains = abstaining(task);
  return meanShare({ ...rest, counts: () => true, row: (prediction) => (abstains(prediction.output) ? [0, 0] : row(prediction)) });
}

/** Where the task's abstention is expected, there is nothing to be found. */
function ofExpected(task: Task, { row, ...rest }: ShareMetric): Metric {
  const abstains = abstaining(task);
  const counts = ({ output }: Prediction["example"]): boolean => !abstains(output);
  return meanShare({ ...rest, counts, row: (prediction) => (counts(prediction.example) ? row(prediction) : [0, 0]) });
}

/** The mean of each row's share, over the rows that have one. Statistics are `[share, 1]`, or `[0, 0]` for those that have none. */
function meanShare({ name, row, says, counts }: ShareMetric & { readonly counts: (example: Prediction["example"]) => boolean }): Metric {
  return {
    name,
    higherIsBetter: true,
    proportion: false,
    statistics: (prediction) => {
      const [part, whole] = row(prediction);
      return whole === 0 ? [0, 0] : [part / whole, 1];
    },
    worst: (example) => (counts({ ...example, output: example.output ?? "" }) ? [0, 1] : [0, 0]),
    value: (sums) => ((sums[1] ?? 0) === 0 ? 0 : (sums[0] ?? 0) / (sums[1] ?? 1)),
    reason: (prediction) => {
      const [part, whole] = row(prediction);
      return whole === 0 ? "nothing to tell" : `${Number(part.toFixed(2))} of ${whole} ${says}`;
    },
  };
}
