// The contrastive loss against its formula in plain numbers, and its derivative against finite differences.
import { expect, test } from "vitest";
import { interpret, type Numbers } from "../graph/interpret.ts";
import { seededRandom } from "../util/random.ts";
import { queryMapGraphs } from "./contrastive.ts";

const [queries, passages, width, temperature] = [3, 5, 4, 0.5];
const random = seededRandom("contrastive");
const normal = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());
const labels = [4, 0, 2];
/** The first query's answers are 4 and 1. */
const blocked = new Float64Array(queries * passages);
blocked[1] = -1e9;

const leaves: { readonly [name: string]: Numbers } = {
  queries: { dims: [queries, width], data: unit(normal(queries * width)) },
  passages: { dims: [passages, width], data: unit(normal(passages * width)) },
  change: { dims: [width, width], data: normal(width * width).map((value) => value / 4) },
  labels: { dims: [queries], data: Float64Array.from(labels) },
  blocked: { dims: [queries, passages], data: blocked },
  weights: { dims: [queries], data: Float64Array.of(0.5, 0.3, 0.2) },
};
const graphs = queryMapGraphs({ width, temperature });

test("the loss is -log of the answer's share among the passages that are no other answer", () => {
  expect(interpret(graphs.loss, leaves)["loss"]!.data[0]).toBeCloseTo(plainLoss(leaves["change"]!.data), 6);
});

test("its derivative by the map is that of finite differences", () => {
  const { loss, "gradient/change": gradient } = interpret(graphs.training, leaves);
  expect(loss!.data[0]).toBeCloseTo(plainLoss(leaves["change"]!.data), 6);
  const step = 1e-5;
  gradient!.data.forEach((value, place) => {
    const at = (change: number) => plainLoss(leaves["change"]!.data.with(place, leaves["change"]!.data[place]! + change));
    expect(value).toBeCloseTo((at(step) - at(-step)) / (2 * step), 5);
  });
});

function plainLoss(change: Float64Array): number {
  const row = ({ data }: Numbers, at: number): Float64Array => data.subarray(at * width, (at + 1) * width);
  return labels.reduce((sum, label, query) => {
    const vector = row(leaves["queries"]!, query);
    const mapped = unit(vector.map((value, i) => value + dot(change.subarray(i * width, (i + 1) * width), vector)));
    const shares = Array.from({ length: passages }, (_, passage) =>
      blocked[query * passages + passage] === 0 ? Math.exp(dot(mapped, row(leaves["passages"]!, passage)) / temperature) : 0,
    );
    return sum - leaves["weights"]!.data[query]! * Math.log(shares[label]! / shares.reduce((total, share) => total + share, 0));
  }, 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

/** Rows scaled to length 1. */
function unit(data: Float64Array): Float64Array {
  return data.map((value, place) => {
    const start = place - (place % width);
    return value / Math.hypot(...data.subarray(start, start + width));
  });
}
