// Sends each input to the candidate that a linear router names. The router learns from which candidate was right on validation.
import { classifyLinear } from "../../answer/classify.ts";
import type { Candidate } from "../../candidate.ts";
import { UserError } from "../../errors.ts";
import { type Metric, type Row, scoreOf } from "../../evaluation.ts";
import { trainLinear } from "../linear.ts";
import { nothingNeeded } from "../needs.ts";
import type { Built, Strategy, StrategyContext } from "../strategy.ts";
import { strongest } from "./cascade.ts";
import { answerWeight } from "./weight.ts";

const folds = 5;
const most = 3;

export const routeStrategy: Strategy = {
  name: "route",
  summary: "A linear router sends each input to the candidate that was right for inputs like it.",
  combines: true,
  shape: (start) => start,
  estimate: () => nothingNeeded,
  async *run(start, _data, context) {
    const best = strongest(context.built, context.metric);
    const chosen = members(context);
    const score = chosen.length < 2 ? Number.NaN : crossValidated(chosen, context);
    const sign = context.metric.higherIsBetter ? 1 : -1;
    if (best === undefined || !(sign * (score - best.score) > 0)) {
      const alone = `${best?.score.toFixed(3)} of the best alone`;
      throw new UserError(
        Number.isNaN(score)
          ? "Fewer than two candidates differ in what they get right on validation."
          : `Routing scores ${score.toFixed(3)} on validation (cross-validated), no better than the ${alone}.`,
      );
    }
    const router = trainLinear({
      examples: lessons(chosen, context.metric),
      labels: chosen.map((one) => one.candidate.id),
      cost: 1,
      seed: context.seed,
    });
    const candidates = Object.fromEntries(chosen.map((one) => [one.candidate.id, one.candidate]));
    const candidate: Candidate = { kind: "route", id: start.id, manifest: start.manifest, router, candidates };
    yield {
      kind: "candidate",
      result: { candidate, parameters: { among: Object.keys(candidates), crossValidated: Number(score.toFixed(4)) } },
    };
  },
};

/** The best and up to two more that get right what it gets wrong. */
function members({ built, metric }: StrategyContext): readonly Built[] {
  const best = strongest(built, metric);
  if (best === undefined) return [];
  const chosen = [best];
  for (const one of built.filter((other) => other !== best).toSorted((a, b) => oracle([best, b], metric) - oracle([best, a], metric))) {
    if (chosen.length < most && oracle([...chosen, one], metric) > oracle(chosen, metric)) chosen.push(one);
  }
  return chosen;
}

const valueOf = (row: Row | undefined, metric: Metric): number =>
  (metric.higherIsBetter ? 1 : -1) * (row?.scores[metric.name]?.value ?? Number.NEGATIVE_INFINITY);

/** The mean of the best row of each example: what perfect routing would reach. */
function oracle(built: readonly Built[], metric: Metric): number {
  const [first] = built;
  return (first?.evaluation.rows ?? []).reduce(
    (sum, _, index) => sum + Math.max(...built.map((one) => valueOf(one.evaluation.rows[index], metric))),
    0,
  );
}

/** Each validation input with the candidate that did best on it, the one with least work among equals. */
function lessons(built: readonly Built[], metric: Metric): readonly { input: string; output: string }[] {
  const cheapestFirst = built.toSorted((a, b) => answerWeight(a) - answerWeight(b));
  return built[0]!.evaluation.rows.map((row, index) => {
    const winner = cheapestFirst.reduce((a, b) =>
      valueOf(b.evaluation.rows[index], metric) > valueOf(a.evaluation.rows[index], metric) ? b : a,
    );
    return { input: row.input, output: winner.candidate.id };
  });
}

/** The routed score with each fold routed by a router that has not seen it. */
function crossValidated(built: readonly Built[], { metric, seed }: StrategyContext): number {
  const taught = lessons(built, metric);
  const labels = built.map((one) => one.candidate.id);
  const routers = Array.from({ length: folds }, (_, fold) =>
    trainLinear({ examples: taught.filter((__, index) => index % folds !== fold), labels, cost: 1, seed }),
  );
  const routed = taught.flatMap(({ input }, index): Row[] => {
    const { output } = classifyLinear(routers[index % folds]!, input);
    const row = built.find((one) => one.candidate.id === output)?.evaluation.rows[index];
    return row === undefined ? [] : [row];
  });
  return scoreOf(routed, metric);
}
