// Training texts: the same rendering that will be served, as token ids. An example never sees itself.
import { prepare } from "../../answer/answer.ts";
import type { GenerateCandidate } from "../../candidate.ts";
import type { Passage } from "../../evaluation.ts";
import type { LocalLanguageModel, TokenSequence } from "../../model.ts";
import type { LabelledExample } from "../../task.ts";
import type { StrategyContext } from "../strategy.ts";

export interface Texts {
  readonly sequences: readonly TokenSequence[];
  /** Left out because they are longer than the longest training sequence. */
  readonly tooLong: number;
}

/** One sequence an example: rendered prompt, then the answer, which alone is learnt. `contextFor` may choose the passages shown. */
export async function renderTexts(options: {
  readonly candidate: GenerateCandidate;
  readonly model: LocalLanguageModel;
  readonly examples: readonly LabelledExample[];
  readonly context: StrategyContext;
  readonly contextFor?: (example: LabelledExample) => Promise<readonly Passage[]>;
}): Promise<Texts> {
  const { candidate, model, examples, context, contextFor } = options;
  const sequences: TokenSequence[] = [];
  for (const example of examples) {
    context.signal?.throwIfAborted();
    const passages = await contextFor?.(example);
    const { rendered } = await prepare({
      candidate,
      input: example.input,
      resources: context.resources,
      exclude: { id: example.id, ...(example.group === undefined ? {} : { group: example.group }) },
      ...(passages === undefined ? {} : { passages }),
      ...(context.signal && { signal: context.signal }),
    });
    sequences.push(model.tokenize(rendered.input, rendered.completion(example.output)));
  }
  const kept = sequences.filter((sequence) => sequence.tokens.length <= context.effort.maxSequence);
  return { sequences: kept, tooLong: sequences.length - kept.length };
}
