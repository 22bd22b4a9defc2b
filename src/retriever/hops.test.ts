import { beforeEach, expect, test } from "vitest";
import { measureHops } from "../../bench/hops.ts";
import { wordVectors } from "../../test/support/word-vectors.ts";
import type { Scorer } from "../candidate.ts";
import { memoryStore } from "../store/memory.ts";
import type { Document } from "../task.ts";
import type { Ranker } from "./ranking.ts";
import { type TiedDocument, withHops } from "./hops.ts";
import { type Scored } from "./scored.ts";
import { passageId } from "./passages.ts";
import { buildRetriever, type SearchOptions } from "./search.ts";

const id = (document: string): string => passageId({ document, key: "0".repeat(16), start: 0 });

/** a - b - c - d, and e alone; `found` are scores. */
const ties: { readonly [document: string]: readonly string[] } = { a: ["b"], b: ["a", "c"], c: ["b", "d"], d: ["c"], e: [] };
const tied = (document: string): TiedDocument | undefined =>
  ties[document] && { neighbours: [...ties[document], "gone"], passages: [id(document)] };

async function follow(
  found: { readonly [document: string]: number },
  hops: number,
  k = 10,
): Promise<readonly (readonly [string, number])[]> {
  const rank: Ranker = async () => Object.entries(found).map(([document, score]): Scored => ({ id: id(document), score }));
  const ranked = await withHops(rank, { hops, decay: 0.5, tied })({ query: "", k });
  return ranked.map(({ id: passage, score }) => [passage[0]!, score]);
}

test("what is tied to what was found gets half its score with each hop", async () => {
  expect(await follow({ a: 8, e: 3 }, 1)).toEqual([
    ["a", 8],
    ["b", 4],
    ["e", 3],
  ]);
  expect(await follow({ a: 8, e: 3 }, 2)).toEqual([
    ["a", 8],
    ["b", 4],
    ["e", 3],
    ["c", 2],
  ]);
});

test("the best path counts, beside what a document was found by itself", async () => {
  expect(await follow({ a: 8, b: 1, d: 6 }, 2)).toEqual([
    ["a", 8 + 0.5],
    ["d", 6],
    ["b", 1 + 4],
    ["c", 3],
  ]);
});

test("no more is given than was asked for", async () => {
  expect(await follow({ a: 8, e: 3 }, 2, 2)).toEqual([
    ["a", 8],
    ["b", 4],
  ]);
});

test("scores below 0 are counted from the lowest, and nothing goes out from where there is nothing", async () => {
  expect(await follow({ a: 0, e: -1 }, 1)).toEqual([
    ["a", 0],
    ["b", -0.5],
    ["e", -1],
  ]);
  expect(await follow({ a: 0 }, 2)).toEqual([["a", 0]]);
});

test("a tie to a document that is not there leads nowhere", async () => {
  expect((await follow({ a: 8 }, 1)).map(([document]) => document)).toEqual(["a", "b"]);
});

const document = (name: string, text: string, neighbours: readonly string[]): Document => ({
  id: name,
  title: name,
  text,
  sha256: "",
  neighbours,
});
const documents = [
  document("organ", "The organ has many pipes.", ["builder"]),
  document("builder", "A person from the north.", ["organ", "town"]),
  document("town", "A place with a fair.", ["builder"]),
  document("other", "A place without one.", []),
];
let store: ReturnType<typeof memoryStore>;
beforeEach(() => {
  store = memoryStore();
  return () => store[Symbol.asyncDispose]();
});

test.each<Scorer>(["tf-idf", "bm25", "dense", "hybrid", "convex"])(
  "a retriever by %s follows ties, within what may be found",
  async (scorer) => {
    await using retriever = await buildRetriever({
      settings: { scorer, chunk: { words: 20, overlap: 0 } },
      documents,
      store,
      embedding: wordVectors(),
    });
    const find = async (options: Partial<SearchOptions>): Promise<readonly string[]> =>
      (await retriever.search("organ pipes", { k: 2, ...options })).map((passage) => passage.document);
    expect(await find({ hops: 1 })).toEqual(["organ", "builder"]);
    expect((await find({ hops: 2, k: 3 })).toSorted()).toEqual(["builder", "organ", "town"]);
    expect(await find({ hops: 1, exclude: (passage) => passage.document === "builder" })).not.toContain("builder");
    await expect(find({ hops: 3 })).rejects.toThrow("hops is 3. Set it to 0, 1 or 2.");
    await retriever.remove("builder");
    expect(await find({ hops: 1 })).not.toContain("builder");
  },
);

test("questions whose answer is two ties away are answered by following ties, and no others worse", async () => {
  const [none, one, two] = await measureHops("bm25");
  expect([none!.recall, one!.recall, two!.recall]).toEqual([
    { 0: [1, 1, 1], 1: [0.3, 1, 1], 2: [0, 0, 0.125] },
    { 0: [1, 1, 1], 1: [0.3, 1, 1], 2: [0, 0, 0.5625] },
    { 0: [1, 1, 1], 1: [0.3, 1, 1], 2: [0, 0, 0.5625] },
  ]);
});
