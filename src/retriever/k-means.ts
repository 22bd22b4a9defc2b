// Centres of unit vectors in two levels, so that finding a vector's centre among K costs about the root of K. Knows nothing of files.
import type { Random } from "../util/random.ts";
import { innerProducts } from "./exact.ts";

export interface Centres {
  readonly dimensions: number;
  /** [centres, dimensions], flat: unit vectors. */
  readonly rows: Float32Array;
  /** [groups, dimensions], flat, and the first centre of each group, with the count of centres last. */
  readonly groups: Float32Array;
  readonly firsts: Int32Array;
}

export interface CentresOptions {
  /** [some, dimensions], flat: unit vectors to learn from. */
  readonly sample: Float32Array;
  readonly dimensions: number;
  /** How many, about. */
  readonly count: number;
  readonly random: Random;
}

const ROUNDS = 6;
/** Groups whose centres a vector is compared with. */
const GROUPS_TRIED = 3;

/** Spherical k-means (Dhillon and Modha 2001) into groups, then of each group's vectors into centres. */
export function findCentres({ sample, dimensions, count, random }: CentresOptions): Centres {
  const groupCount = Math.max(1, Math.round(Math.sqrt(count)));
  const groups = kMeans({ rows: sample, dimensions, count: groupCount, random });
  const members = membersOf(sample, dimensions, groups);
  const total = sample.length / dimensions;
  const parts = members.map((rows) =>
    kMeans({ rows, dimensions, count: Math.max(1, Math.round((count * rows.length) / dimensions / total)), random }),
  );
  const firsts = new Int32Array(parts.length + 1);
  parts.forEach((part, group) => (firsts[group + 1] = firsts[group]! + part.length / dimensions));
  const rows = new Float32Array(firsts.at(-1)! * dimensions);
  parts.forEach((part, group) => rows.set(part, firsts[group]! * dimensions));
  return { dimensions, rows, groups, firsts };
}

/** The number of the centre nearest to a unit vector, or of one nearly as near. */
export function centreOf({ dimensions, rows, groups, firsts }: Centres, vector: Float32Array): number {
  const near = innerProducts(groups, vector, firsts.length - 1);
  let [best, highest] = [0, Number.NEGATIVE_INFINITY];
  for (let tried = 0; tried < Math.min(GROUPS_TRIED, near.length); tried++) {
    const group = largest(near);
    near[group] = Number.NEGATIVE_INFINITY;
    const [from, to] = [firsts[group]!, firsts[group + 1]!];
    const products = innerProducts(rows.subarray(from * dimensions, to * dimensions), vector, to - from);
    const place = largest(products);
    if (products[place]! <= highest) continue;
    [best, highest] = [from + place, products[place]!];
  }
  return best;
}

interface KMeansOptions {
  readonly rows: Float32Array;
  readonly dimensions: number;
  readonly count: number;
  readonly random: Random;
}

function kMeans({ rows, dimensions, count, random }: KMeansOptions): Float32Array {
  const total = rows.length / dimensions;
  const row = (index: number): Float32Array => rows.subarray(index * dimensions, (index + 1) * dimensions);
  const centres = new Float32Array(count * dimensions);
  const seed = (centre: number): void => centres.set(total === 0 ? unit(dimensions) : row(random.integer(total)), centre * dimensions);
  for (let centre = 0; centre < count; centre++) seed(centre);
  for (let round = 0; round < ROUNDS && count > 1; round++) {
    const sums = new Float64Array(centres.length);
    for (let index = 0; index < total; index++) {
      const base = largest(innerProducts(centres, row(index), count)) * dimensions;
      for (let i = 0; i < dimensions; i++) sums[base + i]! += rows[index * dimensions + i]!;
    }
    for (let centre = 0; centre < count; centre++) {
      const sum = sums.subarray(centre * dimensions, (centre + 1) * dimensions);
      const length = Math.hypot(...sum);
      // One that is nobody's nearest begins anew.
      if (length < 1e-9) seed(centre);
      else
        centres.set(
          sum.map((value) => value / length),
          centre * dimensions,
        );
    }
  }
  return centres;
}

/** The rows nearest to each centre, flat. */
function membersOf(rows: Float32Array, dimensions: number, centres: Float32Array): Float32Array[] {
  const count = centres.length / dimensions;
  const members: number[][] = Array.from({ length: count }, () => []);
  for (let from = 0; from < rows.length; from += dimensions)
    members[largest(innerProducts(centres, rows.subarray(from, from + dimensions), count))]!.push(from);
  return members.map((own) => {
    const flat = new Float32Array(own.length * dimensions);
    own.forEach((from, place) => flat.set(rows.subarray(from, from + dimensions), place * dimensions));
    return flat;
  });
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

const unit = (dimensions: number): Float32Array => Float32Array.from({ length: dimensions }, (_, index) => Number(index === 0));
