// Seconds and tokens of asking a candidate, from its shape and the task's sizes. First guesses from measured speeds, no more.
import { HELD_WHOLE } from "../train/base.ts";
import type { Effort, Estimate, Facts, Machine, Needs, Shape } from "./strategy.ts";

export const nothingNeeded: Needs = { seconds: 0, memoryBytes: 0, diskBytes: 0, tokens: 0 };

/** Tokens in a prompt of this shape, split into the part that all inputs share and the rest. */
export function promptTokens(shape: Shape, facts: Facts): { readonly shared: number; readonly own: number } {
  const labels = facts.output.kind === "labels" ? facts.output.labels.length * 3 : 0;
  const demonstration = facts.inputTokens + facts.outputTokens + 10;
  const shared = facts.instructionTokens + labels + 10 + Math.max(0, shape.demonstrations) * demonstration;
  return { shared, own: facts.inputTokens + 8 + Math.round(shape.passageWords * 1.4) };
}

/** Seconds of an answer beside reading and writing: retrieval, rendering, tokens read back for their confidence. */
const overhead = 0.03;

/** Seconds one answer takes with its shared prefix in memory. */
export function answerSeconds(shape: Shape, facts: Facts, machine: Machine): number {
  if (shape.kind === "classify") return 0.002;
  const { own } = promptTokens(shape, facts);
  const { readTokensPerSecond, writeTokensPerSecond } = machine.speeds;
  const scale = shape.parameters / 135e6;
  // A model that has not been tuned to the answers goes on after them: a sentence where three words were asked for.
  const more = shape.adapter || shape.trained ? 1 : 10;
  const written = facts.output.kind === "labels" ? Math.min(4, facts.outputTokens) : facts.outputTokens + more;
  return scale * (own / readTokensPerSecond + written / writeTokensPerSecond) + overhead;
}

export function answering(shape: Shape, facts: Facts, machine: Machine, count: number): Needs {
  const { own, shared } = promptTokens(shape, facts);
  return {
    seconds: answerSeconds(shape, facts, machine) * count + shared / machine.speeds.readTokensPerSecond,
    memoryBytes: shape.kind === "classify" ? 0 : shape.modelBytes * 1.3 + 200e6,
    diskBytes: 0,
    tokens: shape.kind === "classify" ? 0 : (own + facts.outputTokens) * count + shared,
  };
}

/** Gradient steps over the rendered training texts; full fine-tuning costs more a token and keeps optimiser state for every weight. */
export function training(options: { shape: Shape; facts: Facts; machine: Machine; effort: Effort; method: "lora" | "full" }): Estimate {
  const { shape, facts, machine, effort, method } = options;
  if (shape.kind !== "generate") return { cannot: "Only a language model can be tuned." };
  if (!shape.local) return { cannot: "The model is behind an API; its weights are not here to be tuned." };
  const { trainTokensPerSecond, cannotTrain = "The model cannot be tuned here." } = machine.speeds;
  if (trainTokensPerSecond === 0) return { cannot: cannotTrain };
  if (shape.adapter) return { cannot: "The candidate has an adapter already, and llama.cpp would apply both." };
  const { shared, own } = promptTokens(shape, facts);
  const length = Math.min(effort.maxSequence, shared + own + facts.outputTokens);
  const read = Math.min(effort.trainingTokens, length * facts.train * effort.epochs);
  // The loss on validation, after each epoch, is a forward pass alone.
  const epochs = Math.ceil(read / (length * facts.train));
  const tokens = read + 0.4 * length * Math.min(facts.validation, effort.validationExamples) * epochs;
  const scale = (shape.parameters / 135e6) * (method === "full" ? 2 : 1);
  // Of the sums of `train/estimate.ts` for the demo model, what grows with the weights and what with layers and width.
  // Large models' frozen layers stay quantised where the file is; others are held three times.
  const frozen = shape.parameters > HELD_WHOLE && shape.modelBytes < 1.5 * shape.parameters ? 1.8 : 12.5;
  const memoryBytes = shape.parameters * (method === "full" ? 20 : frozen) + 250e6 + 1.2e9 * (shape.parameters / 135e6) ** 0.6;
  if (memoryBytes > machine.memoryBytes * 0.8) {
    return { cannot: `Training needs about ${gigabytes(memoryBytes)}, and this machine has ${gigabytes(machine.memoryBytes)}.` };
  }
  return {
    seconds: (scale * tokens) / trainTokensPerSecond + 8,
    memoryBytes,
    diskBytes: method === "full" ? shape.parameters * 2 : 20e6,
    tokens,
  };
}

export const sum = (parts: readonly Needs[]): Needs =>
  parts.reduce(
    (total, part) => ({
      seconds: total.seconds + part.seconds,
      memoryBytes: Math.max(total.memoryBytes, part.memoryBytes),
      diskBytes: total.diskBytes + part.diskBytes,
      tokens: total.tokens + part.tokens,
    }),
    nothingNeeded,
  );

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
