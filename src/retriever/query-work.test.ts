import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import type { LanguageModel } from "../model.ts";
import { mockModel } from "../model/mock.ts";
import { memoryStore } from "../store/memory.ts";
import type { Document } from "../task.ts";
import { expandedTerms } from "./feedback.ts";
import { judgeByModel } from "./judge-by-model.ts";
import { reranked } from "./rerank.ts";
import { rewriteByModel } from "./rewrite-by-model.ts";
import { buildRetriever, type Retriever, type SearchOptions } from "./search.ts";

const document = (id: string, text: string): Document => ({ id, title: "", text, sha256: "" });
const documents = [
  document("hire", "Bike hire costs nine pounds. The deposit for a bike is fifty pounds."),
  document("deposit", "A deposit of fifty pounds is paid by card."),
  document("leave", "Staff have leave in summer and winter."),
];
let store: ReturnType<typeof memoryStore>;
let retriever: Retriever;
beforeEach(async () => {
  store = memoryStore();
  retriever = await buildRetriever({ settings: { scorer: "bm25", chunk: { words: 50, overlap: 0 } }, documents, store });
});
afterEach(async () => {
  await retriever[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});
const find = async (query: string, options: Partial<SearchOptions>): Promise<readonly string[]> =>
  (await retriever.search(query, { k: 3, ...options })).map((passage) => passage.document);
const writer = (text: string): LanguageModel => mockModel({ answer: () => text });

describe("feedback", () => {
  test("mixes the query's terms with those of what was found, by score; worked out by hand", () => {
    const found = [
      { terms: ["a", "b"], score: 3 },
      { terms: ["b", "b", "c", "c"], score: 1 },
    ];
    // a: .75 * .5 = .375; b: .375 + .25 * .5 = .5; c: .125, left out of two terms. Kept: .875.
    expect(expandedTerms(["a"], found, { terms: 2, original: 0.5 })).toEqual(
      new Map([
        ["a", 0.5 + (0.5 * 0.375) / 0.875],
        ["b", (0.5 * 0.5) / 0.875],
      ]),
    );
    expect(expandedTerms(["a", "a", "b"], [])).toEqual(
      new Map([
        ["a", 2 / 3],
        ["b", 1 / 3],
      ]),
    );
  });

  test("finds what shares words with what is found first", async () => {
    expect(await find("hire", {})).toEqual(["hire"]);
    expect(await find("hire", { feedback: {} })).toEqual(["hire", "deposit"]);
  });
});

describe("a query rewritten by a model", () => {
  test("is searched in several wordings, their rankings fused", async () => {
    const rewrite = rewriteByModel("rephrase", writer('1. "summer leave"\n- bike hire\n'));
    expect((await rewrite("hire")).map(({ text }) => text)).toEqual(["hire", "summer leave", "bike hire"]);
    expect((await find("hire", { rewrite })).toSorted()).toEqual(["hire", "leave"]);
  });

  test("is searched by its parts", async () => {
    expect((await find("hire", { rewrite: rewriteByModel("decompose", writer("staff leave")) })).toSorted()).toEqual(["hire", "leave"]);
  });

  test("stays itself where the model writes nothing, and is asked of the model once", async () => {
    let asked = 0;
    const model = mockModel({ answer: () => (asked++, "") });
    expect(await find("hire", { rewrite: rewriteByModel("rephrase", model) })).toEqual(["hire"]);
    expect(asked).toBe(1);
  });

  test("is embedded together with a passage imagined (HyDE)", async () => {
    await using dense = await buildRetriever({
      settings: { scorer: "dense", chunk: { words: 50, overlap: 0 } },
      documents,
      store,
      embedding: wordVectors(),
    });
    const first = async (options: Partial<SearchOptions>): Promise<string> =>
      (await dense.search("card", { k: 1, ...options }))[0]!.document;
    expect(await first({})).toBe("deposit");
    expect(await first({ rewrite: rewriteByModel("hyde", writer("Staff have leave in summer and winter.")) })).toBe("leave");
  });
});

describe("re-ranking", () => {
  const judge = async (_: string, passages: readonly { readonly document: string }[]): Promise<readonly number[]> =>
    passages.map((passage) => (passage.document === "deposit" ? 1 : 0));

  test("mixes the judge's scores with the first ranking's, and leaves the order where the judge says nothing", async () => {
    expect(await find("deposit bike", {})).toEqual(["hire", "deposit"]);
    expect(await find("deposit bike", { rerank: { judge, weight: 0.9 } })).toEqual(["deposit", "hire"]);
    expect(await find("deposit bike", { rerank: { judge: async (_q, all) => all.map(() => 1) } })).toEqual(["hire", "deposit"]);
    expect(await find("deposit bike", { k: 1, rerank: { judge, weight: 0.9 } })).toEqual(["deposit"]);
  });

  test("reads only so many, and what it did not read comes after, scores falling", async () => {
    const passages = ["a", "b", "c", "d"].map((id, at) => ({ document: id, title: "", start: 0, end: 1, text: id, score: -at }));
    const order = await reranked("q", passages, { judge: async (_, all) => all.map((__, at) => at), depth: 2, weight: 1 });
    expect(order.map((passage) => passage.document)).toEqual(["b", "a", "c", "d"]);
    expect(order.every(({ score }, at) => at === 0 || score < order[at - 1]!.score)).toBe(true);
  });

  test("a local model judges by how likely it finds the question, one behind a server by its yes", async () => {
    const passages = await retriever.search("deposit bike", { k: 2 });
    const local = await judgeByModel(mockModel({ answer: () => "" }))("What is the deposit?", passages);
    expect(local).toHaveLength(2);
    expect(local.every((score) => score < 0)).toBe(true);
    const mock = mockModel({ answer: (text) => (text.includes("nine") ? "Yes" : "No") });
    const remote: LanguageModel = {
      id: "server",
      key: "k",
      contextLength: 100,
      local: false,
      generate: (request) => mock.generate(request),
      countTokens: (text) => mock.countTokens(text),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const [hire, deposit] = await judgeByModel(remote)("What does it cost?", passages);
    expect(hire).toBeGreaterThan(deposit!);
    const silent: LanguageModel = {
      ...remote,
      generate: async (request) => {
        const { labels: _labels, ...rest } = await mock.generate(request);
        return rest;
      },
    };
    await expect(judgeByModel(silent)("What?", passages)).rejects.toThrow("gives no probabilities");
  });
});
