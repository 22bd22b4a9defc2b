// TF-IDF and a linear support vector machine: no language model. If it wins, the report says so.
import type { Candidate } from "../../candidate.ts";
import { trainLinear } from "../linear.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

const costs = [0.3, 1, 3, 10];

export const linearBaseline: Strategy = {
  name: "tf-idf-linear",
  summary: "Baseline without a language model: TF-IDF and a linear support vector machine.",
  shape: (start) => ({ ...start, kind: "classify", retrieves: false, embeds: false, adapter: false }),
  estimate: ({ facts }) =>
    facts.output.kind === "labels"
      ? { ...nothingNeeded, seconds: 0.002 * facts.train * costs.length }
      : { cannot: "A classifier needs a closed set of labels." },
  async *run(start, { train, validation }, context) {
    const { output } = context.task;
    if (output.kind !== "labels") return;
    const tried: { cost: number; candidate: Candidate; score: number }[] = [];
    for (const cost of costs) {
      const classifier = trainLinear({ examples: train, labels: output.labels, cost, seed: context.seed });
      const candidate: Candidate = { kind: "classify", id: start.id, manifest: start.manifest, classifier };
      tried.push({ cost, candidate, score: (await context.validate(candidate, validation)).score });
    }
    const best = tried.reduce((a, b) => (b.score > a.score ? b : a));
    yield { kind: "candidate", result: { candidate: best.candidate, parameters: { cost: best.cost, features: "words and word pairs" } } };
  },
};
