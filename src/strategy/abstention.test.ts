import { expect, test } from "vitest";
import { retrievalConfidence } from "../answer/retrieve.ts";
import type { Row } from "../evaluation.ts";
import { exactMatch } from "../metric/exact-match.ts";
import type { LabelledExample } from "../task.ts";
import { chooseAbstention } from "./abstention.ts";
import { retrieverSettings } from "./retrieve/rag.ts";

const text = "The documents do not say.";
const metric = exactMatch({ output: { kind: "text" }, abstention: text });
const question = "copper silver golden iron nickel zinc lead tin platinum mercury";
const nothingEmbedded = {
  embedding: () => Promise.reject(new Error("nothing here is embedded")),
};
const rest = { metric, text, settings: retrieverSettings("bm25", 1), resources: nothingEmbedded };
const passagesOf = (shared: number) => [
  { document: "a", title: "", start: 0, end: 1, text: `Metals: ${question.split(" ").slice(0, shared).join(" ")}`, score: shared },
];
const confidenceOf = (shared: number): Promise<number> =>
  retrievalConfidence({ question, passages: passagesOf(shared), resources: nothingEmbedded });

/** Rows of answers as [words that the passage shares with the question, right output, output given]. */
function of(answers: readonly (readonly [number, string, string])[]): { rows: Row[]; examples: LabelledExample[] } {
  const examples = answers.map(([, output], index) => ({ id: String(index), input: question, output }));
  const rows = answers.map(([shared, , output], index) => {
    const passages = passagesOf(shared);
    const statistics = metric.statistics({ example: examples[index]!, output, passages });
    const scores = { "exact-match": { value: metric.value(statistics, 1), statistics } };
    return { id: String(index), input: question, passages, scores } as unknown as Row;
  });
  return { rows, examples };
}

test("the threshold is where the score is best, and no more than half of the answers are given up", async () => {
  const answers = of([
    [1, text, "wrong"],
    [2, text, "wrong"],
    [3, "blue", "blue"],
    [4, "red", "red"],
    [5, text, "wrong"],
    [6, "red", "red"],
  ]);
  const chosen = (await chooseAbstention({ ...answers, ...rest }))!;
  expect(chosen.abstention).toEqual({ text, threshold: await confidenceOf(3) });
  expect(chosen.tried).toMatchObject({ none: 0.5, [(await confidenceOf(3)).toPrecision(4)]: 0.8333 });
  const unanswerable = of(Array.from({ length: 10 }, (_, at) => [at + 1, text, "wrong"] as const));
  expect((await chooseAbstention({ ...unanswerable, ...rest }))!.abstention.threshold).toBe(await confidenceOf(6));
});

test("where nothing is better than always answering there is no threshold", async () => {
  const answers = of([
    [1, "blue", "blue"],
    [2, text, "wrong"],
  ]);
  expect(await chooseAbstention({ ...answers, ...rest })).toBeUndefined();
  expect(await chooseAbstention({ rows: [], examples: [], ...rest })).toBeUndefined();
});
