import fc from "fast-check";
import { expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import { memoryStore } from "../store/memory.ts";
import { sharedScores } from "./neighbours.ts";
import { buildRetriever } from "./search.ts";

const [east, north] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];

test("a passage beside good ones rises, one among bad ones falls, one without neighbours stays", () => {
  // Two alike, and one at a right angle to both.
  expect(sharedScores([4, 2, 3], [east, east, north], 0.5)).toEqual([3, 3, 3]);
  expect(sharedScores([4, 2, 3], [east, east, north], 0.25)).toEqual([3.5, 2.5, 3]);
});

test("nearer neighbours count more", () => {
  const slanted = Float32Array.of(0.6, 0.8);
  // To the third: the first at 0.6, the second at 0.8.
  expect(sharedScores([7, 0, 0], [east, north, slanted], 1)[2]).toBeCloseTo((0.6 * 7) / 1.4, 6);
});

test("a share of 0 changes nothing, and no score leaves the range of all", () => {
  const angles = fc.array(
    fc.record({ angle: fc.double({ min: 0, max: 6, noNaN: true }), score: fc.double({ min: -5, max: 5, noNaN: true }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(angles, fc.double({ min: 0, max: 1, noNaN: true }), (found, share) => {
      const scores = found.map(({ score }) => score);
      const vectors = found.map(({ angle }) => Float32Array.of(Math.cos(angle), Math.sin(angle)));
      sharedScores(scores, vectors, 0).forEach((score, at) => expect(score).toBeCloseTo(scores[at]!, 12));
      for (const score of sharedScores(scores, vectors, share)) {
        expect(score).toBeGreaterThanOrEqual(Math.min(...scores) - 1e-9);
        expect(score).toBeLessThanOrEqual(Math.max(...scores) + 1e-9);
      }
    }),
  );
});

test("a search shares the scores of what it finds, by the passages' embeddings", async () => {
  const documents = ["bike chain", "bike repair", "hotel", "chain repair"].map((text) => ({ id: text, title: "", text, sha256: "" }));
  const [embedding, settings] = [wordVectors(), { scorer: "convex", chunk: { words: 20, overlap: 0 }, embedding: "words" } as const];
  await using retriever = await buildRetriever({ settings, documents, store: memoryStore(), embedding });
  const plain = await retriever.search("bike", { k: 4 });
  const vectors = await embedding.embed(plain.map(({ text }) => text));
  const scores = sharedScores(
    plain.map(({ score }) => score),
    vectors,
    0.5,
  );
  const expected = plain.map(({ text }, at) => ({ text, score: scores[at]! })).toSorted((a, b) => b.score - a.score);
  const shared = await retriever.search("bike", { k: 2, neighbours: 0.5 });
  expect(shared.map(({ text, score }) => ({ text, score }))).toEqual(expected.slice(0, 2));
});
