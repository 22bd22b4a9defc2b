// A small task on disk with given sides and a tiny random model: everything real but sense.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../src/answer/open.ts";
import { writeTinyLlama } from "./tiny-model.ts";

export interface TinyTaskOptions {
  readonly folder: string;
  readonly output: "labels" | "text";
  readonly strategies: readonly string[];
  /** Replaces every input and output of the test examples. */
  readonly canary?: string;
  /** A second model, `other.gguf`, of another width. */
  readonly twoModels?: boolean;
}

const words = ["brake", "battery", "invoice", "refund", "lock", "saddle", "deposit", "delivery", "chain", "helmet"];

interface Line {
  readonly id: string;
  readonly input: string;
  readonly output: string;
}

function linesOf(side: string, count: number, output: TinyTaskOptions["output"], offset: number): readonly Line[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index + offset;
    const word = words[at % words.length]!;
    const label = at % words.length < 5 ? "repair" : "billing";
    return {
      id: `${side}${index}`,
      input: `Case ${at} of the ${word}: what about the ${words[(at * 3 + 1) % words.length]} number ${at}?`,
      output: output === "labels" ? label : `${word} ${at % 7}`,
    };
  });
}

/** Writes sartor.yaml, three files of examples, two documents and a model; the same options give the same bytes. */
export async function writeTinyTask({ folder, output, strategies, canary, twoModels = false }: TinyTaskOptions): Promise<void> {
  await mkdir(join(folder, "docs"), { recursive: true });
  await writeTinyLlama({ path: join(folder, "tiny.gguf"), contextLength: 512 });
  if (twoModels) await writeTinyLlama({ path: join(folder, "other.gguf"), contextLength: 512, width: 32, seed: 7 });
  const test = linesOf("test", 32, output, 60).map((line, index) =>
    canary === undefined
      ? line
      : {
          ...line,
          alternatives: [`${canary} other`],
          input: `${canary} ${index}`,
          output: output === "labels" ? line.output : `${canary} answer ${index}`,
        },
  );
  const sides = { train: linesOf("train", 24, output, 0), validation: linesOf("validation", 10, output, 40), test };
  for (const [side, lines] of Object.entries(sides))
    await writeFile(join(folder, `${side}.jsonl`), lines.map((line) => JSON.stringify(line)).join("\n"));
  for (const [index, part] of [words.slice(0, 5), words.slice(5)].entries()) {
    const text = part.map(
      (word) =>
        `## The ${word}\n\nEvery ${word} has the number ${index + 3}. A ${word} costs ${word.length} pounds and is kept in the shed.\n`,
    );
    await writeFile(join(folder, "docs", `page${index}.md`), `# Page ${index}\n\n${text.join("\n")}`);
  }
  const settings = {
    instruction: "Answer from the pages.",
    ...(output === "labels" ? { output: { labels: ["repair", "billing"] } } : { output: "text", abstention: "The pages do not say." }),
    examples: { train: "train.jsonl", validation: "validation.jsonl", test: "test.jsonl" },
    documents: "docs/",
    models: twoModels ? ["./tiny.gguf", "./other.gguf"] : ["./tiny.gguf"],
    strategies,
    seed: 1,
  };
  await writeFile(join(folder, "sartor.json"), JSON.stringify(settings));
}

export const tinyEnvironment: Environment = {
  modelsFolder: "/nonexistent",
  extraFolders: [],
  threads: 1,
  memoryBytes: 16e9,
  contextLength: 512,
  secret: () => undefined,
};
