// The rule of choice in worlds whose true scores are known: a clear winner is almost never wrong. `npm run bench -- simulation` does more.
import { afterAll, expect, test } from "vitest";
import { simulate, type World } from "../../test/support/simulation.ts";

const runs = 100;
const monteCarlo = Math.sqrt((0.05 * 0.95) / runs);

const worlds: readonly World[] = [
  { scene: "all equal", examples: 100, candidates: 5, groupSize: 1, graded: false },
  { scene: "all equal", examples: 300, candidates: 2, groupSize: 3, graded: false },
  { scene: "all but the dearest too bad by a hair", examples: 50, candidates: 2, groupSize: 1, graded: false },
  { scene: "all but the dearest too bad by a hair", examples: 100, candidates: 15, groupSize: 1, graded: true },
  { scene: "all but the dearest too bad by a hair", examples: 300, candidates: 5, groupSize: 3, graded: false },
  { scene: "the same near the ceiling", examples: 50, candidates: 2, groupSize: 3, graded: false },
  { scene: "the same near the ceiling", examples: 100, candidates: 2, groupSize: 3, graded: false },
  { scene: "the same near the ceiling", examples: 300, candidates: 5, groupSize: 1, graded: true },
  { scene: "at random", examples: 50, candidates: 5, groupSize: 1, graded: true },
  { scene: "at random", examples: 100, candidates: 15, groupSize: 3, graded: false },
];

const title = ({ scene, examples, candidates, groupSize, graded }: World): string =>
  `${scene}: ${candidates} candidates, ${examples} ${graded ? "graded " : ""}examples in groups of ${groupSize}`;

const printed: string[] = [];
afterAll(() => void process.stdout.write(`${printed.join("\n")}\n`));

test.each(worlds.map((world) => ({ name: title(world), world })))("$name: a clear winner is wrong in at most 5 %", ({ world }) => {
  const { clear, wrong, bands, corrected } = simulate({ world, runs, samples: 300, seed: 1 });
  printed.push(`${title(world)}: a clear winner in ${Math.round(100 * clear)} %, wrong in ${Math.round(100 * wrong)} %`);
  expect(wrong).toBeLessThanOrEqual(0.05 + 2 * monteCarlo);
  expect(bands).toBeGreaterThan(0.95 - 4 * monteCarlo);
  expect(Math.abs(corrected)).toBeLessThan(0.03);
});

test("a far better candidate is found, and clear", () => {
  const outcome = simulate({
    world: { scene: "one far better", examples: 100, candidates: 15, groupSize: 1, graded: false },
    runs: 30,
    samples: 300,
    seed: 2,
  });
  expect(outcome.clear).toBeGreaterThan(0.9);
  expect(outcome.regret).toBeLessThan(0.02);
});

test("the best of many is flattered, and the corrected score is not", () => {
  const outcome = simulate({
    world: { scene: "all equal", examples: 100, candidates: 15, groupSize: 1, graded: false },
    runs: 60,
    samples: 300,
    seed: 3,
  });
  expect(outcome.flattery).toBeGreaterThan(0.03);
  expect(Math.abs(outcome.corrected)).toBeLessThan(0.015);
});
