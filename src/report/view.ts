// A report's candidates as every form of it shows them: their names, their order, what the recommendation says of them.
import { bytes, cost, counted, interval, plain, score, seconds } from "../util/figures.ts";
import type { Report, ReportCandidate } from "./schema.ts";

export type Status = ReportCandidate["status"];
export type Difference = Report["comparisons"][number];

/** The chain as written; with the model where the report is about more than one. */
export function nameOf(report: Report, candidate: ReportCandidate): string {
  return candidate.model !== null && manyModels(report) ? `${candidate.strategy} (${candidate.model})` : candidate.strategy;
}

const manyModels = ({ task, candidates }: Report): boolean => {
  const models = new Set(candidates.flatMap(({ model }) => (model === null ? [] : [model])));
  return task.models.length > 1 || (models.size > 1 && new Set(candidates.map(({ strategy }) => strategy)).size < candidates.length);
};

/** A candidate's name by its id; the id itself for one that the report does not hold. */
export function nameById(report: Report, id: string): string {
  const candidate = report.candidates.find((one) => one.id === id);
  return candidate === undefined ? id : nameOf(report, candidate);
}

/** The best score first; ineligible ones last. */
export function ranked({ candidates, metric }: Report): readonly ReportCandidate[] {
  const sign = metric.higherIsBetter ? 1 : -1;
  const group = ({ status }: ReportCandidate): number => (status === "ineligible" ? 1 : 0);
  return candidates.toSorted((a, b) => group(a) - group(b) || sign * (b.score.value - a.score.value) || (a.id < b.id ? -1 : 1));
}

export function winnerOf({ recommendation, candidates }: Report): ReportCandidate | undefined {
  return candidates.find(({ id }) => id === recommendation.winner);
}

/** The candidate that differences are taken to: the winner, else the best by score. Undefined where there is none. */
export function referenceOf(report: Report): ReportCandidate | undefined {
  return winnerOf(report) ?? ranked(report).find(({ status }) => status !== "ineligible");
}

/** Every comparison with the reference, as (other - reference), largest first. */
export function differencesTo({ comparisons }: Report, reference: ReportCandidate): readonly Difference[] {
  return comparisons
    .flatMap((one) => {
      if (one.b === reference.id) return [one];
      return one.a === reference.id ? [{ ...one, a: one.b, b: one.a, difference: -one.difference, low: -one.high, high: -one.low }] : [];
    })
    .toSorted((x, y) => y.difference - x.difference);
}

export const statusWords: { readonly [S in Status]: string } = {
  winner: "recommended",
  "in the race": "in the race",
  beaten: "beaten",
  ineligible: "set aside",
  measured: "measured",
};

export const verdicts: { readonly [S in Report["recommendation"]["status"]]: string } = {
  clear: "Clear winner",
  provisional: "Provisional choice",
  none: "No recommendation",
};

/** What the score is called: with a word where nobody asked some of the questions. */
export function metricName({ metric, split: { synthetic } }: Pick<Report, "metric" | "split">): string {
  return (synthetic?.test ?? 0) > 0 ? `${metric.name} (synthetic questions)` : metric.name;
}

/** How much was measured or learnt on questions made from the documents; empty where all are people's. */
export function syntheticText({ split: { train, test, synthetic } }: Report): string {
  if (synthetic === undefined) return "";
  const among = (part: number, whole: number): string => (part === whole ? "" : ` among ${counted(whole, "example")}`);
  const parts = [
    ...(synthetic.test > 0 ? [`measured on ${counted(synthetic.test, "synthetic question")}${among(synthetic.test, test)}`] : []),
    ...(synthetic.train > 0
      ? [`learnt from ${synthetic.train}${synthetic.test > 0 ? "" : " synthetic questions"}${among(synthetic.train, train)}`]
      : []),
  ];
  if (parts.length === 0) return "";
  const said = parts.join(", ");
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}: made from the documents, asked by nobody. People's questions may be answered worse.`;
}

/** One sentence: what to use. */
export function headline(report: Report): string {
  const winner = winnerOf(report);
  if (winner === undefined) return `No technique is recommended for ${report.task.name}.`;
  return report.recommendation.status === "provisional" ? `For now, use ${nameOf(report, winner)}.` : `Use ${nameOf(report, winner)}.`;
}

/** The winner's figures in a sentence; of the best score where nothing is recommended. */
export function figuresSentence(report: Report): string {
  const shown = referenceOf(report);
  if (shown === undefined) return "Nothing could be measured.";
  const { score: measured, latency, cost: price, build } = shown;
  const who = winnerOf(report) === undefined ? `The best score is that of ${nameOf(report, shown)}: ` : "It scores ";
  const corrected = measured.corrected === undefined ? "" : `; ${score(measured.corrected)} after correcting for being the best of many`;
  return (
    `${who}${score(measured.value)} ${metricName(report)} (95 % interval ${interval(measured)}${corrected}) on ${measured.n} examples that no candidate had seen, ` +
    `answers in ${seconds(latency.p50)} (median), takes ${cost(price.per1k, price.unit)} ${moneyOrTime(price.unit)} 1,000 answers and ${seconds(build.seconds)} to build.`
  );
}

const moneyOrTime = (unit: "dollars" | "machine-seconds"): string => (unit === "dollars" ? "for" : "of machine time for");

/** Why, in the recommendation's own words, with names in the place of ids. */
export function reasonText(report: Report): string {
  const names = new Map(report.candidates.map((one) => [one.id, nameOf(report, one)]));
  const ids = [...names.keys()].toSorted((x, y) => y.length - x.length).map((id) => id.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&"));
  const { reason } = report.recommendation;
  return ids.length === 0
    ? reason
    : reason.replace(new RegExp(`(?<![\\w-])(?:${ids.join("|")})(?![\\w-])`, "gu"), (id) => names.get(id) ?? id);
}

const limits: { readonly [constraint: string]: readonly [name: string, show: (value: number) => string] } = {
  p95: ["p95 latency", seconds],
  costPer1k: ["cost of 1,000 answers", (value) => cost(value, "dollars")],
  memory: ["memory", bytes],
  local: ["runs on this machine", (value) => (value === 0 ? "no" : "yes")],
};

/** `p95 latency 3.2 s, limit 2.0 s`. */
export function rejection({ constraint, value, limit }: Report["recommendation"]["rejected"][number]): string {
  const [name, show] = limits[constraint] ?? [constraint, plain];
  const shown = (one: number | boolean | null): string =>
    one === null ? "not measured" : typeof one === "boolean" ? (one ? "yes" : "no") : show(one);
  return `${name}: ${shown(value)}, ${typeof limit === "boolean" ? "required" : "limit"} ${shown(limit)}`;
}

/** A constraint of the task: `p95 latency at most 2.0 s`. */
export function constraintText(constraint: string, value: number | boolean): string {
  const [name, show] = limits[constraint] ?? [constraint, plain];
  return typeof value === "boolean" ? `${name}: ${value ? "required" : "not required"}` : `${name} at most ${show(value)}`;
}

/** The way from the figures to the choice, with this report's own numbers. */
export function method(report: Report): readonly string[] {
  const { tolerance, split, metric, objective, usage } = report;
  const cheapest: { readonly [O in Report["objective"]]: string } = {
    cost: `the lowest cost of ${usage.requestsPerMonth.toLocaleString("en")} requests and ${usage.updatesPerMonth} updates a month, with the build spread over ${usage.months} months`,
    latency: "the lowest median latency",
    update: "the fastest update",
  };
  return [
    "Candidates that break a constraint are set aside first, with the value and the limit.",
    `All others answered the same ${split.test} test examples. They are resampled together 10,000 times by group, and ${metric.name} is computed anew each time; the bands around all paired differences hold at once (95 %).`,
    "A candidate is beaten when another is surely better: the whole band of their difference lies on one side of zero.",
    `The clear winner is the cheapest candidate that no other can be better than by more than the tolerance of ${score(tolerance)}. Cheapest means ${cheapest[objective]}.`,
    "If there is none, the choice is provisional: the cheapest whose expected regret is within the tolerance of the smallest.",
  ];
}
