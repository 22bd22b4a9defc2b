// What each technique will need here, and what fits a budget. Budgets become steps and calls once, before anything runs.
import type { Measuring } from "../evaluate/measure-all.ts";
import { allChains, coreChains, parseChain, stepsOf } from "../strategy/registry.ts";
import { answering, nothingNeeded, sum } from "../strategy/needs.ts";
import type { Effort, Facts, Machine, Needs, Shape } from "../strategy/strategy.ts";

export type EffortName = "brief" | "quick" | "standard" | "thorough";

export interface PlanEntry {
  readonly chain: string;
  readonly model: string;
  readonly status: "run" | "left out" | "cannot";
  readonly reason?: string;
  /** Build, evaluation and the passes after it; absent where it cannot run. */
  readonly needs?: Needs;
  /** The part of `needs.seconds` that goes into building it. */
  readonly buildSeconds?: number;
}

export interface Plan {
  readonly effortName: EffortName;
  readonly effort: Effort;
  readonly measuring: Measuring;
  readonly entries: readonly PlanEntry[];
  /** Of what will run. */
  readonly total: Needs;
  readonly budgetSeconds?: number;
  readonly machine: Machine;
}

export const efforts: { readonly [E in EffortName]: { readonly effort: Effort; readonly measuring: Measuring } } = {
  brief: {
    effort: { epochs: 3, trainingTokens: 22_000, promptTrials: 4, validationExamples: 12, pretrainSteps: 100, maxSequence: 384 },
    measuring: { latencyInputs: 5, forgetting: { bytes: 3_000, questions: 24 }, consistencyInputs: 0, labelShares: [] },
  },
  quick: {
    effort: { epochs: 4, trainingTokens: 60_000, promptTrials: 6, validationExamples: 24, pretrainSteps: 200, maxSequence: 512 },
    measuring: { latencyInputs: 10, forgetting: { bytes: 8_000, questions: 60 }, consistencyInputs: 0, labelShares: [] },
  },
  standard: {
    effort: { epochs: 6, trainingTokens: 300_000, promptTrials: 16, validationExamples: 64, pretrainSteps: 600, maxSequence: 768 },
    measuring: { latencyInputs: 50, forgetting: { bytes: 30_000, questions: 150 }, consistencyInputs: 20, labelShares: [0.25, 0.5] },
  },
  thorough: {
    effort: { epochs: 10, trainingTokens: 1_500_000, promptTrials: 32, validationExamples: 200, pretrainSteps: 2000, maxSequence: 1024 },
    measuring: { latencyInputs: 50, forgetting: { bytes: 30_000, questions: 218 }, consistencyInputs: 50, labelShares: [0.25, 0.5] },
  },
};

export interface PlanOptions {
  readonly strategies: "all" | readonly string[];
  /** One shape a model of the task. */
  readonly models: readonly { readonly name: string; readonly shape: Shape }[];
  readonly facts: Facts;
  readonly machine: Machine;
  readonly budgetSeconds?: number;
  readonly effort?: EffortName;
}

/** Part of a budget that is planned: estimates are first guesses. */
const planned = 0.85;
/** Seconds of the process that measures a candidate's memory. */
const probeSeconds = 4;

/** Training runs of the brief effort cut further, in tokens, where the core would not fit otherwise. */
const cuts = [15_000, 10_000, 6_000];

/**
 * Estimates every chain for every model, then keeps what fits, in the order of the list, which begins with the core. Under a budget:
 * the highest effort at which everything fits, else the highest at which the core does, its training cut further where it must be,
 * else the one that gets furthest. Training is not cut to make room for more than the core: a starved one says nothing of its technique.
 */
export function makePlan(options: PlanOptions): Plan {
  const { budgetSeconds, effort: asked } = options;
  if (budgetSeconds === undefined) return fit(options, asked ?? "standard");
  const names: readonly EffortName[] = asked === undefined ? ["thorough", "standard", "quick", "brief"] : [asked];
  const plans = names.flatMap((name) => measurings(name).map((measuring) => fit(options, name, { measuring })));
  const whole = plans.find((plan) => reach(plan) === plan.entries.length && plan.total.seconds <= planned * budgetSeconds);
  if (whole !== undefined) return whole;
  const partial = [
    ...names.map((name) => fit(options, name, { measuring: scoresFirst(name) })),
    ...(asked === undefined ? cuts.map((trainingTokens) => fit(options, "brief", { trainingTokens })) : []),
  ];
  return partial.find(holdsCore) ?? partial.reduce((best, plan) => (reach(plan) > reach(best) ? plan : best));
}

/** What may be measured beside the scores at an effort, most first: an effort that leaves time has it spent on measuring. */
function measurings(name: EffortName): readonly Measuring[] {
  const own = efforts[name].measuring;
  if (name === "thorough" || name === "standard") return [own, scoresFirst(name)];
  return [efforts.standard.measuring, { ...own, latencyInputs: 20, consistencyInputs: 10, labelShares: [0.5] }, own];
}

/** Where not everything fits, time goes into rows of the table before it goes into curves. */
const scoresFirst = (name: EffortName): Measuring => ({ ...efforts[name].measuring, labelShares: [] });

const holdsCore = ({ entries }: Plan): boolean => !entries.some(({ chain, status }) => status === "left out" && coreChains.includes(chain));

/** How far down the list everything runs that can. */
function reach({ entries }: Plan): number {
  const first = entries.findIndex((entry) => entry.status === "left out");
  return first === -1 ? entries.length : first;
}

function fit(
  options: PlanOptions,
  effortName: EffortName,
  { measuring = efforts[effortName].measuring, trainingTokens }: { readonly measuring?: Measuring; readonly trainingTokens?: number } = {},
): Plan {
  const { models, machine, budgetSeconds } = options;
  const { effort: whole } = efforts[effortName];
  const effort: Effort = trainingTokens === undefined ? whole : { ...whole, trainingTokens };
  const chains = options.strategies === "all" ? allChains : options.strategies;
  const limit = budgetSeconds === undefined ? Number.POSITIVE_INFINITY : planned * budgetSeconds;
  let spent = 0;
  const kept = new Set<string>();
  const entries = chains.flatMap((chain) =>
    modelsFor(chain, models).map(({ name, shape }): PlanEntry => {
      const needs = chainNeeds({ chain, model: name, shape, options, effort, measuring, kept });
      if ("cannot" in needs) return { chain, model: name, status: "cannot", reason: needs.cannot };
      const { total: cost, buildSeconds } = needs;
      if (spent + cost.seconds > limit) {
        const reason = `It needs about ${minutes(cost.seconds)}; ${minutes(Math.max(0, limit - spent))} of the budget were left.`;
        return { chain, model: name, status: "left out", reason, needs: cost, buildSeconds };
      }
      spent += cost.seconds;
      for (const prefix of prefixesOf(chain)) kept.add(`${prefix} ${name}`);
      return { chain, model: name, status: "run", needs: cost, buildSeconds };
    }),
  );
  const needs = entries.flatMap((entry) => (entry.status === "run" && entry.needs !== undefined ? [entry.needs] : []));
  const total = sum([...needs, rebuilding(needs, measuring)]);
  return { effortName, effort, measuring, entries, total, machine, ...(budgetSeconds === undefined ? {} : { budgetSeconds }) };
}

/** Who will be in the race is not known yet: the two rows that take longest are taken to be built again from each share of the examples. */
function rebuilding(needs: readonly Needs[], { labelShares }: Measuring): Needs {
  const longest = needs.map(({ seconds }) => seconds).toSorted((a, b) => b - a);
  const share = labelShares.reduce((all, one) => all + one, 0);
  return { ...nothingNeeded, seconds: share * longest.slice(0, 2).reduce((all, one) => all + one, 0) };
}

/** Chains that end without a language model, or combine whole candidates, are built once, not once a model. */
function modelsFor(chain: string, models: PlanOptions["models"]): PlanOptions["models"] {
  const once = parseChain(chain).some((strategy) => strategy.combines === true || strategy.shape(models[0]!.shape).kind === "classify");
  return once ? models.slice(0, 1).map(({ shape }) => ({ name: "", shape })) : models;
}

/** `a`, `a > b`, `a > b > c`: chains share their beginnings, which are built once. */
function prefixesOf(chain: string): readonly string[] {
  const steps = stepsOf(chain);
  return steps.map((_, index) => steps.slice(0, index + 1).join(" > "));
}

function chainNeeds({
  chain,
  model,
  shape,
  options,
  effort,
  measuring,
  kept,
}: {
  chain: string;
  model: string;
  shape: Shape;
  options: PlanOptions;
  effort: Effort;
  measuring: Measuring;
  /** Beginnings that an earlier chain of the plan builds. */
  kept: ReadonlySet<string>;
}): { readonly total: Needs; readonly buildSeconds: number } | { readonly cannot: string } {
  const { facts, machine } = options;
  const parts: Needs[] = [];
  const prefixes = prefixesOf(chain);
  let start = shape;
  for (const [index, strategy] of parseChain(chain).entries()) {
    const needs = strategy.estimate({ start, facts, machine, effort });
    if ("cannot" in needs) return needs;
    start = strategy.shape(start);
    if (kept.has(`${prefixes[index]} ${model}`)) continue;
    parts.push(needs);
    if (index > 0 && strategy.always !== true)
      parts.push(answering(start, facts, machine, Math.min(facts.validation, effort.validationExamples)));
  }
  const buildSeconds = sum(parts).seconds;
  const { inputs, each } = facts.reworded;
  const reworded = Math.min(measuring.consistencyInputs, inputs) * each;
  const passes = facts.test + reworded + Math.min(facts.validation, effort.validationExamples) + measuring.latencyInputs * 1.1;
  parts.push(answering(start, facts, machine, passes), { ...nothingNeeded, seconds: start.kind === "classify" ? 0.5 : probeSeconds });
  if (start.adapter || start.trained) parts.push(forgettingNeeds(machine, measuring));
  return { total: sum(parts), buildSeconds };
}

/** The probe reads its text once: four characters a token, four choices of about 25 tokens a question. */
function forgettingNeeds(machine: Machine, { forgetting }: Measuring): Needs {
  const tokens = forgetting.bytes / 4 + forgetting.questions * 100;
  return { seconds: tokens / machine.speeds.readTokensPerSecond, memoryBytes: 0, diskBytes: 0, tokens };
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
