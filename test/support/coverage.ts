// How often the 95 % interval of one score holds the true one: exactly for proportions, by simulation for the rest.
import { bootstrap, pseudoValues, scores } from "../../src/compare/resample.ts";
import { scoreInterval } from "../../src/compare/score-interval.ts";
import type { Grouped } from "../../src/compare/grouped.ts";
import type { Metric } from "../../src/evaluation.ts";
import { type Random, seededRandom } from "../../src/util/random.ts";

/** Exact coverage of the interval of a proportion over `n` independent rows with true share `p`. */
export function exactCoverage(n: number, p: number): number {
  let covered = 0;
  let logChoose = 0;
  for (let right = 0; right <= n; right += 1) {
    if (right > 0) logChoose += Math.log((n - right + 1) / right);
    const score = right / n;
    const { low, high } = scoreInterval({ score, rows: n, groups: n, proportion: true, resampled: [], pseudo: [] });
    if (low <= p && p <= high) covered += Math.exp(logChoose + right * Math.log(p) + (n - right) * Math.log(1 - p));
  }
  return covered;
}

/** Mean of {@link exactCoverage} over p from .1 to .9. */
export function meanCoverage(n: number): number {
  const shares = Array.from({ length: 81 }, (_, index) => 0.1 + index / 100);
  return shares.reduce((total, p) => total + exactCoverage(n, p), 0) / shares.length;
}

export interface CoverageWorld {
  readonly metric: Metric;
  /** Statistics of one group's rows, summed, and how many rows they are. */
  readonly group: (random: Random) => { readonly sums: readonly number[]; readonly rows: number };
}

/** Share of `runs` in which the interval holds the score of 100,000 groups. */
export function simulatedCoverage({
  world,
  groups,
  runs,
  samples,
  seed,
}: {
  world: CoverageWorld;
  groups: number;
  runs: number;
  samples: number;
  seed: number;
}): number {
  const random = seededRandom(`coverage ${seed}`);
  const truth = scores(draw(world, 100_000, random), world.metric)[0]!;
  let covered = 0;
  for (let run = 0; run < runs; run += 1) {
    const grouped = draw(world, groups, random);
    const { low, high } = scoreInterval({
      score: scores(grouped, world.metric)[0]!,
      rows: grouped.rows,
      groups,
      proportion: world.metric.proportion,
      resampled: bootstrap(grouped, world.metric, { samples, random }).values,
      pseudo: pseudoValues(grouped, world.metric),
    });
    covered += Number(low <= truth && truth <= high);
  }
  return covered / runs;
}

function draw({ group }: CoverageWorld, groups: number, random: Random): Grouped {
  const drawn = Array.from({ length: groups }, () => group(random));
  return {
    candidates: ["0"],
    groups,
    dimensions: drawn[0]!.sums.length,
    sums: Float64Array.from(drawn.flatMap(({ sums }) => [...sums])),
    counts: Float64Array.from(drawn, ({ rows }) => rows),
    rows: drawn.reduce((total, { rows }) => total + rows, 0),
  };
}
