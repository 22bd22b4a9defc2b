// Turns a candidate's prompt and one input into model input. The one path for evaluation, serving, `ask` and training texts.
import type { Demonstration, GenerateCandidate, Prompt } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import type { Decoding, Message, ModelInput } from "../model.ts";
import { fence } from "../retriever/fence.ts";

export interface Rendered {
  readonly input: ModelInput;
  readonly decoding: Decoding;
  /** The answer as the model must write it: plain completion wants a space before the first word. */
  readonly completion: (output: string) => string;
  /** What the model sees, for people to read. */
  readonly text: string;
}

export interface RenderOptions {
  readonly candidate: Pick<GenerateCandidate, "prompt" | "decoding">;
  readonly input: string;
  /** Undefined where the candidate does not retrieve; empty where it found nothing. */
  readonly passages?: readonly Pick<Passage, "title" | "text">[] | undefined;
  readonly demonstrations: readonly Demonstration[];
}

/**
 * The model input of one example. Everything that all inputs of a candidate begin with (instruction, fixed demonstrations) is
 * counted in `input.shared`, so that the model reads it once.
 */
export function render({ candidate, input, passages, demonstrations }: RenderOptions): Rendered {
  const { prompt, decoding } = candidate;
  const instruction = instructionOf(prompt, decoding);
  const fixed = prompt.demonstrations.kind === "nearest" ? 0 : demonstrations.length;
  const question = questionText(prompt, input, passages);
  const modelInput = layouts[prompt.format]({ prompt, instruction, demonstrations, fixed, question });
  const completion = (output: string): string => (prompt.format === "completion" ? ` ${output}` : output);
  return { input: modelInput, decoding: withCompletion(decoding, completion), completion, text: textOf(modelInput) };
}

interface Parts {
  readonly prompt: Prompt;
  readonly instruction: string;
  readonly demonstrations: readonly Demonstration[];
  readonly fixed: number;
  readonly question: string;
}

const layouts: { readonly [F in Prompt["format"]]: (parts: Parts) => ModelInput } = {
  chat: ({ prompt, instruction, demonstrations, fixed, question }) => {
    const turns = demonstrations.flatMap((one): Message[] => [
      { role: "user", content: questionText(prompt, one.input, passagesOf(one)) },
      { role: "assistant", content: one.output },
    ]);
    const messages: Message[] = [{ role: "system", content: instruction }, ...turns, { role: "user", content: question }];
    return { kind: "chat", messages, shared: 1 + 2 * fixed };
  },
  message: ({ prompt, instruction, demonstrations, question }) => {
    const shown = demonstrations.map((one) => demonstrationText(prompt, one));
    return { kind: "chat", messages: [{ role: "user", content: [instruction, ...shown, ask(prompt, question)].join("\n\n") }], shared: 0 };
  },
  completion: ({ prompt, instruction, demonstrations, fixed, question }) => {
    const head = instruction === "" ? [] : [instruction];
    const shown = demonstrations.map((one) => demonstrationText(prompt, one));
    const shared = [...head, ...shown.slice(0, fixed)].map((part) => `${part}\n\n`).join("");
    return { kind: "completion", text: [...head, ...shown, ask(prompt, question)].join("\n\n"), shared: shared.length };
  },
};

function instructionOf(prompt: Prompt, decoding: Decoding): string {
  if (!prompt.listLabels || decoding.constraint.kind !== "labels") return prompt.instruction;
  return `${prompt.instruction}\nAnswer with one of: ${decoding.constraint.labels.join(", ")}.`;
}

function questionText(prompt: Prompt, input: string, passages: readonly Pick<Passage, "title" | "text">[] | undefined): string {
  if (passages === undefined) return prompt.format === "chat" ? input : `${prompt.inputPrefix}${input}`;
  const listed = passages
    .map(fence([prompt.inputPrefix, prompt.outputPrefix]))
    .map(({ title, text }, index) => `[${index + 1}] ${title}: ${text}`);
  return `${listed.join("\n\n")}\n\n${prompt.inputPrefix}${input}`;
}

const passagesOf = (one: Demonstration): { title: string; text: string }[] | undefined =>
  one.passages?.map((text) => ({ title: "Passage", text }));

const ask = (prompt: Prompt, question: string): string => `${question}\n${prompt.outputPrefix}`;

function demonstrationText(prompt: Prompt, one: Demonstration): string {
  return `${ask(prompt, questionText(prompt, one.input, passagesOf(one)))} ${one.output}`;
}

function withCompletion(decoding: Decoding, completion: (output: string) => string): Decoding {
  const { constraint } = decoding;
  if (constraint.kind !== "labels") return decoding;
  return { ...decoding, constraint: { kind: "labels", labels: constraint.labels.map(completion) } };
}

/** A model input as people read it. */
export function textOf(input: ModelInput): string {
  if (input.kind === "completion") return input.text;
  return input.messages.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
}
