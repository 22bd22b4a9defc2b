// The instruction and demonstrations: the same for every input, or the nearest ones to each.
import { asDemonstration, type Candidate, type Demonstrations } from "../../candidate.ts";
import type { LabelledExample } from "../../task.ts";
import { seededRandom } from "../../util/random.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

const fixedCount = 8;
const nearestCount = 6;

/** Up to `count` training examples, shortest of a seeded draw, one per answer first: a class that is not shown is seldom named. */
export function chooseFixed(train: readonly LabelledExample[], count: number, seed: number): readonly LabelledExample[] {
  const shuffled = seededRandom(`few-shot ${seed}`).shuffle(train);
  const seen = new Map<string, number>();
  const ranked = shuffled.map((example) => {
    const nth = seen.get(example.output) ?? 0;
    seen.set(example.output, nth + 1);
    return { example, nth };
  });
  return ranked
    .toSorted((a, b) => a.nth - b.nth)
    .slice(0, count)
    .map(({ example }) => example);
}

export function fixedDemonstrations(train: readonly LabelledExample[], count: number, seed: number): Demonstrations {
  return { kind: "fixed", examples: chooseFixed(train, count, seed).map(asDemonstration) };
}

/** kNN few-shot (Liu et al. 2022, "What makes good in-context examples for GPT-3?"): the nearest demonstration stands last. */
export function nearestDemonstrations(train: readonly LabelledExample[], count: number): Demonstrations {
  return { kind: "nearest", count, similarity: "tf-idf", order: "nearest-last", pool: train.map(asDemonstration) };
}

export function withDemonstrations(start: Candidate, demonstrations: Demonstrations): Candidate {
  return start.kind === "generate" ? { ...start, prompt: { ...start.prompt, demonstrations } } : start;
}

function fewShotStrategy(options: {
  name: string;
  summary: string;
  count: number;
  /** Examples it needs of those there are: a nearest one may be any. */
  needs: (available: number) => number;
  choose: (train: readonly LabelledExample[], seed: number) => Demonstrations;
}): Strategy {
  const { name, summary, count, needs, choose } = options;
  return {
    name,
    summary,
    shape: (start) => ({ ...start, demonstrations: count }),
    estimate: ({ start }) => (start.kind === "generate" ? nothingNeeded : { cannot: "Only a language model can be shown demonstrations." }),
    async *run(start, { train }, { seed }) {
      const candidate = withDemonstrations(start, choose(train, seed));
      yield {
        kind: "candidate",
        result: { candidate, parameters: { demonstrations: Math.min(count, train.length) }, labelledExamples: needs(train.length) },
      };
    },
  };
}

export const fewShot = fewShotStrategy({
  name: "few-shot",
  summary: `The instruction and ${fixedCount} fixed examples.`,
  count: fixedCount,
  needs: (available) => Math.min(fixedCount, available),
  choose: (train, seed) => fixedDemonstrations(train, fixedCount, seed),
});

export const nearestFewShot = fewShotStrategy({
  name: "knn-few-shot",
  summary: `The instruction and the ${nearestCount} examples nearest to each input.`,
  count: nearestCount,
  needs: (available) => available,
  choose: (train) => nearestDemonstrations(train, nearestCount),
});
