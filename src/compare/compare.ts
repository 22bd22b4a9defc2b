// Evaluations side by side: scores with intervals, paired differences, constraints, and the candidate that is recommended.
import type { Metric } from "../evaluation.ts";
import type { Candidate } from "../candidate.ts";
import type { Constraints, Objective, Prices, Usage } from "../task.ts";
import { seededRandom } from "../util/random.ts";
import { band, simultaneousBands, type Bands } from "./bands.ts";
import { choose, groupsNeeded, type Choice } from "./choose.ts";
import { brokenBy, rejections, type ConstrainedProfile, type Rejection } from "./constraints.ts";
import { correctedScore } from "./correct.ts";
import { costPerMonth, costUnit, objectiveValue, type CostUnit } from "./cost.ts";
import { counted, share } from "../util/figures.ts";
import { examplesOf, groupRows, unanswered, type CandidateRows, type Grouped } from "./grouped.ts";
import { reasonFor } from "./reason.ts";
import { bootstrap, pseudoValues, scores, type Resamples } from "./resample.ts";
import { scoreInterval } from "./score-interval.ts";

/** What was measured of a candidate besides its answers. */
export interface CandidateProfile extends ConstrainedProfile {
  readonly kind: Candidate["kind"];
}

export interface CompareOptions {
  /** Test rows by candidate, each scored by the metric. */
  readonly evaluations: readonly CandidateRows[];
  readonly metric: Metric;
  readonly profiles: readonly CandidateProfile[];
  readonly objective: Objective;
  /** How much of the score may be given up for cheaper. */
  readonly tolerance: number;
  readonly constraints: Constraints;
  readonly usage: Usage;
  readonly prices?: Prices;
  readonly seed: number;
  readonly samples?: number;
}

export interface Score {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The winner's score without the flattery of having been chosen. */
  readonly corrected?: number;
  /** Examples counted. */
  readonly n: number;
  /** Rows with an error, whoever's fault. */
  readonly errors: number;
}

/** Score of `a` less score of `b`, with its simultaneous 95 % band. */
export interface Difference {
  readonly a: string;
  readonly b: string;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly method: string;
}

export interface Recommendation {
  readonly status: "clear" | "provisional" | "none";
  readonly winner: string | null;
  /** Not beaten and not the winner; empty where the winner is clear. */
  readonly stillInTheRace: readonly string[];
  /** Surely worse than another; the winner may be, within the tolerance, and is not listed. */
  readonly beaten: readonly string[];
  readonly reason: string;
  /** How much score the winner is expected to give up against the best. */
  readonly expectedRegret: number | null;
  /** About how many test examples would make the provisional winner clear; null where it is clear or can't be said. */
  readonly examplesNeeded: number | null;
  readonly rejected: readonly Rejection[];
}

export interface Comparison {
  readonly scores: { readonly [candidate: string]: Score };
  readonly comparisons: readonly Difference[];
  readonly recommendation: Recommendation;
  readonly unit: CostUnit;
  /** What "cheapest" compares, by candidate: cost a month in the unit, or seconds. */
  readonly objectives: { readonly [candidate: string]: number };
  /** Test examples left out of every pair because nobody answered them for some eligible candidate. */
  readonly leftOut: number;
}

/** Fewer test examples give a table and no recommendation. */
const fewestExamples = 30;

interface Judged {
  readonly grouped: Grouped;
  readonly resamples: Resamples;
  readonly pseudo: Float64Array;
  readonly values: Float64Array;
  readonly bands: Bands;
}

/**
 * Sets aside what breaks a constraint, resamples all others together by group and chooses (see `choose`). Deterministic in `seed`.
 * All evaluations must stand on the same test set.
 */
export function compareEvaluations(options: CompareOptions): Comparison {
  const { evaluations, metric, prices, objective, usage } = options;
  const examples = examplesOf(evaluations);
  const rejected = evaluations.flatMap((one) => {
    const answered = 1 - unanswered(one, examples).size / examples.size;
    return rejections(profileOf(options, one.candidate), { constraints: options.constraints, prices, answered });
  });
  const eligible = evaluations.filter(({ candidate }) => !rejected.some(({ id }) => id === candidate));
  const unit = costUnit(
    evaluations.map(({ candidate }) => profileOf(options, candidate)),
    prices,
  );
  const objectives = Object.fromEntries(
    evaluations.map(({ candidate }) => [candidate, objectiveValue(profileOf(options, candidate), { objective, unit, prices, usage })]),
  );
  const together = judge(eligible, options);
  const alone = evaluations
    .filter((one) => !eligible.includes(one))
    .flatMap((one) => Object.entries(scoresOf([one], judge([one], options), metric)));
  const own = scoresOf(eligible, together, metric);
  const { recommendation, corrected } = recommend(options, { rejected, unit, objectives, together, scores: own });
  const winner = recommendation.winner === null ? undefined : own[recommendation.winner];
  const flattered = winner !== undefined && corrected !== undefined ? { [recommendation.winner ?? ""]: { ...winner, corrected } } : {};
  return {
    scores: { ...own, ...Object.fromEntries(alone), ...flattered },
    comparisons: differences(together, options),
    recommendation,
    unit,
    objectives,
    leftOut: examples.size - together.grouped.rows,
  };
}

function profileOf({ profiles }: CompareOptions, id: string): CandidateProfile {
  const profile = profiles.find((one) => one.id === id);
  if (profile === undefined) throw new Error(`No profile of candidate ${id}`);
  return profile;
}

function judge(evaluations: readonly CandidateRows[], { metric, seed, samples = 10_000 }: CompareOptions): Judged {
  const grouped = groupRows(evaluations, metric);
  const resamples = bootstrap(grouped, metric, { samples, random: seededRandom(`compare ${seed}`) });
  const pseudo = pseudoValues(grouped, metric);
  const values = scores(grouped, metric);
  return { grouped, resamples, pseudo, values, bands: simultaneousBands({ scores: values, resamples, pseudo }) };
}

function scoresOf(
  evaluations: readonly CandidateRows[],
  { grouped, resamples, pseudo, values }: Judged,
  metric: Metric,
): { readonly [id: string]: Score } {
  const count = grouped.candidates.length;
  const column = (table: Float64Array, at: number): Float64Array => table.filter((_, index) => index % count === at);
  const score = ({ rows }: CandidateRows, index: number): Score => ({
    value: values[index] ?? Number.NaN,
    ...scoreInterval({
      score: values[index] ?? Number.NaN,
      rows: grouped.rows,
      groups: grouped.groups,
      proportion: metric.proportion,
      resampled: column(resamples.values, index),
      pseudo: column(pseudo, index),
    }),
    n: grouped.rows,
    errors: rows.filter((row) => row.error !== undefined).length,
  });
  return Object.fromEntries(evaluations.map((one, index) => [one.candidate, score(one, index)]));
}

function differences({ grouped, bands, resamples }: Judged, { metric }: CompareOptions): readonly Difference[] {
  const method = `${metric.proportion ? "stabilised " : ""}paired bootstrap by group, simultaneous 95 % bands (max-t, ${resamples.samples} samples)`;
  return grouped.candidates.flatMap((a, first) =>
    grouped.candidates.slice(first + 1).map((b, offset) => ({ a, b, ...band(bands, first, first + 1 + offset), n: grouped.rows, method })),
  );
}

interface Standing {
  readonly rejected: readonly Rejection[];
  readonly unit: CostUnit;
  readonly objectives: { readonly [id: string]: number };
  readonly together: Judged;
  readonly scores: { readonly [id: string]: Score };
}

function recommend(options: CompareOptions, standing: Standing): { recommendation: Recommendation; corrected?: number } {
  const { metric, tolerance } = options;
  const { rejected, together } = standing;
  const { grouped, resamples, bands } = together;
  const refusal = noRecommendation(options, standing);
  if (refusal !== undefined) return { recommendation: none(refusal, rejected) };
  const order = cheapestFirst(options, standing);
  const choice = choose({ bands, resamples, order, tolerance, higherIsBetter: metric.higherIsBetter });
  const groups =
    choice.status === "clear"
      ? undefined
      : groupsNeeded({ bands, tolerance, higherIsBetter: metric.higherIsBetter }, choice.winner, grouped.groups);
  const examplesNeeded = groups === undefined ? null : Math.ceil((groups * grouped.rows) / grouped.groups);
  const named = (indexes: readonly number[]): readonly string[] => indexes.map((index) => grouped.candidates[index] ?? "");
  const rest = grouped.candidates.map((_, index) => index).filter((index) => index !== choice.winner);
  const recommendation: Recommendation = {
    status: choice.status,
    winner: grouped.candidates[choice.winner] ?? null,
    stillInTheRace: choice.status === "clear" ? [] : named(rest.filter((index) => !choice.beaten.includes(index))),
    beaten: named(rest.filter((index) => choice.beaten.includes(index))),
    reason: sentence(options, standing, choice, examplesNeeded),
    expectedRegret: choice.regrets[choice.winner] ?? null,
    examplesNeeded,
    rejected,
  };
  return { recommendation, corrected: correctedScore({ grouped, metric, resamples, bands, order, tolerance }) };
}

/** Why nothing can be recommended, if so. */
function noRecommendation({ evaluations }: CompareOptions, { together, rejected }: Standing): string | undefined {
  const examples = examplesOf(evaluations).size;
  if (evaluations.length === 0) return "No candidate was evaluated.";
  if (examples < fewestExamples)
    return `${counted(examples, "test example")} can't tell candidates apart: ${fewestExamples} are the least for a recommendation.`;
  if (together.grouped.candidates.length === 0) return `Every candidate breaks a constraint: ${brokenBy(rejected)}.`;
  return together.grouped.rows < fewestExamples
    ? `Only ${counted(together.grouped.rows, "test example")} (${share(together.grouped.rows / examples)}) were answered by every candidate: ${fewestExamples} are the least for a recommendation.`
    : undefined;
}

function none(reason: string, rejected: readonly Rejection[]): Recommendation {
  return { status: "none", winner: null, stillInTheRace: [], beaten: [], reason, expectedRegret: null, examplesNeeded: null, rejected };
}

/** By the objective; where it is equal, by the cost of a month, then by the better score. */
function cheapestFirst(options: CompareOptions, { unit, objectives, together }: Standing): readonly number[] {
  const { metric, prices, usage } = options;
  const sign = metric.higherIsBetter ? 1 : -1;
  const keys = together.grouped.candidates.map((id, index) => ({
    index,
    by: [
      objectives[id] ?? Number.NaN,
      costPerMonth(profileOf(options, id), { unit, prices, usage }),
      -sign * (together.values[index] ?? Number.NaN),
    ],
  }));
  const compare = (left: readonly number[], right: readonly number[]): number => {
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
  };
  return keys.toSorted((left, right) => compare(left.by, right.by)).map(({ index }) => index);
}

function sentence(
  options: CompareOptions,
  { together, unit, objectives, scores: all }: Standing,
  choice: Choice,
  examplesNeeded: number | null,
): string {
  const ids = together.grouped.candidates;
  return reasonFor({
    metric: options.metric,
    ids,
    withoutModel: ids.map((id) => profileOf(options, id).kind === "classify"),
    scores: ids.map((id) => all[id] ?? { value: Number.NaN, low: Number.NaN, high: Number.NaN }),
    objective: options.objective,
    objectives: ids.map((id) => objectives[id] ?? Number.NaN),
    unit,
    tolerance: options.tolerance,
    examples: together.grouped.rows,
    bands: together.bands,
    choice,
    examplesNeeded,
  });
}
