// One candidate over one set of examples, row by row; and what a metric is.
import type { MediaKind, TokenCount } from "./model.ts";
import type { Example, OutputKind, Place } from "./task.ts";

/** A passage that was retrieved: `document` text from `start` to `end`, and its score under the retriever's scorer. */
export interface Passage {
  readonly document: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly score: number;
  /** The pages it stands on, where its document has pages. */
  readonly pages?: readonly Place[];
  /** When its document was last changed, ISO 8601 in UTC, where that is known. */
  readonly modified?: string;
  /** Of a picture or a sound: its text is its description, empty for most. */
  readonly media?: MediaKind;
}

/** `page 3` or `pages 3-4`; empty for a passage of a document without pages. */
export function pagesNamed({ pages }: Pick<Passage, "pages">): string {
  const [first, last] = [pages?.[0]?.page, pages?.at(-1)?.page];
  if (first === undefined) return "";
  return first === last ? `page ${first}` : `pages ${first}-${last}`;
}

/** The day of the last change, as citations show it: `2026-03-01`; empty where it is not known. */
export function dayNamed({ modified = "" }: Pick<Passage, "modified">): string {
  return modified.slice(0, 10);
}

/**
 * What a candidate answered. `confidence` is in [0, 1]: the probability of the chosen label, or the geometric mean
 * probability of the tokens written; absent where the model does not say.
 */
export interface Answer {
  readonly output: string;
  readonly passages: readonly Passage[];
  /** What the model saw, as text, for people to read. */
  readonly prompt: string;
  readonly tokens: TokenCount;
  /** Model calls made: a cascade may make two. */
  readonly seconds: number;
  /** `length`: the answer was cut at the longest that the candidate may write. */
  readonly finish: "stop" | "length";
  readonly confidence?: number;
  /** What was searched for, where not the input itself: the last question of a conversation, made whole. */
  readonly query?: string;
  /** Set where it said that the documents do not say, for want of passages near enough. */
  readonly abstained?: true;
}

/** Why a row has no answer. `candidate`: its own fault, scored worst. `nobody`: left out of every pair. */
export interface RowError {
  readonly fault: "candidate" | "nobody";
  readonly kind: "invalid-json" | "context-overflow" | "time-out" | "empty" | "unavailable" | "failed";
  readonly message: string;
}

export interface Row {
  readonly id: string;
  readonly group: string;
  readonly input: string;
  readonly expected: string;
  readonly output: string;
  readonly passages: readonly Passage[];
  readonly prompt: string;
  readonly tokens: TokenCount;
  readonly seconds: number;
  readonly confidence?: number;
  readonly error?: RowError;
  /** Per metric: additive statistics of this row (see `Metric.statistics`) and its own value. */
  readonly scores: { readonly [metric: string]: { readonly value: number; readonly statistics: readonly number[] } };
  /** One line that says why the first metric gave what it gave. */
  readonly reason: string;
}

export interface Evaluation {
  readonly candidate: string;
  readonly set: "validation" | "test";
  readonly rows: readonly Row[];
}

/**
 * A metric as additive statistics: each row gives a vector, vectors are summed over rows (or over a bootstrap sample of groups),
 * and `value` turns the sum into the score. A mean is `[x]` and `sum / n`; macro-F1 is true positives, false positives and
 * false negatives per label. So any metric can be resampled exactly, not only means.
 */
export interface Metric {
  readonly name: string;
  readonly higherIsBetter: boolean;
  /** Whether every row's value is 0 or 1 and the score their mean: its standard error can be stabilised. */
  readonly proportion: boolean;
  statistics(prediction: Prediction): readonly number[];
  /** The statistics of the worst possible answer to this example: what a failed row takes. */
  worst(example: Example): readonly number[];
  value(sums: ArrayLike<number>, count: number): number;
  /** One line for people: what matched, what did not. */
  reason?(prediction: Prediction): string;
}

export interface Prediction {
  readonly example: Example & { readonly output: string };
  readonly output: string;
  readonly passages: readonly Passage[];
}

/** Makes a metric for a task: macro-F1 needs the labels, field F1 the schema. */
export type MetricFactory = (task: { readonly output: OutputKind; readonly abstention?: string }) => Metric;

/** The score of rows under a metric; rows that are nobody's fault are left out. NaN over no rows. */
export function scoreOf(rows: readonly Row[], metric: Metric): number {
  const counted = rows.filter((row) => row.error?.fault !== "nobody");
  const sums: number[] = [];
  for (const row of counted) {
    row.scores[metric.name]?.statistics.forEach((value, index) => (sums[index] = (sums[index] ?? 0) + value));
  }
  return counted.length === 0 ? Number.NaN : metric.value(sums, counted.length);
}
