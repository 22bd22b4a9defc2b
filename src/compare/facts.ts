// Sizes of a task and of a model, for estimates.
import type { CandidateModel } from "../candidate.ts";
import { wordingsOf } from "../evaluate/consistency.ts";
import { isLocal, type LanguageModel } from "../model.ts";
import type { Facts, Shape } from "../strategy/strategy.ts";
import type { Document, LabelledExample, Split, Task } from "../task.ts";
import { mean } from "../util/mean.ts";
import { readGguf } from "../weights/gguf-read.ts";

/** Mean tokens over the training examples; documents are counted in full. */
export function factsOf({ task, split, countTokens }: { task: Task; split: Split; countTokens: (text: string) => number }): Facts {
  const average = (pick: (example: LabelledExample) => string): number =>
    Math.ceil(mean(split.train.map((example) => countTokens(pick(example)))));
  return {
    output: task.output,
    train: split.train.length,
    validation: split.validation.length,
    test: split.test.length,
    reworded: wordingsOf(split.test),
    instructionTokens: countTokens(task.instruction),
    inputTokens: average((example) => example.input),
    outputTokens: average((example) => example.output),
    documents: task.documents.length,
    documentTokens: tokensOf(task.documents, countTokens),
    evidence: split.train.some((example) => example.evidence !== undefined),
    abstention: task.abstention !== undefined,
  };
}

const tokensOf = (documents: readonly Document[], countTokens: (text: string) => number): number =>
  documents.reduce((sum, document) => sum + countTokens(document.text), 0);

/** A bare model as a shape. Remote models have neither bytes nor parameters here. */
export async function shapeOf(model: LanguageModel): Promise<Shape> {
  const bare = { kind: "generate", retrieves: false, passageWords: 0, demonstrations: 0, adapter: false, trained: false } as const;
  if (!isLocal(model)) return { ...bare, local: false, modelBytes: 0, parameters: 0 };
  const { tensors } = await readGguf(model.path);
  const parameters = [...tensors.values()].reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
  return { ...bare, local: true, modelBytes: model.bytes, parameters };
}

/** A model as the task names it. */
export function candidateModel(reference: CandidateModel["reference"]): CandidateModel {
  const name = typeof reference === "string" ? (reference.split(/[\\/]/u).at(-1) ?? reference).replace(/\.gguf$/u, "") : reference.model;
  return { name, reference, chat: true };
}
