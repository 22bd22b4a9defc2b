// Every metric of the table, through the conformance suite.
import { expect, test } from "vitest";
import { metricConformance, proportionConformance, type MetricCase } from "../../test/conformance/metric.ts";
import type { Passage, Prediction } from "../evaluation.ts";
import type { Evidence, OutputKind } from "../task.ts";
import { createMetric, metricNames, type MetricName } from "./metrics.ts";

const text: OutputKind = { kind: "text" };
const labels: OutputKind = { kind: "labels", labels: ["billing", "delivery", "Über uns"] };
const schema: OutputKind = {
  kind: "schema",
  schema: {
    type: "object",
    properties: {
      name: { type: ["string", "null"] },
      amount: { type: ["number", "null"] },
      items: { type: "array", items: { type: "string" } },
    },
    required: ["name"],
  },
};

function prediction(expected: string, output: string, evidence?: readonly Evidence[], passages: readonly Passage[] = []): Prediction {
  return { example: { id: expected, input: "?", output: expected, ...(evidence === undefined ? {} : { evidence }) }, output, passages };
}

function passage(document: string, start: number, end: number, score: number): Passage {
  return { document, title: document, start, end, text: "…", score };
}

const answers = {
  perfect: [prediction("30 days", "30 days"), prediction("Straße, 日本語", "Straße, 日本語"), prediction("Ask the desk", "Ask the desk")],
  other: [prediction("30 days", "60 days"), prediction("Leeds", ""), prediction("two of them", "one of two")],
};
const classes = {
  perfect: [prediction("billing", "billing"), prediction("delivery", "delivery"), prediction("Über uns", "Über uns")],
  other: [prediction("billing", "delivery"), prediction("delivery", "no idea"), prediction("billing", "")],
};
const objects = {
  perfect: [
    prediction('{"name":"Ann","amount":12.5,"items":["a","b"]}', '{"items":["b","a"],"amount":12.5,"name":"Ann"}'),
    prediction('{"name":null,"amount":null}', '{"name":null}'),
  ],
  other: [prediction('{"name":"Ann"}', '{"name":"Bob","amount":3}'), prediction('{"name":"Ann"}', "Ann"), prediction('{"name":null}', "{")],
};
const found = {
  perfect: [
    prediction('[{"type":"person","text":"Ann Lee"}]', '[{"type":"person","text":"ann lee"}]'),
    prediction('{"entities":[]}', "[]"),
  ],
  other: [prediction('[{"type":"person","text":"Ann"}]', '[{"type":"place","text":"Ann"}]'), prediction("[]", "none")],
};
const gold: readonly Evidence[] = [{ document: "a.md", start: 100, end: 200 }];
const both: readonly Evidence[] = [...gold, { document: "b.md", start: 0, end: 50 }];
const retrieved = [passage("c.md", 0, 100, 3), passage("a.md", 90, 260, 9), passage("b.md", 0, 80, 8)];
const passages = {
  perfect: [prediction("x", "x", both, retrieved), prediction("x", "x", gold, retrieved)],
  other: [
    prediction("x", "x", gold, []),
    prediction("x", "x", both, [passage("a.md", 0, 120, 1), passage("b.md", 10, 60, 0)]),
    prediction("x", "x"),
  ],
};
const cited = {
  perfect: [
    prediction("x", "As said [2][3].", both, retrieved),
    prediction("x", "As said [2].", gold, retrieved),
    prediction("x", "Nothing says so.", [], retrieved),
  ],
  other: [
    prediction("x", "As said [1, 2].", both, retrieved),
    prediction("x", "As said [7].", gold, retrieved),
    prediction("x", "x", gold, []),
  ],
};
const shown = (document: string, text: string, score: number): Passage => ({
  document,
  title: document,
  start: 0,
  end: text.length,
  text,
  score,
});
const deposit = shown("Deposits", "The deposit for a Skiff is two monthly payments. It is paid back within ten days.", 3);
const hours = shown("Opening hours", "The workshop opens at eight on weekdays.", 2);
const asking = (question: string, expected: string, output: string, given: readonly Passage[]): Prediction => ({
  example: { id: question, input: question, output: expected },
  output,
  passages: given,
});
const said = {
  perfect: [
    asking("What is the deposit for a Skiff?", "two monthly payments", "The deposit is two monthly payments [1].", [deposit, hours]),
    asking("When does the workshop open?", "at eight on weekdays", "The workshop opens at eight [1].", [hours]),
  ],
  other: [
    asking("What is the deposit for a Skiff?", "three weekly payments", "It is three weekly payments [1][2].", [hours, deposit]),
    asking("When does the workshop open?", "at noon", "At noon. The workshop opens at eight [2].", [{ ...deposit, score: 1 }, hours]),
    asking("When does the workshop open?", "The handbook does not say.", "The handbook does not say.", []),
    asking("When does the harbour open?", "at noon", "The handbook does not say.", []),
  ],
};
const fromPassages = (name: string): MetricCase => ({
  create: () => createMetric(name, { output: text, abstention: "The handbook does not say." }),
  ...said,
});

const cases: { readonly [K in MetricName]: MetricCase } = {
  accuracy: { create: () => createMetric("accuracy", { output: labels }), ...classes },
  "macro-f1": { create: () => createMetric("macro-f1", { output: labels }), ...classes },
  "exact-match": { create: () => createMetric("exact-match", { output: text }), ...answers },
  "token-f1": { create: () => createMetric("token-f1", { output: text, abstention: "Ask the desk." }), ...answers },
  "rouge-l": { create: () => createMetric("rouge-l", { output: text }), ...answers },
  "json-valid": { create: () => createMetric("json-valid", { output: schema }), ...objects },
  "field-f1": { create: () => createMetric("field-f1", { output: schema }), ...objects },
  "entity-f1": { create: () => createMetric("entity-f1", { output: text }), ...found },
  "retrieval-recall": { create: () => createMetric("retrieval-recall", { output: text }), ...passages },
  ndcg: { create: () => createMetric("ndcg", { output: text }), ...passages },
  "citation-f1": { create: () => createMetric("citation-f1", { output: text }), ...cited },
  "citation-precision": fromPassages("citation-precision"),
  "citation-recall": fromPassages("citation-recall"),
  faithfulness: fromPassages("faithfulness"),
  "context-precision": fromPassages("context-precision"),
  "context-recall": fromPassages("context-recall"),
  "answer-relevance": fromPassages("answer-relevance"),
};

test("no metric of the table is left out", () => expect(Object.keys(cases)).toEqual(metricNames));

for (const name of metricNames) metricConformance(name, cases[name]);
for (const name of metricNames.filter((one) => cases[one].create().proportion)) proportionConformance(name, cases[name]);
