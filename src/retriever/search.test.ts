import { readdir, truncate } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import type { Scorer } from "../candidate.ts";
import { memoryStore } from "../store/memory.ts";
import type { Document } from "../task.ts";
import { lanceStore } from "./lancedb.ts";
import { buildRetriever, indexKey, type IndexSettings, type Retriever } from "./search.ts";

const scorers: readonly Scorer[] = ["tf-idf", "bm25", "dense", "hybrid", "convex"];
const settings = (scorer: Scorer): IndexSettings => ({ scorer, chunk: { words: 20, overlap: 5 } });
const document = (id: string, text: string, title = id): Document => ({ id, title, text, sha256: "" });

const documents = [
  document(
    "leave.md",
    "# Leave\n\nEverybody has 28 days of leave a year. Leave that is not taken by March is lost.\n\n## Sick leave\n\nCall before nine and bring a note after three days.",
  ),
  document(
    "travel.md",
    "# Travel\n\nTrains are booked by the office. A hotel may cost 120 a night.\n\n## Bikes\n\nBike hire is free for the staff of the harbour.",
  ),
  document("empty.md", "\n"),
];

let store: ReturnType<typeof memoryStore>;
let embedding: ReturnType<typeof wordVectors>;
beforeEach(() => {
  store = memoryStore();
  embedding = wordVectors();
  return () => store[Symbol.asyncDispose]();
});
const build = (scorer: Scorer, over: readonly Document[] = documents, signal?: AbortSignal): Promise<Retriever> =>
  buildRetriever({ settings: settings(scorer), documents: over, store, embedding, ...(signal && { signal }) });

describe.each(scorers)("%s", (scorer) => {
  test("finds the passage, as an exact slice of its document", async () => {
    await using retriever = await build(scorer);
    const [first] = await retriever.search("28 days of leave not lost by March", { k: 2 });
    expect(first).toMatchObject({ document: "leave.md", title: "leave.md" });
    expect(first!.text).toContain("28 days");
    expect(documents[0]!.text.slice(first!.start, first!.end)).toBe(first!.text);
  });

  test("a document that is added, changed or removed counts at the next search", async () => {
    await using retriever = await build(scorer);
    const find = async (): Promise<readonly string[]> =>
      (await retriever.search("parking permit garage", { k: 1 })).map((passage) => passage.text);
    const before = retriever.key;
    await retriever.upsert(document("parking.md", "A parking permit for the garage costs nothing."));
    expect(await find()).toEqual(["A parking permit for the garage costs nothing."]);
    expect(retriever.key).not.toBe(before);
    await retriever.upsert(document("parking.md", "A parking permit for the garage costs 40."));
    expect(await find()).toEqual(["A parking permit for the garage costs 40."]);
    await retriever.remove("parking.md");
    expect((await find()).join()).not.toContain("garage");
    expect(retriever.key).toBe(before);
    expect(retriever.stats).toEqual({ documents: 3, passages: 4, loaded: false });
  });

  test("a second start loads the index and embeds no passage again", async () => {
    await using first = await build(scorer);
    const asked = embedding.asked.length;
    await using second = await build(scorer, documents.toReversed());
    expect(second.stats.loaded).toBe(true);
    expect(embedding.asked).toHaveLength(asked);
    expect(second.key).toBe(first.key);
    expect(await second.search("hotel night cost", { k: 5 })).toEqual(await first.search("hotel night cost", { k: 5 }));
  });

  test("excluded passages are passed over for the next best", async () => {
    await using retriever = await build(scorer);
    const all = await retriever.search("leave days bike hotel", { k: 9 });
    expect(
      await retriever.search("leave days bike hotel", {
        k: 2,
        exclude: ({ start, document: id }) => id === all[0]!.document && start === all[0]!.start,
      }),
    ).toEqual(all.slice(1, 3));
    expect(await retriever.search("leave", { k: 3, exclude: () => true })).toEqual([]);
  });

  test("over no documents it finds nothing", async () => {
    await using retriever = await build(scorer, []);
    expect(await retriever.search("anything", { k: 3 })).toEqual([]);
  });
});

const word = fc.constantFrom("bike", "hotel", "leave", "harbour", "permit", "train");
const text = fc.array(word, { minLength: 1, maxLength: 30 }).map((list) => list.join(" "));
const step = fc.record({ id: fc.constantFrom("a", "b", "c"), text: fc.option(text, { nil: undefined }) });

test.each(scorers)("after any changes %s ranks as a retriever built from what is left", async (scorer) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      await using changed = await build(scorer, [document("a", "bike hotel"), document("b", "leave leave train")]);
      const left = new Map([
        ["a", "bike hotel"],
        ["b", "leave leave train"],
      ]);
      for (const { id, text: next } of steps) {
        if (next === undefined) left.delete(id);
        else left.set(id, next);
        await (next === undefined ? changed.remove(id) : changed.upsert(document(id, next)));
      }
      await using fresh = await build(
        scorer,
        [...left].map(([id, one]) => document(id, one)),
      );
      expect(changed.key).toBe(fresh.key);
      for (const query of ["bike", "harbour permit", "leave train train"]) {
        const close = (await fresh.search(query, { k: 4 })).map((passage) => ({ ...passage, score: expect.closeTo(passage.score, 6) }));
        expect(await changed.search(query, { k: 4 })).toEqual(close);
      }
    }),
    { numRuns: 15 },
  );
});

describe("an index that is kept", () => {
  test("an added document costs its own passages, no others", async () => {
    await using retriever = await build("hybrid");
    embedding.asked.length = 0;
    await retriever.upsert(document("parking.md", "A parking permit costs nothing."));
    expect(embedding.asked).toEqual(["parking.md\nA parking permit costs nothing."]);
  });

  test("a build that is stopped leaves the old index whole, and the next one goes on where it stopped", async () => {
    await using _old = await build("hybrid");
    const more = Array.from({ length: 200 }, (_, index) => document(`more-${index}.md`, `Paragraph number ${index} of many.`));
    const controller = new AbortController();
    let left = 2;
    const stopping = {
      ...embedding,
      embed: async (texts: readonly string[], signal?: AbortSignal) => {
        if (left-- === 0) controller.abort(new Error("stopped"));
        return embedding.embed(texts, signal);
      },
    };
    const options = { settings: settings("hybrid"), documents: [...documents, ...more], store };
    await expect(buildRetriever({ ...options, embedding: stopping, signal: controller.signal })).rejects.toThrow("stopped");
    const done = embedding.asked.length;
    await using again = await build("hybrid");
    expect(again.stats.loaded).toBe(true);
    expect(embedding.asked).toHaveLength(done);
    await using whole = await buildRetriever({ ...options, embedding: stopping });
    expect(whole.passages).toBe(204);
    expect(new Set(embedding.asked).size).toBe(embedding.asked.length);
  });

  test("an index file or an embedding cut short is made anew", async () => {
    await using first = await build("hybrid");
    const folder = (await store.path("x")).slice(0, -2);
    for (const name of await readdir(folder, { recursive: true }))
      if (/\.(index|bin)$/.test(name)) await truncate(`${folder}/${name}`, 150);
    const asked = embedding.asked.length;
    await using second = await buildRetriever({ settings: settings("hybrid"), documents, store, embedding: { ...embedding } });
    expect(second.stats.loaded).toBe(false);
    expect(embedding.asked.length - asked).toBeGreaterThan(3);
    expect(await second.search("bike hire", { k: 3 })).toEqual(await first.search("bike hire", { k: 3 }));
    await using third = await buildRetriever({
      settings: settings("hybrid"),
      documents,
      store,
      embedding: { ...embedding, embed: () => Promise.reject(new Error("asked again")) },
    });
    expect(third.stats.loaded).toBe(true);
  });
});

describe("LanceDB behind a retriever", () => {
  const lance = memoryStore();
  let uri = "";
  beforeAll(async () => {
    uri = await lance.path("vectors");
  });
  afterAll(() => lance[Symbol.asyncDispose]());

  test("ranks as vectors in memory do, and a second start keeps its rows", async () => {
    const vectors = (dimensions: number) => lanceStore({ uri, table: "passages", dimensions });
    for (const scorer of ["dense", "hybrid", "convex"] as const) {
      await using exact = await build(scorer);
      await using retriever = await buildRetriever({ settings: settings(scorer), documents, store, embedding, vectors });
      for (const query of ["bike hire", "days of leave"]) {
        const expected = (await exact.search(query, { k: 5 })).map((passage) => ({ ...passage, score: expect.closeTo(passage.score, 5) }));
        expect(await retriever.search(query, { k: 5 })).toEqual(expected);
      }
    }
    await using kept = await vectors(32);
    expect(await kept.ids()).toHaveLength(4);
  });
});

test("the key depends on contents and what decides the index, not on order", () => {
  const key = indexKey(settings("bm25"), documents);
  expect(indexKey(settings("bm25"), documents.toReversed())).toBe(key);
  expect(indexKey(settings("tf-idf"), documents)).not.toBe(key);
  expect(indexKey({ ...settings("bm25"), chunk: { words: 21, overlap: 5 } }, documents)).not.toBe(key);
  expect(indexKey({ ...settings("bm25"), bm25: { k1: 1.2, b: 0.75 } }, documents)).not.toBe(key);
  expect(indexKey(settings("bm25"), [document("leave.md", "other"), ...documents.slice(1)])).not.toBe(key);
});

test("the lexical scorers find nothing for words that no document holds", async () => {
  await using retriever = await build("bm25");
  expect(await retriever.search("zebra", { k: 3 })).toEqual([]);
});

test("a dense scorer without an embedding model names the way out", async () => {
  await expect(buildRetriever({ settings: settings("dense"), documents, store })).rejects.toThrow(
    'retriever.scorer is "dense", which needs an embedding model. Set retriever.embedding',
  );
});
