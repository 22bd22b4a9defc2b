import { expect, test } from "vitest";
import type { LabelledExample, OutputKind, Task } from "../task.ts";
import { dataNotices } from "./notices.ts";

const noticesOf = (examples: readonly LabelledExample[], output: OutputKind, more: Partial<Task> = {}): string[] =>
  dataNotices({ task: { examples, output, ...more } as Task });

const many = (count: number, output: string): LabelledExample[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${output}${index}`, input: `${output} ${index}`, output }));

test("data without faults has nothing to tell", () => {
  expect(noticesOf([...many(10, "a"), ...many(10, "b")], { kind: "labels", labels: ["a", "b"] })).toEqual([]);
  expect(noticesOf(many(10, "a"), { kind: "text" })).toEqual([]);
});

test("labels that are unused, rare or nearly everything are told", () => {
  const examples = [...many(17, "a"), ...many(3, "b")];
  expect(noticesOf(examples, { kind: "labels", labels: ["a", "b", "c", "d", "e", "f", "g", "h"] })).toEqual([
    "Labels without an example: c, d, e, f, g, and 1 more.",
    "Labels with fewer than 5 examples, which can neither be learnt nor measured well: b (3).",
    '85 % of the examples are "a": always answering so would be that accurate. Look at macro-f1 too.',
  ]);
});

test("inputs that are the same but for spaces and case, with different outputs, are told; those with other signs are not", () => {
  const of = (id: string, input: string, output: string): LabelledExample => ({ id, input, output });
  const examples = [
    of("1", "What is 2+2?", "4"),
    of("2", "what is  2+2? ", "five"),
    of("3", "What is 2-2?", "0"),
    of("4", "x", "y"),
    of("5", "x", "y"),
  ];
  expect(noticesOf(examples, { kind: "text" })).toEqual([
    'An input has different outputs in different examples (1, 2: "4", "five"): no candidate can be right on all of them. Mend the wrong ones.',
  ]);
});

test("an abstention that no example has, and inputs too long for small models, are told", () => {
  const long = [1300, 2000].map((length) => ({ id: `long${length}`, input: "word ".repeat(length), output: "x" }));
  expect(noticesOf(long, { kind: "text" }, { abstention: "unknown" })).toEqual([
    'No example has the output "unknown", which the task names as its abstention.',
    "2 inputs of more than 1,200 words (the longest, long2000, 2,000): small models may not read that much at once.",
  ]);
});
