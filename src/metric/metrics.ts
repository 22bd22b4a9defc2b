// Every metric by name, and how one is made for a task.
import { UserError } from "../errors.ts";
import type { Metric, MetricFactory } from "../evaluation.ts";
import type { Task } from "../task.ts";
import { didYouMean } from "../util/suggest.ts";
import { accuracy } from "./accuracy.ts";
import { citationF1 } from "./citation-f1.ts";
import { entityF1 } from "./entity-f1.ts";
import { exactMatch } from "./exact-match.ts";
import { answerRelevance, citationPrecision, citationRecall, contextPrecision, contextRecall, faithfulness } from "./faithfulness.ts";
import { fieldF1 } from "./field-f1.ts";
import { jsonValid } from "./json-valid.ts";
import { macroF1 } from "./macro-f1.ts";
import { ndcg, retrievalRecall } from "./retrieval.ts";
import { rougeL } from "./rouge-l.ts";
import { tokenF1 } from "./token-f1.ts";

const metrics = {
  accuracy,
  "macro-f1": macroF1,
  "exact-match": exactMatch,
  "token-f1": tokenF1,
  "rouge-l": rougeL,
  "json-valid": jsonValid,
  "field-f1": fieldF1,
  "entity-f1": entityF1,
  "retrieval-recall": retrievalRecall,
  ndcg,
  "citation-f1": citationF1,
  "citation-precision": citationPrecision,
  "citation-recall": citationRecall,
  faithfulness,
  "context-precision": contextPrecision,
  "context-recall": contextRecall,
  "answer-relevance": answerRelevance,
} satisfies { readonly [name: string]: MetricFactory };

export type MetricName = keyof typeof metrics;

export const metricNames: readonly MetricName[] = Object.keys(metrics) as MetricName[];

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metrics, name);
}

const overEvidence: readonly string[] = ["retrieval-recall", "ndcg", "citation-f1"] satisfies readonly MetricName[];

/** The metrics of a task, the deciding one first. @throws {UserError} for one that its output or its examples rule out. */
export function metricsOf(task: Pick<Task, "output" | "abstention" | "metrics" | "examples">): readonly [Metric, ...Metric[]] {
  const named = task.metrics.find((name) => overEvidence.includes(name));
  if (named !== undefined && task.examples.every(({ evidence = [] }) => evidence.length === 0)) {
    throw new UserError(
      `Metric "${named}" needs gold passages, and no example names any. Write evidence: [{ document, start, end }] into examples, or leave the metric out.`,
    );
  }
  return task.metrics.map((name) => createMetric(name, task)) as [Metric, ...Metric[]];
}

/** @throws {UserError} for an unknown name, or a metric that the task's output kind rules out. */
export function createMetric(name: string, task: Pick<Task, "output" | "abstention">): Metric {
  if (isMetricName(name)) return metrics[name](task);
  throw new UserError(`Unknown metric "${name}". ${didYouMean(name, metricNames)}`);
}
