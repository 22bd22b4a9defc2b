// The answer of the nearest training example: no language model.
import { asDemonstration, type Candidate } from "../../candidate.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

export const nearestBaseline: Strategy = {
  name: "nearest-example",
  summary: "Baseline without a language model: the answer of the most similar training example.",
  shape: (start) => ({ ...start, kind: "classify", retrieves: false, embeds: false, adapter: false }),
  estimate: () => nothingNeeded,
  async *run(start, { train }) {
    const candidate: Candidate = {
      kind: "classify",
      id: start.id,
      manifest: start.manifest,
      classifier: { kind: "nearest", pool: train.map(asDemonstration) },
    };
    yield { kind: "candidate", result: { candidate, parameters: { examples: train.length } } };
  },
};
