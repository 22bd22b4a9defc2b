// How often the rule of choice errs, and the intervals miss, in worlds whose true scores are known. Prints a table; with `json` one line last.
import { createMetric } from "../src/metric/metrics.ts";
import { normalQuantile } from "../src/compare/distribution.ts";
import type { Metric } from "../src/evaluation.ts";
import type { Random } from "../src/util/random.ts";
import { type CoverageWorld, exactCoverage, meanCoverage, simulatedCoverage } from "../test/support/coverage.ts";
import { type Outcome, scenes, simulate, type World } from "../test/support/simulation.ts";
import { type BenchOptions, printTable, readArguments } from "./bench.ts";

const sizes = [50, 100, 300];
const counts = [2, 5, 15];

/** `--runs` a world (400), `--samples` a bootstrap (500). */
export async function run({ json, arguments: given }: Pick<BenchOptions, "json" | "arguments">): Promise<void> {
  const { runs: runsText = "400", samples: samplesText = "500" } = readArguments(given, {
    runs: { type: "string" },
    samples: { type: "string" },
  });
  const [runs, samples] = [Number(runsText), Number(samplesText)];
  const bound = 0.05 + 2 * Math.sqrt((0.05 * 0.95) / runs);
  const outcomes = worlds().map((world) => simulate({ world, runs, samples, seed: 0 }));
  printTable(["scene", "rows", "n", "candidates", "clear", "wrong", "bands hold", "regret", "flattery", "corrected"], outcomes.map(line));
  const worst = Math.max(...outcomes.map(({ wrong }) => wrong));
  const clear = outcomes.reduce((total, outcome) => total + outcome.clear, 0) / outcomes.length;
  console.log(
    `\nA clear winner in ${percent(clear)} of runs; wrong in at most ${percent(worst)} of a world's runs (bound ${percent(bound)}): ${worst <= bound ? "kept" : "BROKEN"}.`,
  );
  const coverage = coverages(runs, samples);
  printTable(
    ["interval of", "n", "coverage"],
    coverage.map(({ of, n, share }) => [of, String(n), percent(share)]),
  );
  if (json)
    console.log(JSON.stringify({ bench: "simulation", runs, samples, bound, worst, clear, kept: worst <= bound, outcomes, coverage }));
}

function worlds(): readonly World[] {
  const kinds = [
    { groupSize: 1, graded: false },
    { groupSize: 3, graded: false },
    { groupSize: 1, graded: true },
  ];
  const names = Object.keys(scenes) as (keyof typeof scenes)[];
  return kinds.flatMap((kind) =>
    names.flatMap((scene) => sizes.flatMap((examples) => counts.map((candidates) => ({ scene, examples, candidates, ...kind })))),
  );
}

function line({ world, clear, wrong, bands, regret, flattery, corrected }: Outcome): readonly string[] {
  const rows = world.graded ? "graded" : world.groupSize > 1 ? `in groups of ${world.groupSize}` : "0 or 1";
  const figures = [clear, wrong, bands].map(percent);
  return [
    world.scene,
    rows,
    String(world.examples),
    String(world.candidates),
    ...figures,
    ...[regret, flattery, corrected].map((value) => value.toFixed(3)),
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

interface Coverage {
  readonly of: string;
  readonly n: number;
  readonly share: number;
}

function coverages(runs: number, samples: number): readonly Coverage[] {
  const exact = [30, 50, 100, 300].map((n) => ({ of: "a proportion, mean over p in [.1, .9]", n, share: meanCoverage(n) }));
  const extremes = [0.02, 0.98].flatMap((p) =>
    [30, 100, 300].map((n) => ({ of: `a proportion, p = ${p}`, n, share: exactCoverage(n, p) })),
  );
  const rest = Object.entries(coverageWorlds).flatMap(([of, world]) =>
    [30, 100, 300].map((n) => ({ of, n, share: simulatedCoverage({ world, groups: n, runs: 2 * runs, samples, seed: n }) })),
  );
  return [...exact, ...extremes, ...rest];
}

const labels = ["a", "b", "c", "d", "e", "f", "g", "h"];
const priors = [0.3, 0.2, 0.15, 0.1, 0.1, 0.07, 0.05, 0.03];
const macroF1 = createMetric("macro-f1", { output: { kind: "labels", labels } });
const fieldF1 = createMetric("field-f1", { output: { kind: "schema", schema: { type: "object" } } });
const mean: Metric = { ...createMetric("token-f1", { output: { kind: "text" } }) };
const accuracy = createMetric("accuracy", { output: { kind: "labels", labels } });

/** n counts groups: of three rows where rows stand in groups. */
const coverageWorlds: { readonly [of: string]: CoverageWorld } = {
  "accuracy .8 in groups of 3": { metric: accuracy, group: (random) => correlated(random, 0.8) },
  "token F1 about .35": { metric: mean, group: (random) => ({ sums: [graded(random, 0.2, 0.5)], rows: 1 }) },
  "token F1 about .92": { metric: mean, group: (random) => ({ sums: [graded(random, 0.9, 0.05)], rows: 1 }) },
  "macro-F1 of 8 labels, about .6": { metric: macroF1, group: (random) => ({ sums: labelled(random, 0.6), rows: 1 }) },
  "macro-F1 of 8 labels, about .95": { metric: macroF1, group: (random) => ({ sums: labelled(random, 0.95), rows: 1 }) },
  "field F1 about .8": { metric: fieldF1, group: (random) => ({ sums: fields(random, 0.8), rows: 1 }) },
};

function correlated(random: Random, share: number): { sums: readonly number[]; rows: number } {
  const common = random.normal();
  const right = [0, 1, 2].filter(() => Math.SQRT1_2 * (common + random.normal()) < normalQuantile(share));
  return { sums: [right.length], rows: 3 };
}

function graded(random: Random, whole: number, none: number): number {
  const draw = random.next();
  return draw < whole ? 1 : draw < whole + none ? 0 : 0.1 + 0.8 * random.next();
}

function labelled(random: Random, share: number): readonly number[] {
  let draw = random.next();
  let expected = 0;
  while (expected < labels.length - 1 && draw > priors[expected]!) draw -= priors[expected++]!;
  const given = random.next() < share ? expected : random.integer(labels.length);
  const [example, output] = [{ id: "", input: "", output: labels[expected]! }, labels[given]!];
  return macroF1.statistics({ example, output, passages: [] });
}

/** Four fields a text, right or wrong together more often than not. */
function fields(random: Random, share: number): readonly number[] {
  const common = random.normal();
  const right = [0, 1, 2, 3].filter(() => Math.SQRT1_2 * (common + random.normal()) < normalQuantile(share)).length;
  const given = Math.round((4 - right) * random.next());
  return [right, given, 4 - right];
}
