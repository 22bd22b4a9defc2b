// Below which confidence of what was retrieved a candidate says that the documents do not say: chosen on validation rows, asking no model.
import { queryOf } from "../answer/query.ts";
import type { AnswerResources } from "../answer/resources.ts";
import { retrievalConfidence } from "../answer/retrieve.ts";
import type { Abstention, RetrieverSettings } from "../candidate.ts";
import type { Metric, Row } from "../evaluation.ts";
import type { LabelledExample } from "../task.ts";

/** At most this share of validation is abstained on: a threshold above it would be a constant answer. */
const MOST = 0.5;
/** Thresholds tried within it. */
const STEPS = 10;

export interface ChosenAbstention {
  readonly abstention: Abstention;
  /** Validation score by threshold; without any first, under `none`. */
  readonly tried: { readonly [threshold: string]: number };
}

export interface ChooseAbstentionOptions {
  readonly settings: RetrieverSettings;
  readonly resources: Pick<AnswerResources, "embedding">;
  /** What the candidate answered without abstaining. */
  readonly rows: readonly Row[];
  readonly examples: readonly LabelledExample[];
  readonly metric: Metric;
  readonly text: string;
}

/** The threshold with the best score, the lowest of equals; undefined where none is better than always answering. */
export async function chooseAbstention(options: ChooseAbstentionOptions): Promise<ChosenAbstention | undefined> {
  const { metric, text } = options;
  const judged = await judgedRows(options);
  const scoreBelow = (threshold: number): number => {
    const sums: number[] = [];
    for (const { confidence, answered, abstained } of judged)
      (confidence < threshold ? abstained : answered).forEach((value, index) => (sums[index] = (sums[index] ?? 0) + value));
    return metric.value(sums, judged.length);
  };
  const sorted = judged
    .map(({ confidence }) => confidence)

    .toSorted((a, b) => a - b);
  const places = Array.from({ length: STEPS }, (_, step) => Math.floor(((step + 1) / STEPS) * MOST * sorted.length));
  const thresholds = [...new Set(places.flatMap((place) => sorted[place] ?? []))];
  const none = scoreBelow(Number.NEGATIVE_INFINITY);
  const tried = thresholds.map((threshold) => ({ threshold, score: scoreBelow(threshold) }));
  const sign = metric.higherIsBetter ? 1 : -1;
  const best = tried.reduce<(typeof tried)[number] | undefined>((a, b) => (sign * (b.score - (a?.score ?? none)) > 0 ? b : a), undefined);
  if (best === undefined) return undefined;
  const scores = tried.map(({ threshold, score }) => [threshold.toPrecision(4), Number(score.toFixed(4))] as const);
  return { abstention: { text, threshold: best.threshold }, tried: Object.fromEntries([["none", Number(none.toFixed(4))], ...scores]) };
}

interface JudgedRow {
  readonly confidence: number;
  /** Statistics of the answer given, and of abstaining. */
  readonly answered: readonly number[];
  readonly abstained: readonly number[];
}

async function judgedRows({
  rows,
  examples,
  metric,
  text,
  settings: { embedding },
  resources,
}: ChooseAbstentionOptions): Promise<JudgedRow[]> {
  const byId = new Map(examples.map((example) => [example.id, example]));
  const judged: JudgedRow[] = [];
  for (const { id, input, passages, scores, error } of rows) {
    if (error?.fault === "nobody") continue;
    judged.push({
      confidence: await retrievalConfidence({ question: (await queryOf({ input })).text, passages, embedding, resources }),
      answered: scores[metric.name]!.statistics,
      abstained: metric.statistics({ example: byId.get(id)!, output: text, passages }),
    });
  }
  return judged;
}
