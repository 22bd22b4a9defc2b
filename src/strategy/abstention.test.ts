import { expect, test } from "vitest";
import type { Row } from "../evaluation.ts";
import { exactMatch } from "../metric/exact-match.ts";
import type { LabelledExample } from "../task.ts";
import { chooseAbstention } from "./abstention.ts";

const text = "The documents do not say.";
const metric = exactMatch({ output: { kind: "text" }, abstention: text });
/** Rows of answers as [score of the best passage, right output, output given]. */
function of(answers: readonly (readonly [number, string, string])[]): { rows: Row[]; examples: LabelledExample[] } {
  const examples = answers.map(([, output], index) => ({ id: String(index), input: "?", output }));
  const rows = answers.map(([score, , output], index) => {
    const passages = [{ document: "a", title: "", start: 0, end: 1, text: "a", score }];
    const statistics = metric.statistics({ example: examples[index]!, output, passages });
    return { id: String(index), passages, scores: { "exact-match": { value: metric.value(statistics, 1), statistics } } } as unknown as Row;
  });
  return { rows, examples };
}

test("the threshold is where the score is best, and no more than half of the answers are given up", () => {
  const { rows, examples } = of([
    [1, text, "wrong"],
    [2, text, "wrong"],
    [3, "blue", "blue"],
    [4, "red", "red"],
    [5, text, "wrong"],
    [6, "red", "red"],
  ]);
  const chosen = chooseAbstention({ rows, examples, metric, text })!;
  expect(chosen.abstention).toEqual({ text, threshold: 3 });
  expect(chosen.tried).toMatchObject({ none: 0.5, "3.000": 0.8333 });
  const unanswerable = of(Array.from({ length: 10 }, (_, at) => [at, text, "wrong"] as const));
  expect(chooseAbstention({ ...unanswerable, metric, text })!.abstention.threshold).toBe(5);
});

test("where nothing is better than always answering there is no threshold", () => {
  const { rows, examples } = of([
    [1, "blue", "blue"],
    [2, text, "wrong"],
  ]);
  expect(chooseAbstention({ rows, examples, metric, text })).toBeUndefined();
  expect(chooseAbstention({ rows: [], examples: [], metric, text })).toBeUndefined();
});
