// Metrics against independent implementations, and the rules that are this project's own.
import { expect, test } from "vitest";
import type { Metric, Passage, Prediction } from "../evaluation.ts";
import type { OutputKind } from "../task.ts";
import { citations } from "./citation-f1.ts";
import { consistencyOf } from "./consistency.ts";
import { foundAt } from "./evidence.ts";
import reference from "./fixtures/reference.json" with { type: "json" };
import { createMetric, metricsOf } from "./metrics.ts";
import { labelOf, normaliseAnswer } from "./normalise.ts";

const text: OutputKind = { kind: "text" };
const labels: OutputKind = { kind: "labels", labels: ["billing", "delivery", "returns", "other"] };
const schema: OutputKind = {
  kind: "schema",
  schema: { type: "object", properties: { name: { type: "string" }, total: { type: "number" } } },
};

function prediction(expected: string, output: string, passages: readonly Passage[] = []): Prediction {
  return { example: { id: "1", input: "?", output: expected }, output, passages };
}

function score(metric: Metric, predictions: readonly Prediction[]): number {
  const sums: number[] = [];
  for (const one of predictions) metric.statistics(one).forEach((value, index) => (sums[index] = (sums[index] ?? 0) + value));
  return metric.value(sums, predictions.length);
}

test.each(reference.text)("SQuAD's script on $expected / $given", ({ expected, given, normalised, exact, f1 }) => {
  expect(normaliseAnswer(given)).toBe(normalised);
  expect(score(createMetric("exact-match", { output: text }), [prediction(expected, given)])).toBe(exact);
  expect(score(createMetric("token-f1", { output: text }), [prediction(expected, given)])).toBeCloseTo(f1, 12);
});

test.each(reference.text.filter((one) => one.rougeL !== undefined))("rouge-score on $expected / $given", ({ expected, given, rougeL }) => {
  expect(score(createMetric("rouge-l", { output: text }), [prediction(expected, given)])).toBeCloseTo(rougeL ?? Number.NaN, 12);
});

test.each(reference.labels)("scikit-learn on $expected.length labelled rows", ({ expected, given, macroF1, accuracy }) => {
  const rows = expected.map((label, index) => prediction(label, given[index] ?? ""));
  expect(score(createMetric("macro-f1", { output: labels }), rows)).toBeCloseTo(macroF1, 12);
  expect(score(createMetric("accuracy", { output: labels }), rows)).toBeCloseTo(accuracy, 12);
});

test.each(reference.fields)("scikit-learn's micro F1 over fields of $rows.length objects", ({ rows, f1 }) => {
  const predictions = rows.map(({ expected, given }) => prediction(JSON.stringify(expected), JSON.stringify(given)));
  expect(score(createMetric("field-f1", { output: schema }), predictions)).toBeCloseTo(f1, 12);
});

test.each(reference.ndcg)("scikit-learn's nDCG of relevance $relevant", ({ relevant, ndcg }) => {
  const passages = relevant.map((_, rank) => ({ document: `${rank}`, title: "", start: 0, end: 10, text: "", score: -rank }));
  const evidence = relevant.flatMap((one, rank) => (one === 1 ? [{ document: `${rank}`, start: 2, end: 9 }] : []));
  const row: Prediction = { example: { id: "1", input: "?", output: "x", evidence }, output: "x", passages: passages.toReversed() };
  expect(score(createMetric("ndcg", { output: text }), [row])).toBeCloseTo(ndcg, 12);
});

test("abstaining is all or nothing, and its words earn nothing", () => {
  const metric = createMetric("token-f1", { output: text, abstention: "The handbook does not say." });
  expect(score(metric, [prediction("The handbook does not say.", "the handbook does not say")])).toBe(1);
  expect(score(metric, [prediction("The handbook does not say.", "The handbook does say 30 days")])).toBe(0);
  expect(score(metric, [prediction("the staff handbook", "The handbook does not say.")])).toBe(0);
});

test("an answer that is no label costs what a wrong answer costs, spread over the other labels", () => {
  const metric = createMetric("macro-f1", { output: labels });
  expect(metric.statistics(prediction("billing", "hello"))).toEqual([0, 0, 1, 0, 1 / 3, 0, 0, 1 / 3, 0, 0, 1 / 3, 0]);
  expect(metric.worst({ id: "1", input: "?", output: "billing" })).toEqual(metric.statistics(prediction("billing", "hello")));
});

test("a label is known by its words, not by its case or full stop, unless two would fit", () => {
  expect(labelOf(" Billing.", ["billing", "other"])).toBe("billing");
  expect(labelOf("US", ["us", "US"])).toBe("US");
  expect(labelOf("Us", ["us", "US"])).toBeUndefined();
});

test("field values keep their inner punctuation, numbers equal the text that writes them, lists have no order", () => {
  const metric = createMetric("field-f1", { output: schema });
  expect(metric.statistics(prediction('{"a":"12.50"}', '{"a":"1250"}'))).toEqual([0, 1, 1]);
  expect(metric.statistics(prediction('{"a":12.5,"b":"Ann  Lee."}', '{"a":"12.5","b":"ann lee"}'))).toEqual([2, 0, 0]);
  expect(metric.statistics(prediction('{"a":["x","y","y"]}', '{"a":["y","x","z"]}'))).toEqual([2, 1, 1]);
  expect(metric.reason?.(prediction('{"a":"x","b":null}', '{"a":"y","b":"z"}'))).toBe("missing a = x; wrong a = y, b = z");
});

test("JSON is valid under the schema, as a whole, or not at all", () => {
  const metric = createMetric("json-valid", { output: schema });
  expect(score(metric, [prediction("{}", '{"name":"x"}')])).toBe(1);
  expect(score(metric, [prediction("{}", '{"name":3}')])).toBe(0);
  expect(score(metric, [prediction("{}", 'Here: {"name":"x"}')])).toBe(0);
});

test("evidence is found once half of it stands in the passages seen so far", () => {
  const at = (start: number, end: number): Passage => ({ document: "a", title: "", start, end, text: "", score: 0 });
  const evidence = { document: "a", start: 100, end: 200 };
  expect(foundAt(evidence, [at(0, 149)])).toBeUndefined();
  expect(foundAt(evidence, [at(0, 150)])).toBe(1);
  expect(foundAt(evidence, [at(0, 130), at(110, 130), at(180, 300)])).toBe(3);
  expect(foundAt(evidence, [{ ...at(0, 300), document: "b" }])).toBeUndefined();
});

test("citations are read singly and in lists, each once", () => {
  expect(citations("Yes [1][3], also [2, 3] and [12]; not [x], 4 or [].")).toEqual([1, 3, 2, 12]);
});

test("consistency counts variants answered as the original was", () => {
  expect(
    consistencyOf([
      { original: "30 days", variants: ["30 days.", "The 30 Days", "60 days"] },
      { original: "x", variants: [] },
    ]),
  ).toEqual({ value: 2 / 3, n: 3 });
});

test("an unknown metric gets a suggestion, macro-f1 without labels the way out", () => {
  expect(() => createMetric("acuracy", { output: labels })).toThrow('Unknown metric "acuracy". Did you mean "accuracy"?');
  expect(() => createMetric("macro-f1", { output: text })).toThrow("output: { labels: [...] }");
  expect(() => createMetric("toString", { output: text })).toThrow("Unknown metric");
});

test.each([
  [["field-f1"], 'Metric "field-f1" needs JSON answers, the task\'s output is "text".'],
  [["macro-f1"], 'Metric "macro-f1" needs a closed set of labels'],
  [["token-f1", "ndcg"], 'Metric "ndcg" needs gold passages, and no example names any.'],
])("metrics %o that the task rules out are refused", (metrics, message) => {
  const task = { output: { kind: "text" as const }, metrics, examples: [{ id: "a", input: "x", output: "y" }] };
  expect(() => metricsOf(task)).toThrow(message);
});

test("metrics over evidence are taken where one example has some", () => {
  const evidence = [{ document: "d", start: 0, end: 1 }];
  const examples = [
    { id: "a", input: "x", output: "y" },
    { id: "b", input: "x", output: "y", evidence },
  ];
  expect(metricsOf({ output: { kind: "text" }, metrics: ["ndcg"], examples }).map(({ name }) => name)).toEqual(["ndcg"]);
});

test("the output that an answer comes closest to counts", () => {
  const example = { id: "a", input: "Who?", output: "the Normans", alternatives: ["Norman people", "William"] };
  const values = (name: string, output: string) => createMetric(name, { output: text }).statistics({ example, output, passages: [] });
  expect(values("token-f1", "William")).toEqual([1]);
  expect(values("token-f1", "people")).toEqual([2 / 3]);
  expect(values("exact-match", "Norman people")).toEqual([1]);
  expect(values("exact-match", "somebody else")).toEqual([0]);
  expect(values("rouge-l", "norman people")).toEqual([1]);
});
