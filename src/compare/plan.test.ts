import { expect, test } from "vitest";
import { coreChains } from "../strategy/registry.ts";
import type { Facts, Machine, Shape } from "../strategy/strategy.ts";
import { efforts, makePlan, type Plan, type PlanOptions } from "./plan.ts";

const shape: Shape = {
  kind: "generate",
  local: true,
  retrieves: false,
  passageWords: 0,
  demonstrations: 0,
  adapter: false,
  trained: false,
  modelBytes: 144e6,
  parameters: 135e6,
};
const facts: Facts = {
  output: { kind: "text" },
  train: 170,
  validation: 68,
  test: 102,
  reworded: { inputs: 20, each: 2 },
  instructionTokens: 30,
  inputTokens: 20,
  outputTokens: 4,
  documents: 30,
  documentTokens: 27_000,
  evidence: true,
  abstention: true,
};
const machine: Machine = {
  threads: 2,
  memoryBytes: 24e9,
  speeds: { readTokensPerSecond: 650, writeTokensPerSecond: 50, trainTokensPerSecond: 350 },
};
const plan = (changes: Partial<PlanOptions> = {}): Plan =>
  makePlan({ strategies: "all", models: [{ name: "m", shape }], facts, machine, ...changes });
const ran = ({ entries }: Plan): readonly string[] => entries.filter(({ status }) => status === "run").map(({ chain }) => chain);

test("without a budget everything that can runs, and what cannot says why", () => {
  const { entries, effortName } = plan();
  expect(effortName).toBe("standard");
  expect(entries.filter(({ status }) => status !== "run").map(({ chain, reason }) => [chain, reason])).toEqual([
    ["tf-idf-linear", "A classifier needs a closed set of labels."],
  ]);
});

test("ten minutes on two cores hold one of each technique and a chain", () => {
  expect(ran(plan({ budgetSeconds: 600 }))).toEqual(expect.arrayContaining(coreChains.filter((chain) => chain !== "tf-idf-linear")));
});

test("training is not cut to make room for more than the core", () => {
  const labels = {
    output: { kind: "labels", labels: ["a", "b", "c", "d"] },
    train: 204,
    test: 123,
    documents: 0,
    documentTokens: 0,
  } as const;
  const { effort, entries } = plan({ facts: { ...facts, ...labels, inputTokens: 60 }, budgetSeconds: 480 });
  expect(entries.some(({ status }) => status === "left out")).toBe(true);
  expect(effort.trainingTokens).toBeGreaterThanOrEqual(efforts.brief.effort.trainingTokens);
});

test("an effort that leaves time has it spent on measuring, not left", () => {
  const alone = { strategies: ["zero-shot", "rag-bm25"] };
  const quick = plan({ ...alone, effort: "quick" }).total.seconds;
  expect(plan({ ...alone, effort: "quick", budgetSeconds: 4 * quick }).measuring).toEqual(efforts.standard.measuring);
  expect(plan({ ...alone, effort: "quick", budgetSeconds: 1.3 * quick }).measuring).toEqual(efforts.quick.measuring);
});

test("where not everything fits, time goes into rows before it goes into curves", () => {
  const { entries, measuring } = plan({ effort: "standard", budgetSeconds: 1800 });
  expect(entries.some(({ status }) => status === "left out")).toBe(true);
  expect(measuring.labelShares).toEqual([]);
});

test("what runs fits the budget, and more time never buys less effort", () => {
  const order = ["brief", "quick", "standard", "thorough"];
  const plans = [300, 600, 1800, 5400, 40_000].map((budgetSeconds) => plan({ budgetSeconds }));
  for (const { total, budgetSeconds } of plans) expect(total.seconds).toBeLessThanOrEqual(budgetSeconds!);
  expect(ran(plans.at(-1)!)).toEqual(ran(plan()));
  expect(order.indexOf(plans.at(-1)!.effortName)).toBeGreaterThan(order.indexOf(plans[0]!.effortName));
});

test("a model behind an API is prompted and given passages, not tuned", () => {
  const { entries } = plan({ models: [{ name: "m", shape: { ...shape, local: false, parameters: 0, modelBytes: 0 } }] });
  const cannot = entries.filter(({ status }) => status === "cannot").map(({ chain }) => chain);
  expect(cannot).toEqual(expect.arrayContaining(["lora", "full", "rag-bm25 > lora"]));
  expect(cannot).not.toContain("rag-bm25");
});

test("where a model cannot be tuned, the reason is the one that its file was refused for", () => {
  const cannotTrain = 'model.gguf has the architecture "mamba"; tuned can be llama.';
  const { entries } = plan({ machine: { ...machine, speeds: { ...machine.speeds, trainTokensPerSecond: 0, cannotTrain } } });
  expect(entries.find(({ chain }) => chain === "lora")).toMatchObject({ status: "cannot", reason: cannotTrain });
});

test("a chain that begins as an earlier one does is not charged for the beginning again", () => {
  const alone = plan({ strategies: ["rag-bm25 > lora"] }).total.seconds;
  const after = plan({ strategies: ["rag-bm25", "rag-bm25 > lora"] }).entries[1]!.needs!.seconds;
  expect(after).toBeLessThan(alone);
});
