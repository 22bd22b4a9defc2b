import { expect, test } from "vitest";
import type { Metric, Row } from "../evaluation.ts";
import { firstWithinOneError } from "./one-error.ts";

const metric = { name: "score", higherIsBetter: true } as Metric;
const tried = (name: string, values: readonly number[]) => ({
  name,
  scored: {
    score: values.reduce((sum, value) => sum + value, 0) / values.length,
    evaluation: {
      candidate: name,
      set: "validation" as const,
      rows: values.map((value) => ({ scores: { score: { value } } }) as unknown as Row),
    },
  },
});

test("a lead that one lucky row makes does not pay for more passages", () => {
  const few = tried("1", [0, 0, 1, 0, 1, 0, 1, 0]);
  const many = tried("2", [0, 1, 1, 0, 1, 0, 1, 0]);
  expect(firstWithinOneError([few, many], metric).name).toBe("1");
});

test("a lead of more than one standard error does", () => {
  const few = tried("1", [0, 0, 1, 0, 0, 0, 0, 0]);
  const many = tried("2", [1, 1, 1, 0, 1, 1, 0, 1]);
  expect(firstWithinOneError([few, many], metric).name).toBe("2");
});

test("a worse one is not taken for being noisier than a simpler one", () => {
  const one = tried("1", [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
  const two = tried("2", [0, 0.5, 0, 0, 0, 0]);
  const four = tried("4", [0.1, 0.1, 0.1, 0.1, 0.1, 0.4]);
  expect(firstWithinOneError([one, two, four], metric).name).toBe("1");
});

test("where lower is better, the lower wins", () => {
  const low = tried("2", [0.1, 0.1, 0.2, 0.1]);
  const high = tried("1", [0.9, 0.8, 0.9, 0.9]);
  expect(firstWithinOneError([high, low], { ...metric, higherIsBetter: false }).name).toBe("2");
});

test("over no rows the first stands", () => {
  expect(firstWithinOneError([tried("1", []), tried("2", [])], metric).name).toBe("1");
});
