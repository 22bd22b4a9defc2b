// The candidate every chain starts from: the task's instruction, the model as it is, greedy decoding over the task's output kind.
import type { CandidateModel, GenerateCandidate, Manifest } from "../candidate.ts";
import type { Constraint } from "../model.ts";
import type { LabelledExample, OutputKind, TaskView } from "../task.ts";

export const emptyManifest = (seed: number): Manifest => ({
  strategy: "",
  steps: [],
  parents: [],
  seed,
  labelledExamples: 0,
  build: { seconds: 0, peakMemoryBytes: 0 },
  weightsChanged: false,
  artefacts: [],
});

const words: { readonly [K in OutputKind["kind"]]: { readonly inputPrefix: string; readonly outputPrefix: string } } = {
  text: { inputPrefix: "Question: ", outputPrefix: "Answer:" },
  labels: { inputPrefix: "Message: ", outputPrefix: "Category:" },
  schema: { inputPrefix: "Message: ", outputPrefix: "JSON:" },
};

/** Zero-shot. The longest answer allowed follows from the training answers: half as long again as the longest, at least 12 tokens. */
export function baseCandidate(options: {
  readonly task: TaskView;
  readonly model: CandidateModel;
  readonly train: readonly LabelledExample[];
  readonly countTokens: (text: string) => number;
}): GenerateCandidate {
  const { task, model, train, countTokens } = options;
  const longest = train.reduce((most, example) => Math.max(most, countTokens(example.output)), 0);
  return {
    id: "base",
    kind: "generate",
    manifest: emptyManifest(task.seed),
    model,
    prompt: {
      format: model.chat ? "chat" : "completion",
      instruction: task.instruction,
      demonstrations: { kind: "none" },
      listLabels: task.output.kind === "labels",
      ...words[task.output.kind],
    },
    decoding: {
      constraint: constraintOf(task.output),
      maxTokens: Math.min(512, Math.max(12, Math.ceil(1.5 * longest))),
      temperature: 0,
      stop: model.chat ? [] : ["\n"],
    },
  };
}

function constraintOf(output: OutputKind): Constraint {
  return output.kind === "text" ? { kind: "free" } : output;
}
