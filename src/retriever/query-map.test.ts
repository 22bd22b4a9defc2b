import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import { memoryStore } from "../store/memory.ts";
import { mapQuery, type QueryMap, readQueryMap, writeQueryMap } from "./query-map.ts";
import { buildRetriever } from "./search.ts";

const folder = await mkdtemp(join(tmpdir(), "sartor-query-map-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const identity = (dimensions: number): QueryMap => ({
  dimensions,
  matrix: Float32Array.from({ length: dimensions ** 2 }, (_, place) => Number(place % (dimensions + 1) === 0)),
});

test("the identity leaves a unit vector as it is, and a map of zeros gives zeros, not NaN", () => {
  expect(mapQuery(identity(2), Float32Array.of(0.6, 0.8))).toEqual(Float32Array.of(0.6, 0.8));
  expect(mapQuery({ dimensions: 2, matrix: new Float32Array(4) }, Float32Array.of(0.6, 0.8))).toEqual(new Float32Array(2));
});

test("what is mapped has length 1, and its direction is the matrix's product with the vector", () => {
  // Rows (1, 1) and (0, 2): (3, 4) becomes (7, 8).
  const mapped = mapQuery({ dimensions: 2, matrix: Float32Array.of(1, 1, 0, 2) }, Float32Array.of(3, 4));
  expect(mapped[0]).toBeCloseTo(7 / Math.hypot(7, 8), 6);
  expect(mapped[1]).toBeCloseTo(8 / Math.hypot(7, 8), 6);
});

test("a map of another width is refused in one line", () => {
  expect(() => mapQuery(identity(2), new Float32Array(3))).toThrow(
    "The tuned embeddings map 2 numbers, and the embedding model gives 3. Tune them again.",
  );
});

test("what is written is read", async () => {
  const path = join(folder, "map.safetensors");
  const numbers = fc.float32Array({ minLength: 9, maxLength: 9, noNaN: true });
  await fc.assert(
    fc.asyncProperty(numbers, async (matrix) => {
      await writeQueryMap(path, { dimensions: 3, matrix });
      expect(await readQueryMap(path)).toEqual({ dimensions: 3, matrix });
    }),
    { numRuns: 20 },
  );
});

test("a search by a map ranks by the mapped query, alone and fused, and the index is the same", async () => {
  const document = (id: string): { id: string; title: string; text: string; sha256: string } => ({ id, title: "", text: id, sha256: "" });
  const [model, store] = [wordVectors(), memoryStore()];
  const settings = { scorer: "dense", chunk: { words: 20, overlap: 0 }, embedding: "words" } as const;
  const documents = ["bike", "hotel", "train"].map(document);
  await using retriever = await buildRetriever({ settings, documents, store, embedding: model });
  const [bike, hotel] = await model.embed(["bike", "hotel"]);
  // A map that sends every vector near "bike" to "hotel": hotel times the transpose of bike.
  const matrix = Float32Array.from({ length: 32 ** 2 }, (_, place) => hotel![Math.floor(place / 32)]! * bike![place % 32]!);
  const queryMap = { dimensions: 32, matrix };
  expect((await retriever.search("bike", { k: 1 })).map(({ text }) => text)).toEqual(["bike"]);
  expect((await retriever.search("bike", { k: 1, queryMap })).map(({ text }) => text)).toEqual(["hotel"]);
  expect(retriever.indexed().map(({ document: { id } }) => id)).toEqual(["bike", "hotel", "train"]);
});
