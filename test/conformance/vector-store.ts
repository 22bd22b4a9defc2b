// What every vector store keeps to, as one suite.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VectorRow, VectorStore } from "../../src/retriever/vector-store.ts";

export interface OpenedStore {
  readonly store: VectorStore;
  readonly close: () => Promise<void>;
}

const DIMENSIONS = 6;

/** A unit vector at an angle in the first plane: the cosine of two is the cosine of the difference of their angles. */
const at = (degrees: number): Float32Array => {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle), 0, 0, 0, 0);
};
const cosine = (degrees: number): unknown => expect.closeTo(Math.cos((degrees * Math.PI) / 180), 5);

export function testVectorStore(name: string, open: (dimensions: number) => Promise<OpenedStore>): void {
  describe(`${name} as a vector store`, () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(DIMENSIONS);
    });
    afterAll(() => opened.close());
    const refill = async (rows: readonly VectorRow[]): Promise<VectorStore> => {
      await opened.store.remove(await opened.store.ids());
      await opened.store.upsert(rows);
      return opened.store;
    };

    test("an empty store finds nothing and removes nothing", async () => {
      const store = await refill([]);
      expect(await store.search({ vector: at(0), k: 3 })).toEqual([]);
      await store.remove(["not there"]);
      expect(await store.ids()).toEqual([]);
    });

    test("the nearest come first, with their cosines", async () => {
      const store = await refill([
        { id: "far", vector: at(90) },
        { id: "near", vector: at(10) },
        { id: "middle", vector: at(40) },
      ]);
      expect(await store.search({ vector: at(0), k: 2 })).toEqual([
        { id: "near", score: cosine(10) },
        { id: "middle", score: cosine(40) },
      ]);
      expect(await store.search({ vector: at(0), k: 9, exact: true })).toHaveLength(3);
      expect(await store.search({ vector: at(0), k: 0 })).toEqual([]);
    });

    test("a row of the same id is replaced, and the next search sees it", async () => {
      const store = await refill([
        { id: "a", vector: at(0) },
        { id: "b", vector: at(30) },
      ]);
      await store.upsert([
        { id: "a", vector: at(80) },
        { id: "c", vector: at(50) },
      ]);
      expect(await store.search({ vector: at(0), k: 9 })).toEqual([
        { id: "b", score: cosine(30) },
        { id: "c", score: cosine(50) },
        { id: "a", score: cosine(80) },
      ]);
    });

    test("ids may hold quotes, spaces and any script", async () => {
      const ids = [`it's "quoted".md#1`, "資料/手引き.md", "a b; DROP TABLE x --", "\\"];
      const store = await refill(ids.map((id, index) => ({ id, vector: at(20 * index) })));
      await store.remove([ids[0]!, ids[3]!]);
      expect((await store.ids()).sort()).toEqual([ids[1]!, ids[2]!].sort());
    });

    test("equal rows come in the order of their ids", async () => {
      const store = await refill(["c", "a", "b"].map((id) => ({ id, vector: at(5) })));
      expect((await store.search({ vector: at(5), k: 3 })).map(({ id }) => id)).toEqual(["a", "b", "c"]);
    });

    test("a vector of another length is refused", async () => {
      await expect(opened.store.upsert([{ id: "short", vector: Float32Array.of(1) }])).rejects.toThrow("A vector of 1 numbers");
    });

    test("after any changes it holds and ranks what a plain map would", async () => {
      const change = fc.record({
        id: fc.constantFrom("a", "b", "c", "d", "e"),
        degrees: fc.option(fc.integer({ min: 0, max: 170 }), { nil: undefined }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 6 }), async (changes) => {
          const store = await refill([]);
          const model = new Map<string, number>();
          for (const { id, degrees } of changes) {
            await (degrees === undefined ? store.remove([id]) : store.upsert([{ id, vector: at(degrees) }]));
            if (degrees === undefined) model.delete(id);
            else model.set(id, degrees);
          }
          const expected = [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).map(([id]) => id);
          expect((await store.search({ vector: at(0), k: 9 })).map(({ id }) => id)).toEqual(expected);
          expect((await store.ids()).sort()).toEqual(expected.sort());
        }),
        { numRuns: 12 },
      );
    });
  });
}
