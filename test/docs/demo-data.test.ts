// What the demo's data promises: enough of it, evidence that stands where it says, few near duplicates, and questions that do not give
// away by their words alone whether the handbook answers them.
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { classifyLinear } from "../../src/answer/classify.ts";
import { nearDuplicates } from "../../src/data/near-duplicates.ts";
import type { LabelledExample } from "../../src/task.ts";
import { trainLinear } from "../../src/strategy/linear.ts";
import { seededRandom } from "../../src/util/random.ts";

const abstention = "The handbook does not say.";
const folderOf = (name: string): string => new URL(`../../examples/${name}`, import.meta.url).pathname;

async function examplesOf(name: string): Promise<readonly LabelledExample[]> {
  const text = await readFile(`${folderOf(name)}/${name === "questions" ? "questions" : "messages"}.jsonl`, "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LabelledExample);
}

test.each([
  ["questions", 300],
  ["routing", 300],
  ["extraction", 200],
])("%s: at least %i examples, near duplicates at most 2 %%, some worded otherwise", async (name, least) => {
  const examples = await examplesOf(name);
  expect(examples.length).toBeGreaterThanOrEqual(least);
  expect(nearDuplicates({ texts: examples.map(({ input }) => input) }).length / examples.length).toBeLessThanOrEqual(0.02);
  expect(examples.filter(({ variants = [] }) => variants.length > 0).length).toBeGreaterThan(20);
});

test("the handbook has 25 pages or more, in Markdown and HTML", async () => {
  const pages = await readdir(`${folderOf("questions")}/handbook`);
  expect(pages.length).toBeGreaterThanOrEqual(25);
  expect(new Set(pages.map((page) => page.split(".").at(-1)))).toEqual(new Set(["md", "html"]));
});

test("a fifth of the questions has no answer in the handbook, and some need two places", async () => {
  const examples = await examplesOf("questions");
  const without = examples.filter(({ output }) => output === abstention);
  expect(without.length / examples.length).toBeGreaterThan(0.17);
  expect(without.length / examples.length).toBeLessThan(0.23);
  expect(without.every(({ evidence = [] }) => evidence.length === 0)).toBe(true);
  expect(examples.every(({ output, evidence = [] }) => output === abstention || evidence.length > 0)).toBe(true);
  expect(examples.filter(({ evidence = [] }) => evidence.length > 1).length).toBeGreaterThan(20);
});

test("there are eight classes of messages, each with 15 messages or more", async () => {
  const outputs = (await examplesOf("routing")).map(({ output }) => output);
  const counts = [...new Set(outputs)].map((label) => outputs.filter((output) => output === label).length);
  expect(counts).toHaveLength(8);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(15);
});

test("TF-IDF on the question alone tells answerable from unanswerable with an area under the curve of at most .6", async () => {
  const examples = seededRandom("folds").shuffle(await examplesOf("questions"));
  const rows = examples.map(({ input, output }) => ({ input, output: output === abstention ? "no" : "yes" }));
  const folds = 10;
  const scored = Array.from({ length: folds }, (_, fold) => {
    const classifier = trainLinear({ examples: rows.filter((_row, at) => at % folds !== fold), labels: ["yes", "no"], cost: 1, seed: 0 });
    return rows
      .filter((_row, at) => at % folds === fold)
      .map((row) => ({ yes: row.output === "yes", score: yesness(classifier, row.input) }));
  }).flat();
  expect(areaUnderCurve(scored)).toBeLessThanOrEqual(0.6);
});

function yesness(classifier: ReturnType<typeof trainLinear>, input: string): number {
  const { output, confidence } = classifyLinear(classifier, input);
  return output === "yes" ? confidence : 1 - confidence;
}

/** Probability that a row of the one kind scores above a row of the other; ties count half. */
function areaUnderCurve(rows: readonly { readonly yes: boolean; readonly score: number }[]): number {
  const [ones, others] = [rows.filter(({ yes }) => yes), rows.filter(({ yes }) => !yes)];
  const wins = ones.flatMap((one) => others.map((other) => (one.score > other.score ? 1 : one.score === other.score ? 0.5 : 0)));
  return wins.reduce((sum: number, win) => sum + win, 0) / wins.length;
}
