// The instruction alone.
import { nothingNeeded } from "../needs.ts";
import type { Strategy } from "../strategy.ts";

export const zeroShot: Strategy = {
  name: "zero-shot",
  summary: "The instruction alone, no examples.",
  shape: (start) => start,
  estimate: ({ start }) => (start.kind === "generate" ? nothingNeeded : { cannot: "Only a language model can be prompted." }),
  async *run(start) {
    yield { kind: "candidate", result: { candidate: start, parameters: {}, labelledExamples: 0 } };
  },
};
