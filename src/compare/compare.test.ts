// The rule of choice from rows to recommendation: constraints first, then scores, then the cheapest that is good enough.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Row, RowError } from "../evaluation.ts";
import { createMetric } from "../metric/metrics.ts";
import { seededRandom } from "../util/random.ts";
import { type CandidateProfile, compareEvaluations, type CompareOptions } from "./compare.ts";
import type { CandidateRows } from "./grouped.ts";

const labels = ["yes", "no"];
const metric = createMetric("accuracy", { output: { kind: "labels", labels } });
const nobody: RowError = { fault: "nobody", kind: "unavailable", message: "The server is down" };

function row(index: number, value: number, { group = `g${index}`, error }: { group?: string; error?: RowError } = {}): Row {
  const scores = {
    accuracy: { value, statistics: [value] },
    "macro-f1": { value, statistics: value === 1 ? [1, 0, 0, 0, 0, 0] : [0, 0, 1, 0, 1, 0] },
  };
  const rest = {
    input: "?",
    expected: "yes",
    output: "",
    passages: [],
    prompt: "",
    tokens: { input: 1, output: 1 },
    seconds: 1,
    reason: "",
  };
  return { id: `q${index}`, group, scores, ...rest, ...(error === undefined ? {} : { error }) };
}

/** Right on the first `right` examples after `offset`, in a circle. */
function rows(candidate: string, right: number, n = 100, offset = 0): CandidateRows {
  return { candidate, rows: Array.from({ length: n }, (_, index) => row(index, Number((index - offset + n) % n < right))) };
}

function profile(id: string, seconds: number, rest: Partial<CandidateProfile> = {}): CandidateProfile {
  const latency = { p50: seconds, p95: 2 * seconds };
  return { id, kind: "generate", local: true, secondsPerRequest: seconds, latency, buildSeconds: 0, updateSeconds: 0, ...rest };
}

function compare(evaluations: readonly CandidateRows[], options: Partial<CompareOptions> = {}) {
  return compareEvaluations({
    evaluations,
    metric,
    profiles: evaluations.map(({ candidate }, index) => profile(candidate, index + 1)),
    objective: "cost",
    tolerance: 0.05,
    constraints: {},
    usage: { requestsPerMonth: 1000, updatesPerMonth: 0, months: 12 },
    seed: 0,
    samples: 1000,
    ...options,
  });
}

test("a far better candidate is the clear winner, the others are beaten, and the reason holds the figures", () => {
  const { recommendation, scores } = compare([rows("zero-shot", 30), rows("few-shot", 40), rows("rag", 90)]);
  expect(recommendation).toEqual({
    status: "clear",
    winner: "rag",
    stillInTheRace: [],
    beaten: ["zero-shot", "few-shot"],
    reason:
      "rag is surely better than every other candidate on 100 test examples: accuracy 0.900 (0.826 to 0.945) at 50 min of machine time a month.",
    expectedRegret: 0,
    examplesNeeded: null,
    rejected: [],
  });
  expect(scores["rag"]).toMatchObject({ value: 0.9, n: 100, errors: 0, corrected: expect.closeTo(0.9, 2) as number });
  expect(scores["few-shot"]).not.toHaveProperty("corrected");
});

test("of two equally good the cheaper wins, and a better one by less than the tolerance does not", () => {
  const same = compare([rows("cheap", 800, 1000), rows("dear", 800, 1000)]);
  expect(same.recommendation).toMatchObject({ status: "clear", winner: "cheap" });
  const near = compare([rows("cheap", 800, 1000), rows("dear", 820, 1000)]);
  expect(near.recommendation).toMatchObject({ status: "clear", winner: "cheap", beaten: [] });
  expect(near.recommendation.reason).toContain("The best score is dear's: +0.020 (");
});

test("where the examples can't tell there is a provisional choice, who is in the race, and how many would tell", () => {
  const { recommendation } = compare([rows("cheap", 60), rows("dear", 62, 100, 25), rows("bad", 10, 100, 60)]);
  expect(recommendation).toMatchObject({ status: "provisional", winner: "cheap", stillInTheRace: ["dear"], beaten: ["bad"] });
  expect(recommendation.examplesNeeded).toBeGreaterThan(1000);
  expect(recommendation.expectedRegret).toBeGreaterThan(0.02);
  expect(recommendation.reason).toMatch(
    /^No clear winner: on 100 test examples another candidate may be better than cheap by up to 0\.\d+, .*Still in the race: dear\. About [\d,]+ test examples would tell\./,
  );
});

test("constraints come before scores, with what was measured and the limit", () => {
  const evaluations = [rows("slow", 95), rows("remote", 95), rows("large", 95), rows("unpriced", 95), rows("good", 60)];
  const profiles = [
    profile("slow", 3),
    profile("remote", 0.1, { local: false, dollarsPer1k: 0.2 }),
    profile("large", 0.1, { memoryBytes: 9e9 }),
    profile("unpriced", 0.1, { local: false, memoryBytes: 1 }),
    profile("good", 0.5, { memoryBytes: 1e9 }),
  ];
  const constraints = { p95: 2, memory: 4e9, local: true, costPer1k: 0.5 };
  const { recommendation, scores, comparisons } = compare(evaluations, {
    profiles,
    constraints,
    prices: { machineHour: 0.1, source: "task" },
  });
  expect(recommendation.winner).toBe("good");
  expect(recommendation.rejected).toEqual([
    { id: "slow", constraint: "p95", value: 6, limit: 2 },
    { id: "slow", constraint: "memory", value: null, limit: 4e9 },
    { id: "remote", constraint: "memory", value: null, limit: 4e9 },
    { id: "remote", constraint: "local", value: false, limit: true },
    { id: "large", constraint: "memory", value: 9e9, limit: 4e9 },
    { id: "unpriced", constraint: "costPer1k", value: null, limit: 0.5 },
    { id: "unpriced", constraint: "local", value: false, limit: true },
  ]);
  expect(recommendation.reason).toContain("good is the only candidate that could be compared");
  expect(scores["slow"]?.value).toBe(0.95);
  expect(comparisons).toEqual([]);
});

test("a row that is nobody's fault leaves every pair; above 2 % the candidate is set aside and leaves nothing out", () => {
  const failing = (candidate: string, failures: number): CandidateRows => ({
    candidate,
    rows: rows(candidate, 80).rows.map((one, index) => (index < failures ? row(index, 0, { error: nobody }) : one)),
  });
  const few = compare([failing("a", 2), rows("b", 80)]);
  expect(few.leftOut).toBe(2);
  expect(few.comparisons).toEqual([expect.objectContaining({ a: "a", b: "b", n: 98, difference: 0 })]);
  expect(few.scores["a"]).toMatchObject({ n: 98, errors: 2, value: 78 / 98 });
  const many = compare([failing("a", 3), rows("b", 80)]);
  expect(many.recommendation.rejected).toEqual([{ id: "a", constraint: "answered", value: 0.97, limit: 0.98 }]);
  expect(many.leftOut).toBe(0);
  expect(many.scores["b"]?.n).toBe(100);
});

test("a missing row counts as nobody's fault", () => {
  const short: CandidateRows = { candidate: "a", rows: rows("a", 80).rows.slice(0, 90) };
  expect(compare([short, rows("b", 80)]).recommendation.rejected).toMatchObject([{ id: "a", constraint: "answered", value: 0.9 }]);
});

test("under 30 test examples there are scores and differences, and no recommendation", () => {
  const { recommendation, scores, comparisons } = compare([rows("a", 5, 29), rows("b", 29, 29)]);
  expect(recommendation).toEqual({
    status: "none",
    winner: null,
    stillInTheRace: [],
    beaten: [],
    reason: "29 test examples can't tell candidates apart: 30 are the least for a recommendation.",
    expectedRegret: null,
    examplesNeeded: null,
    rejected: [],
  });
  expect([scores["a"]?.n, comparisons.length]).toEqual([29, 1]);
});

test("where every candidate breaks a constraint, or there is none, nothing is recommended", () => {
  expect(compare([rows("a", 50)], { constraints: { p95: 0.1, memory: 1e9 } }).recommendation).toMatchObject({
    status: "none",
    reason: "Every candidate breaks a constraint: p95 (1), memory (1, not known of 1).",
  });
  expect(compare([]).recommendation).toMatchObject({ status: "none", reason: "No candidate was evaluated." });
});

test("a winner without a language model is called that", () => {
  const evaluations = [rows("linear", 90), rows("lora", 50)];
  const profiles = [profile("linear", 0.001, { kind: "classify" }), profile("lora", 1)];
  expect(compare(evaluations, { profiles }).recommendation.reason).toMatch(/It needs no language model\.$/);
});

test("money where all prices are known, machine time where one is missing, and the objective decides who is cheap", () => {
  const evaluations = [rows("tuned", 80), rows("prompted", 80)];
  const profiles = [
    profile("tuned", 1, { buildSeconds: 3600, updateSeconds: 3600 }),
    profile("prompted", 2, { updateSeconds: 1, latency: { p50: 0.5, p95: 9 } }),
  ];
  const prices = { machineHour: 0.36, source: "task" };
  const usage = { requestsPerMonth: 10_000, updatesPerMonth: 10, months: 12 };
  const money = compare(evaluations, { profiles, usage, prices });
  expect(money.unit).toBe("dollars");
  expect(money.objectives).toEqual({
    tuned: expect.closeTo(1 + 3.6 + 0.03, 9) as number,
    prompted: expect.closeTo(2 + 0.001, 9) as number,
  });
  const time = compare(evaluations, { profiles, usage });
  expect(time.unit).toBe("machine-seconds");
  expect(time.objectives).toEqual({ tuned: 10_000 + 36_000 + 300, prompted: 20_000 + 10 });
  expect(compare(evaluations, { profiles, objective: "latency" }).objectives).toEqual({ tuned: 1, prompted: 0.5 });
  expect(compare(evaluations, { profiles, objective: "update" }).objectives).toEqual({ tuned: 3600, prompted: 1 });
});

test("where the objective is equal the cheaper by the month comes first, then the better", () => {
  const evaluations = [rows("dear", 790, 1000), rows("cheap", 790, 1000)];
  const profiles = [profile("dear", 2), profile("cheap", 1)];
  expect(compare(evaluations, { profiles, objective: "update" }).recommendation.winner).toBe("cheap");
  const equals = [rows("worse", 790, 1000), rows("better", 791, 1000)];
  expect(compare(equals, { profiles: equals.map(({ candidate }) => profile(candidate, 1)) }).recommendation.winner).toBe("better");
});

test("a metric where lower is better turns every comparison round", () => {
  const errors = { ...metric, higherIsBetter: false };
  const { recommendation, comparisons } = compare([rows("many", 90), rows("few", 10)], { metric: errors });
  expect(recommendation).toMatchObject({ status: "clear", winner: "few", beaten: ["many"] });
  expect(comparisons[0]).toMatchObject({ a: "many", b: "few", difference: expect.closeTo(0.8, 9) as number });
});

test("macro-F1 is recomputed on every sample, not averaged over rows", () => {
  const macro = createMetric("macro-f1", { output: { kind: "labels", labels } });
  const { scores, comparisons } = compare([rows("a", 80), rows("b", 40)], { metric: macro });
  // One label is never expected: F1 of "yes" is 160 / 180 and of "no" 0.
  expect(scores["a"]?.value).toBeCloseTo(160 / 180 / 2, 12);
  expect(scores["a"]!.low).toBeLessThan(160 / 180 / 2);
  expect(comparisons[0]!.low).toBeGreaterThan(0);
});

const table = fc.record({
  seed: fc.nat(),
  candidates: fc.integer({ min: 2, max: 5 }),
  n: fc.integer({ min: 30, max: 60 }),
  groups: fc.integer({ min: 5, max: 60 }),
});

function drawn({ seed, candidates, n, groups }: { seed: number; candidates: number; n: number; groups: number }): CandidateRows[] {
  const random = seededRandom(seed);
  return Array.from({ length: candidates }, (_, index) => ({
    candidate: `c${index}`,
    rows: Array.from({ length: n }, (_row, at) => row(at, Number(random.next() < 0.3 + 0.1 * index), { group: `g${at % groups}` })),
  }));
}

test("the same seed gives the same comparison, whatever order the rows stand in", () => {
  fc.assert(
    fc.property(table, (world) => {
      const evaluations = drawn(world);
      const others = evaluations.map(({ candidate, rows: all }, index) => ({ candidate, rows: index === 0 ? all : all.toReversed() }));
      expect(compare(others, { samples: 100 })).toEqual(compare(evaluations, { samples: 100 }));
    }),
    { numRuns: 20 },
  );
});

test("scores lie in their intervals, differences in their bands; winner, race and beaten are all the eligible", () => {
  fc.assert(
    fc.property(table, (world) => {
      const evaluations = drawn(world);
      const { scores, comparisons, recommendation } = compare(evaluations, { samples: 100 });
      for (const { value, low, high } of Object.values(scores))
        expect([0 <= low, low <= value, value <= high, high <= 1]).toEqual([true, true, true, true]);
      for (const { difference, low, high } of comparisons) expect([low <= difference, difference <= high]).toEqual([true, true]);
      expect(comparisons).toHaveLength((world.candidates * (world.candidates - 1)) / 2);
      const { winner, stillInTheRace, beaten, status } = recommendation;
      const named = new Set([winner, ...stillInTheRace, ...beaten]);
      const everybody = evaluations.every(({ candidate }) => named.has(candidate));
      expect(named.size).toBe(1 + stillInTheRace.length + beaten.length);
      expect(status === "clear" ? stillInTheRace : everybody).toEqual(status === "clear" ? [] : true);
      expect(recommendation.expectedRegret).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 30 },
  );
});
