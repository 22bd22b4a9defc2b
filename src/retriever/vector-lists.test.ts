import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../util/random.ts";
import { innerProducts } from "./exact.ts";
import { PageCache } from "./paged-file.ts";
import { listQuery, VectorLists, writeVectorLists } from "./vector-lists.ts";

const [COUNT, DIMENSIONS] = [5000, 18];
const random = seededRandom("lists");

function unit(centre: readonly number[], spread: number): Float32Array {
  const raw = centre.map((value) => value + spread * random.normal());
  return Float32Array.from(raw, (value) => value / Math.hypot(...raw));
}

const centres = Array.from({ length: 40 }, () => Array.from({ length: DIMENSIONS }, () => random.normal()));
const vectors = new Float32Array(COUNT * DIMENSIONS);
for (let row = 0; row < COUNT; row++) vectors.set(unit(centres[row % 40]!, 0.4), row * DIMENSIONS);

let folder: string;
let lists: VectorLists;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-lists-"));
  writeVectorLists({
    folder,
    count: COUNT,
    dimensions: DIMENSIONS,
    read: (rows, first) => rows.set(vectors.subarray(first * DIMENSIONS, first * DIMENSIONS + rows.length)),
  });
  lists = new VectorLists(folder, new PageCache());
});
afterAll(async () => {
  lists[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Places and cosines of the vectors in the nearest lists. */
function found(vector: Float32Array, most: number): Map<number, number> {
  const cosines = new Map<number, number>();
  const near = [...lists.near(vector).entries()].sort(([, one], [, other]) => other - one);
  for (const [list] of near.slice(0, most)) lists.search(list, listQuery(vector), (place, cosine) => cosines.set(place, cosine));
  return cosines;
}

test("every vector is in one list, with nearly its cosine", () => {
  const vector = unit(centres[3]!, 0.4);
  const all = found(vector, COUNT);
  expect(all.size).toBe(COUNT);
  innerProducts(vectors, vector, COUNT).forEach((cosine, place) => expect(Math.abs(all.get(place)! - cosine)).toBeLessThan(0.02));
});

test("a few lists hold most of the nearest", () => {
  let shared = 0;
  for (let query = 0; query < 20; query++) {
    const vector = unit(centres[query]!, 0.4);
    const exact = [...innerProducts(vectors, vector, COUNT).entries()].sort(([, a], [, b]) => b - a).slice(0, 10);
    const some = found(vector, 16);
    expect(some.size).toBeLessThan(COUNT / 3);
    shared += exact.filter(([place]) => some.has(place)).length;
  }
  expect(shared / 200).toBeGreaterThan(0.9);
});

test("the sample's cosines have the mean and deviation of all", () => {
  const vector = unit(centres[5]!, 0.4);
  const moments = (values: ArrayLike<number>): readonly [number, number] => {
    const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, Math.sqrt(Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
  };
  const [all, some] = [moments(innerProducts(vectors, vector, COUNT)), moments(lists.sampledCosines(listQuery(vector), 2048))];
  all.forEach((value, place) => expect(Math.abs(some[place]! - value)).toBeLessThan(0.02));
});
