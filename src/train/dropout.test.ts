// What is dropped: as often as asked, independently of place and neighbour, and the same again after a stop.
import { expect, test } from "vitest";
import { trace } from "../graph/graph.ts";
import { interpret, type Numbers } from "../graph/interpret.ts";
import { input } from "../graph/ops.ts";
import { addLora, loraPair, type LoraPair } from "../nn/lora.ts";
import { buildModel, dropoutPrefix } from "../nn/programs.ts";
import { makeBatch } from "./batches.ts";
import { dropoutFeeds } from "./dropout.ts";
import { tinyConfig } from "./fixtures/tiny-llama.ts";

const rate = 0.3;
const model = buildModel(tinyConfig, { kind: "lora", rank: 2, alpha: 4, dropout: rate });
const batch = makeBatch([{ tokens: Array.from({ length: 41 }, (_, index) => index), promptLength: 30 }]);
const feeds = (step: number) => dropoutFeeds(model, batch, { seed: 0, step, index: 0 });
const codesOf = (step: number, name: string) => Array.from(feeds(step)[dropoutPrefix + name]?.data ?? [], Number);

test("the codes follow from seed, step and batch; without dropout there are none", () => {
  expect(feeds(3)).toEqual(feeds(3));
  const others = [
    feeds(4),
    dropoutFeeds(model, batch, { seed: 1, step: 3, index: 0 }),
    dropoutFeeds(model, batch, { seed: 0, step: 3, index: 1 }),
  ];
  for (const other of others) expect(other).not.toEqual(feeds(3));
  expect(Object.entries(feeds(3)).map(([name, { dims }]) => [name, dims])).toEqual([
    // Two layers of three inputs of width 32 and one of 48.
    ["dropout/columns", [2 * (3 * 32 + 48)]],
    ["dropout/batch*time", [40]],
    ["dropout/rows", [11]],
  ]);
  expect(codesOf(3, "columns").every((code) => code % 2 !== 0 && Math.abs(code) <= 2 ** 31)).toBe(true);
  expect(dropoutFeeds(buildModel(tinyConfig, { kind: "lora", rank: 2, alpha: 4 }), batch, { seed: 0, step: 3, index: 0 })).toEqual({});
});

test("the adapter's input is dropped at the rate asked, place by place, and what is kept makes up for it", () => {
  // A and B of ones: what the adapter adds to a row is the sum of what it reads of x.
  const base = { name: "w", shape: [1, 32], parts: [{ tensor: "blk.0.ffn_down.weight", rows: 1 }], kind: "linear" } as const;
  const pair = loraPair(base, { rank: 1 }) as LoraPair;
  const x = input("x", "float32", [40, 32]);
  const dropped = { rate, rows: input("rows", "int64", [40]), columns: input("columns", "int64", [32]) };
  const [w, a, b] = [input("w", "float32", [40, 1]), input("a", "float32", [1, 32]), input("b", "float32", [1, 1])];
  const graph = trace("adapter", { y: addLora(w, x, { pair, a, b, mask: undefined, rank: 1, alpha: 1, dropped }) });
  const ones = (...dims: number[]): Numbers => ({ dims, data: new Float64Array(dims.reduce((size, dim) => size * dim)).fill(1) });
  const zeros = { dims: [40, 1], data: new Float64Array(40) };
  const sums = Array.from({ length: 50 }, (_, step) => {
    const codes = { rows: codesOf(step, "batch*time"), columns: codesOf(step, "columns").slice(0, 32) };
    const leaves = Object.entries(codes).map(([name, list]) => [name, { dims: [list.length], data: Float64Array.from(list) }]);
    return [
      ...(interpret(graph, { x: ones(40, 32), w: zeros, a: ones(1, 32), b: ones(1, 1), ...Object.fromEntries(leaves) })["y"]?.data ?? []),
    ];
  }).flat();
  const mean = sums.reduce((total, value) => total + value, 0) / sums.length;
  const variance = sums.reduce((total, value) => total + (value - mean) ** 2, 0) / sums.length;
  // 2,000 sums of 32 independent numbers that are 1 / .7 with probability .7: mean 32, variance 32 * .3 / .7, errors about .08 and .45.
  expect(Math.abs(mean - 32)).toBeLessThan(0.3);
  expect(Math.abs(variance - (32 * rate) / (1 - rate))).toBeLessThan(2);
});
