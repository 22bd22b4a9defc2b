// Rows of training data as token ids, exactly as the model will be asked. Knows no strategy.
import type { TrainingRow } from "../data/training-rows.ts";
import type { LocalLanguageModel, TokenSequence } from "../model.ts";
import { tokenWindows } from "../train/windows.ts";

export interface TrainingSequencesOptions {
  readonly model: Pick<LocalLanguageModel, "tokenize" | "tokenizeText">;
  /** Whether prompts are turns of a conversation under the model's template, or text that the completion goes on with. */
  readonly chat: boolean;
  /** Tokens of the longest sequence. */
  readonly longest: number;
}

export interface TrainingSequences {
  readonly sequences: readonly TokenSequence[];
  /** Answers left out because they and what stands before them are longer. */
  readonly tooLong: number;
}

/**
 * A pair is one sequence; of a conversation each learnt turn is one, with the turns before it as its prompt; a text is cut into windows,
 * each beginning with the last token of the one before.
 */
export function trainingSequences(rows: readonly TrainingRow[], options: TrainingSequencesOptions): TrainingSequences {
  const sequences = rows.flatMap((row) => (writers[row.kind] as Writer)(row, options));
  const kept = sequences.filter(({ tokens }) => tokens.length <= options.longest);
  return { sequences: kept, tooLong: sequences.length - kept.length };
}

type Writer<R extends TrainingRow = TrainingRow> = (row: R, options: TrainingSequencesOptions) => readonly TokenSequence[];

const writers: { readonly [K in TrainingRow["kind"]]: Writer<TrainingRow & { readonly kind: K }> } = {
  pair: ({ prompt, completion }, { model, chat }) => [
    chat
      ? model.tokenize({ kind: "chat", messages: [{ role: "user", content: prompt }], shared: 0 }, completion)
      : model.tokenize({ kind: "completion", text: prompt, shared: 0 }, withoutJoint(prompt, completion)),
  ],
  conversation: ({ messages, from }, { model }) =>
    messages.flatMap(({ role, content }, index) =>
      role !== "assistant" || index < Math.max(from, 1)
        ? []
        : [model.tokenize({ kind: "chat", messages: messages.slice(0, index), shared: 0 }, content)],
    ),
  text: ({ text }, { model, longest }) => {
    const end = model.tokenize({ kind: "completion", text: "", shared: 0 }, "").tokens.at(-1)!;
    return tokenWindows([...model.tokenizeText(text), end], longest - 1);
  },
};

/** A model puts a space between a prompt that ends in a word and its completion, so the completion's own goes. */
function withoutJoint(prompt: string, completion: string): string {
  return /\S$/u.test(prompt) ? completion.replace(/^ /u, "") : completion;
}
