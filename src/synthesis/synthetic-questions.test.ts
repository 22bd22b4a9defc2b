import { afterEach, beforeEach, expect, test } from "vitest";
import { nearDuplicates } from "../data/near-duplicates.ts";
import { splitExamples } from "../data/split.ts";
import type { LanguageModel } from "../model.ts";
import { memoryStore } from "../store/memory.ts";
import type { Document } from "../task.ts";
import { type SyntheticQuestions, syntheticQuestions, type SyntheticQuestionsOptions } from "./synthetic-questions.ts";

const document = (id: string, text: string): Document => ({ id, title: id, text, sha256: "" });
const documents = [
  document(
    "hours.md",
    "# Hours\n\nThe harbour office opens at nine on weekdays. The ticket booth closes at six in winter.\n\nThe café has 40 seats for guests.",
  ),
  document(
    "bikes.md",
    "# Bikes\n\nThe hire of a bike costs nine pounds a day. A tandem is a bike for two riders.\n\nThe spare key is kept behind the clock.",
  ),
  document("leave.md", "# Leave\n\nEvery employee has 28 days of leave a year. The form is handed in at the front desk."),
  document("copy.md", "# Leave\n\nEvery employee has 28 days of leave a year. The form is handed in at the front desk."),
  document("none.md", "# Nothing\n\nIt rains. They say so."),
];

let store: ReturnType<typeof memoryStore>;
beforeEach(() => void (store = memoryStore()));
afterEach(() => store[Symbol.asyncDispose]());

async function synthesize(options: Partial<SyntheticQuestionsOptions> = {}): Promise<SyntheticQuestions> {
  for await (const event of syntheticQuestions({ documents, count: 20, store, ...options })) if (event.kind === "done") return event;
  throw new Error("no end");
}

test("each question names its evidence, holds its answer there, and belongs to the group of its document", async () => {
  const { examples, made } = await synthesize();
  expect(examples.length).toBeGreaterThan(3);
  expect(made.rule).toBe(examples.length);
  for (const { input, output, group, evidence, synthetic } of examples) {
    const [{ document: id, start, end }] = evidence;
    expect(synthetic).toBe(true);
    expect(group).toBe(id);
    expect(documents.find((one) => one.id === id)!.text.slice(start, end)).toContain(output);
    expect(input).toMatch(/\?$/);
  }
});

test("the same seed gives the same questions, another one others", async () => {
  const [first, again, other] = [await synthesize({ count: 2 }), await synthesize({ count: 2 }), await synthesize({ count: 2, seed: 5 })];
  expect(again).toEqual(first);
  expect(first.examples).toHaveLength(2);
  expect(other.examples).not.toEqual(first.examples);
});

test("what another question nearly says is left out, and told", async () => {
  const { examples, dropped } = await synthesize();
  expect(nearDuplicates({ texts: examples.map(({ input }) => input), threshold: 0.6 })).toEqual([]);
  expect(dropped.repeated).toBeGreaterThan(0);
  expect(examples.filter(({ group }) => group === "leave.md" || group === "copy.md").length).toBeLessThanOrEqual(2);
});

test("a question whose passage is not found again is left out, and told", async () => {
  const same = Array.from({ length: 6 }, (_, index) => document(`${index}.md`, "The office opens at nine on weekdays.\n"));
  const { examples, dropped } = await synthesize({ documents: same, topK: 1 });
  expect(examples).toHaveLength(1);
  expect(dropped.repeated + dropped.notFound).toBeGreaterThanOrEqual(5);
  const hidden = [
    document("a.md", "The office opens at nine on weekdays."),
    document("b.md", "Office open? The office, the open office: when does the office open, the office that opens?"),
  ];
  expect((await synthesize({ documents: hidden, topK: 1 })).dropped.notFound).toBeGreaterThan(0);
});

test("a model words the question, and the rules step in where it does not ask", async () => {
  const asked: string[] = [];
  const model = {
    generate: async ({ input }: Parameters<LanguageModel["generate"]>[0]) => {
      const shown = input.kind === "chat" ? input.messages.at(-1)!.content : input.text;
      asked.push(shown);
      const text = shown.includes("tandem") ? "Which bike is it that two riders share, a tandem or what?" : "The documents say much.";
      return { text, tokens: { input: 1, output: 1 }, seconds: 0, finish: "stop" };
    },
  } as unknown as LanguageModel;
  const { made } = await synthesize({ model });
  expect(asked[0]).toMatch(/^Passage: [\s\S]*\n\nAnswer: .+$/);
  expect(made.rule).toBeGreaterThan(0);
});

test("no document stands on two sides of a split", async () => {
  const many = Array.from({ length: 40 }, (_, index) =>
    document(
      `${index}.md`,
      `The ferry number ${index} leaves at nine on weekdays. Boat ${index} has ${index + 10} seats for guests.\n\nThe key of hut ${index} is kept under stone ${index}.`,
    ),
  );
  const { examples } = await synthesize({ documents: many, count: 60 });
  const { split } = splitExamples({
    examples: examples.map((example, index) => ({ ...example, id: String(index) })),
    output: { kind: "text" },
    seed: 0,
  });
  const sides = [split.train, split.validation, split.test].map((side) => new Set(side.map(({ group }) => group)));
  const all = sides.flatMap((side) => [...side]);
  expect(new Set(all).size).toBe(all.length);
});
