// Worlds with known true scores, to see how often the rule of choice errs. The rule itself is the one that ships.
import { compareEvaluations, type CandidateProfile, type Comparison } from "../../src/compare/compare.ts";
import { normalQuantile } from "../../src/compare/distribution.ts";
import type { Metric, Row } from "../../src/evaluation.ts";
import { type Random, seededRandom } from "../../src/util/random.ts";

export interface World {
  readonly scene: keyof typeof scenes;
  readonly examples: number;
  readonly candidates: number;
  /** Examples of a group share half of what each candidate finds hard, and all that is hard for everybody. */
  readonly groupSize: number;
  /** Graded rows are 1, or else a third of the time a part of it, as token F1 is. */
  readonly graded: boolean;
}

export interface Outcome {
  readonly world: World;
  readonly runs: number;
  /** Share of runs with a clear winner. */
  readonly clear: number;
  /** Share of runs with a clear winner that is worse than the best eligible by more than the tolerance. */
  readonly wrong: number;
  /** Mean of what the choice, clear or provisional, gives up against the best. */
  readonly regret: number;
  /** Share of runs in which every band holds its true difference. */
  readonly bands: number;
  /** Mean of the winner's score less its true score: as measured, and corrected. */
  readonly flattery: number;
  readonly corrected: number;
}

const tolerance = 0.05;

/** Mean of a graded row that is not 1. */
const partial = 1 / 3 / 2;

/** True scores, that is, shares of right answers, from the cheapest candidate to the dearest. */
export const scenes = {
  "all equal": (count: number): number[] => fill(count, 0.7),
  "one far better": (count: number): number[] => [...fill(count - 1, 0.5), 0.9],
  "evenly apart": (count: number): number[] => Array.from({ length: count }, (_, index) => 0.4 + (0.4 * index) / (count - 1)),
  "all but the dearest too bad by a hair": (count: number): number[] => [...fill(count - 1, 0.7 - tolerance - 0.001), 0.7],
  "the same near the ceiling": (count: number): number[] => [...fill(count - 1, 0.95 - tolerance - 0.001), 0.95],
  "at random": (count: number, random: Random): number[] => Array.from({ length: count }, () => 0.4 + 0.5 * random.next()),
};

const metric: Metric = {
  name: "simulated",
  higherIsBetter: true,
  proportion: false,
  statistics: () => [0],
  worst: () => [0],
  value: (sums, count) => (sums[0] ?? 0) / count,
};

const fill = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

/** `runs` draws of a world, each compared with `samples` bootstrap samples. */
export function simulate({ world, runs, samples, seed }: { world: World; runs: number; samples: number; seed: number }): Outcome {
  const random = seededRandom(`simulation ${seed} ${JSON.stringify(world)}`);
  const totals = { clear: 0, wrong: 0, regret: 0, bands: 0, flattery: 0, corrected: 0 };
  for (let run = 0; run < runs; run += 1) {
    const truth = scenes[world.scene](world.candidates, random);
    const shares = truth.map((score) => (world.graded ? (score - partial) / (1 - partial) : score));
    const comparison = draw({ world, shares, samples, seed: run, random });
    const { winner, status } = comparison.recommendation;
    const score = comparison.scores[winner ?? ""];
    const own = truth[Number(winner)] ?? Number.NaN;
    const regret = Math.max(...truth) - own;
    totals.clear += Number(status === "clear");
    totals.wrong += Number(status === "clear" && regret > tolerance);
    totals.regret += regret;
    totals.bands += Number(comparison.comparisons.every(({ a, b, low, high }) => inside(truth[Number(a)]! - truth[Number(b)]!, low, high)));
    totals.flattery += (score?.value ?? Number.NaN) - own;
    totals.corrected += (score?.corrected ?? Number.NaN) - own;
  }
  const means = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / runs])) as typeof totals;
  return { world, runs, ...means };
}

const inside = (value: number, low: number, high: number): boolean => low <= value && value <= high;

interface Draw {
  readonly world: World;
  readonly shares: readonly number[];
  readonly samples: number;
  readonly seed: number;
  readonly random: Random;
}

function draw({ world, shares, samples, seed, random }: Draw): Comparison {
  const drawn = values({ world, shares, random });
  const profiles = shares.map((_, index): CandidateProfile => ({
    id: String(index),
    kind: "generate",
    local: true,
    secondsPerRequest: index + 1,
    latency: { p50: index + 1, p95: index + 1 },
    buildSeconds: 0,
    updateSeconds: 0,
  }));
  return compareEvaluations({
    evaluations: drawn.map((rows, index) => ({ candidate: String(index), rows: rows.map((value, at) => row(value, at, world.groupSize)) })),
    metric: { ...metric, proportion: !world.graded },
    profiles,
    objective: "cost",
    tolerance,
    constraints: {},
    usage: { requestsPerMonth: 1000, updatesPerMonth: 0, months: 12 },
    seed,
    samples,
  });
}

/** Gaussian copula: half of what makes an example hard is hard for every candidate. [candidates, examples] */
function values({ world, shares, random }: Pick<Draw, "world" | "shares" | "random">): number[][] {
  const { examples, groupSize, graded } = world;
  const thresholds = shares.map(normalQuantile);
  const drawn = shares.map((): number[] => []);
  for (let start = 0; start < examples; start += groupSize) {
    const common = random.normal();
    const ofGroup = shares.map(() => random.normal());
    for (let at = start; at < Math.min(examples, start + groupSize); at += 1) {
      for (const [index, rows] of drawn.entries()) {
        const own = groupSize === 1 ? ofGroup[index]! : Math.SQRT1_2 * (ofGroup[index]! + random.normal());
        const right = Math.SQRT1_2 * (common + own) < thresholds[index]!;
        rows.push(right ? 1 : graded && random.next() < 1 / 3 ? random.next() : 0);
      }
    }
  }
  return drawn;
}

function row(value: number, index: number, groupSize: number): Row {
  return {
    id: String(index),
    group: String(Math.floor(index / groupSize)),
    input: "",
    expected: "",
    output: "",
    passages: [],
    prompt: "",
    tokens: { input: 0, output: 0 },
    seconds: 0,
    scores: { simulated: { value, statistics: [value] } },
    reason: "",
  };
}
