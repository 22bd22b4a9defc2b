// The recommendation in a few sentences, every figure in them measured. Knows nothing of how it was reached.
import type { Objective } from "../task.ts";
import { band, type Bands } from "./bands.ts";
import type { Choice } from "./choose.ts";
import type { CostUnit } from "./cost.ts";
import { cost, count, counted, difference as signed, list, score as figure, seconds } from "../util/figures.ts";

export interface ReasonInput {
  readonly metric: { readonly name: string; readonly higherIsBetter: boolean };
  readonly ids: readonly string[];
  /** No language model answers for this candidate: [candidates]. */
  readonly withoutModel: readonly boolean[];
  readonly scores: readonly { readonly value: number; readonly low: number; readonly high: number }[];
  readonly objective: Objective;
  /** What "cheapest" compares: [candidates]. */
  readonly objectives: readonly number[];
  readonly unit: CostUnit;
  readonly tolerance: number;
  readonly examples: number;
  readonly bands: Bands;
  readonly choice: Choice;
  readonly examplesNeeded: number | null;
}

const superlatives: { readonly [K in Objective]: string } = { cost: "cheapest", latency: "fastest", update: "quickest to update" };

const amounts: { readonly [K in Objective]: (value: number, unit: CostUnit) => string } = {
  cost: (value, unit) => (unit === "dollars" ? `${cost(value, unit)} a month` : `${seconds(value)} of machine time a month`),
  latency: (value) => `${seconds(value)} for a request`,
  update: (value) => `${seconds(value)} for an update`,
};

export function reasonFor(input: ReasonInput): string {
  const { choice, ids } = input;
  if (ids.length === 1) return `${ids[0] ?? ""} is the only candidate that could be compared: ${figures(input, 0)}.`;
  return [choice.status === "clear" ? clear(input) : provisional(input), best(input), modelless(input)].filter(Boolean).join(" ");
}

function clear(input: ReasonInput): string {
  const { choice, ids, objective, tolerance, examples } = input;
  const name = ids[choice.winner] ?? "";
  const most = mostLost(input);
  const on = `on ${counted(examples, "test example")}`;
  const claim =
    most <= 0
      ? `is surely better than every other candidate ${on}`
      : `is the ${superlatives[objective]} candidate that none is better than by more than ${figure(tolerance)} (by ${figure(most)} at most, ${on})`;
  return `${name} ${claim}: ${figures(input, choice.winner)}.`;
}

function provisional(input: ReasonInput): string {
  const { choice, ids, objective, tolerance, examples, examplesNeeded } = input;
  const name = ids[choice.winner] ?? "";
  const race = ids.filter((_, index) => index !== choice.winner && !choice.beaten.includes(index));
  const tell =
    examplesNeeded === null
      ? "The difference is too close to the tolerance to say how many test examples would tell"
      : `About ${count(examplesNeeded)} test examples would tell`;
  return [
    `No clear winner: on ${counted(examples, "test example")} another candidate may be better than ${name} by up to ${figure(mostLost(input))}, and only ${figure(tolerance)} may be given up.`,
    `Provisionally ${name}, the ${superlatives[objective]} whose expected loss against the best (${figure(choice.regrets[choice.winner] ?? Number.NaN)}) is at most that much above the smallest: ${figures(input, choice.winner)}.`,
    ...(race.length === 0 ? [] : [`Still in the race: ${list(race)}.`]),
    `${tell}.`,
  ].join(" ");
}

/** The candidate with the best score, where it is another: how much it would gain, and what it takes. */
function best({ metric, scores, choice, ids, bands, objective, objectives, unit }: ReasonInput): string {
  const sign = metric.higherIsBetter ? 1 : -1;
  const top = scores.reduce(
    (at, score, index) => (sign * score.value > sign * (scores[at]?.value ?? Number.NaN) ? index : at),
    choice.winner,
  );
  if (top === choice.winner) return "";
  const { difference, low, high } = band(bands, top, choice.winner);
  return (
    `The best score is ${ids[top] ?? ""}'s: ${signed(difference)} (${signed(low)} to ${signed(high)}) ` +
    `at ${amounts[objective](objectives[top] ?? Number.NaN, unit)}.`
  );
}

function modelless({ withoutModel, choice }: ReasonInput): string {
  return withoutModel[choice.winner] === true ? "It needs no language model." : "";
}

function figures({ metric, scores, objective, objectives, unit }: ReasonInput, candidate: number): string {
  const score = scores[candidate];
  const interval = `${figure(score?.low ?? Number.NaN)} to ${figure(score?.high ?? Number.NaN)}`;
  return `${metric.name} ${figure(score?.value ?? Number.NaN)} (${interval}) at ${amounts[objective](objectives[candidate] ?? Number.NaN, unit)}`;
}

/** The largest upper bound of (any other - the winner). */
function mostLost({ bands, choice, metric, ids }: ReasonInput): number {
  const gains = ids.flatMap((_, other) => {
    if (other === choice.winner) return [];
    const { low, high } = band(bands, other, choice.winner);
    return [metric.higherIsBetter ? high : -low];
  });
  return Math.max(...gains);
}
