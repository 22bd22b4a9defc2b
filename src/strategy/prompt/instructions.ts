// Where instructions come from: given, from templates, mined from examples and documents, proposed and paraphrased by the model.
import type { GenerateCandidate } from "../../candidate.ts";
import type { LanguageModel } from "../../model.ts";
import type { Document, LabelledExample, OutputKind } from "../../task.ts";
import { words } from "../../util/words.ts";
import { chooseFixed } from "./few-shot.ts";

export interface Instruction {
  readonly text: string;
  readonly source: "given" | "template" | "mined from examples" | "mined from documents" | "proposed" | "paraphrased";
}

const templates: { readonly [K in OutputKind["kind"]]: readonly string[] } = {
  text: ["Answer the question briefly.", "Give the short answer, in the fewest words, and nothing else."],
  labels: ["Classify the text.", "Read the message and choose the one category that fits what the writer wants."],
  schema: ["Extract the information as JSON.", "Read the message and fill in the JSON fields; use null for what is not said."],
};

export function minedInstructions(options: {
  given: string;
  output: OutputKind;
  train: readonly LabelledExample[];
  documents: readonly Document[];
}): readonly Instruction[] {
  const { given, output, train, documents } = options;
  const fromExamples = output.kind === "labels" ? labelHints(train, output.labels) : lengthHint(train);
  const titles = [...new Set(documents.map((document) => document.title))].slice(0, 12);
  return [
    { text: given, source: "given" },
    ...templates[output.kind].map((text): Instruction => ({ text, source: "template" })),
    { text: `${given} ${fromExamples}`, source: "mined from examples" },
    ...(titles.length === 0
      ? []
      : [{ text: `${given} The documents cover: ${titles.join(", ")}.`, source: "mined from documents" } as const]),
  ];
}

/** For each label the three words that stand out most in its examples (by log-odds with add-one smoothing). */
function labelHints(train: readonly LabelledExample[], labels: readonly string[]): string {
  const total = countWords(train);
  const all = sumOf(total);
  const hints = labels.map((label) => {
    const own = countWords(train.filter((example) => example.output === label));
    const size = sumOf(own);
    const odds = (word: string): number =>
      Math.log(((own.get(word) ?? 0) + 1) / (size + total.size)) - Math.log(((total.get(word) ?? 0) + 1) / (all + total.size));
    const best = [...own]
      .filter(([word, count]) => count > 1 && word.length > 3)
      .toSorted((a, b) => b[1] * odds(b[0]) - a[1] * odds(a[0]) || (a[0] < b[0] ? -1 : 1));
    return best.length === 0
      ? label
      : `${label} (${best
          .slice(0, 3)
          .map(([word]) => word)
          .join(", ")})`;
  });
  return `Typical words: ${hints.join("; ")}.`;
}

function lengthHint(train: readonly LabelledExample[]): string {
  const lengths = train.map((example) => words(example.output).length).toSorted((a, b) => a - b);
  return `Use about ${Math.max(1, lengths[Math.floor(lengths.length / 2)] ?? 1)} words.`;
}

function countWords(examples: readonly LabelledExample[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const example of examples) for (const word of words(example.input)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const sumOf = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

/**
 * Instructions the model proposes from examples ("what instruction was followed?", Zhou et al. 2023, APE) and paraphrases of the
 * one given (Jiang et al. 2020). Sampled with seeds; empty, long or repeated ones are dropped.
 */
export async function proposedInstructions(options: {
  candidate: GenerateCandidate;
  model: LanguageModel;
  train: readonly LabelledExample[];
  count: number;
  seed: number;
  signal?: AbortSignal;
}): Promise<readonly Instruction[]> {
  const { candidate, model, train, count, seed, signal } = options;
  const asked: { content: string; source: Instruction["source"]; seed: number }[] = [];
  for (let index = 0; index < count; index++) {
    const shown = chooseFixed(train, 4, seed + index).map((example) => `Input: ${example.input}\nOutput: ${example.output}`);
    asked.push({
      content: `${shown.join("\n\n")}\n\nWrite the instruction that leads from each input to its output, in one sentence.`,
      source: "proposed",
      seed: seed + index,
    });
    asked.push({
      content: `Say this instruction in other words, in one sentence: ${candidate.prompt.instruction}`,
      source: "paraphrased",
      seed: seed + index,
    });
  }
  const found: Instruction[] = [];
  for (const { content, source, seed: drawn } of asked) {
    const { text } = await model.generate({
      input: { kind: "chat", shared: 0, messages: [{ role: "user", content }] },
      decoding: { constraint: { kind: "free" }, maxTokens: 48, temperature: 0.7, stop: ["\n"] },
      seed: drawn,
      ...(signal && { signal }),
    });
    const line = text.trim().replace(/^["'*\s]+|["'*\s]+$/gu, "");
    const size = words(line).length;
    if (size >= 3 && size <= 50 && !found.some((one) => one.text === line)) found.push({ text: line, source });
  }
  return found;
}
