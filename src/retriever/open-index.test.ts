import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import type { Scorer } from "../candidate.ts";
import type { Passage } from "../evaluation.ts";
import type { Document } from "../task.ts";
import { seededRandom } from "../util/random.ts";
import { openIndexWriter, type OpenIndexWriterOptions } from "./index-writer.ts";
import { parseCondition } from "./metadata.ts";
import { openIndex, type OpenIndex } from "./open-index.ts";

const methods: readonly Scorer[] = ["tf-idf", "bm25", "dense", "hybrid", "convex"];
const document = (id: string, text: string): Document => ({ id, title: id, text, sha256: "" });

let root: string;
let embedding: ReturnType<typeof wordVectors>;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sartor-index-"));
  embedding = wordVectors();
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Change {
  readonly put?: readonly Document[];
  readonly remove?: readonly string[];
}

async function change(
  folder: string,
  { put = [], remove = [] }: Change,
  { summaries, listsFrom = 8000 }: Pick<OpenIndexWriterOptions, "summaries" | "listsFrom"> = {},
): Promise<void> {
  await using writer = await openIndexWriter({
    folder,
    chunk: { words: 8, overlap: 2 },
    embedding: { name: "word-vectors", model: embedding },
    summaries,
    listsFrom,
  });
  for (const id of remove) await writer.remove(id);
  for (const one of put) await writer.put(one);
  await writer.commit({ sources: { folder: ".", paths: [] } });
}

const open = (folder: string, exactUpTo = 50_000): Promise<OpenIndex> =>
  openIndex({ folder, openEmbedding: async () => embedding, exactUpTo });

const words = ["bike", "hire", "day", "leave", "broken", "refund", "winter", "hours", "train", "hotel"] as const;
const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 24 }).map((some) => some.join(" "));
const changes = fc.array(
  fc.record({
    put: fc.uniqueArray(fc.tuple(fc.constantFrom("a.md", "b.md", "c/d.md"), text), { maxLength: 3, selector: ([id]) => id }),
    remove: fc.uniqueArray(fc.constantFrom("a.md", "b.md", "c/d.md"), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 5 },
);

test("after any changes every method finds what it would in an index made at once", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(changes, async (steps) => {
      const folder = join(root, String(run++));
      const model = new Map<string, Document>();
      for (const { put, remove } of steps) {
        const documents = put.map(([id, content]) => document(id, content));
        await change(folder, { put: documents, remove }, { summaries: { name: "extractive" } });
        for (const id of remove) model.delete(id);
        for (const one of documents) model.set(one.id, one);
      }
      await change(`${folder}-fresh`, { put: [...model.values()] }, { summaries: { name: "extractive" } });
      await using changed = await open(folder);
      await using fresh = await open(`${folder}-fresh`);
      for (const method of methods) {
        for (const query of ["bike hire", "refund winter winter", "nothing"]) {
          for (const options of [
            { method, k: 5 },
            { method, k: 5, descend: { documents: 2, sections: 2 } },
          ]) {
            const [one, other] = [await changed.search(query, options), await fresh.search(query, options)];
            expect(one).toEqual(other.map((passage) => ({ ...passage, score: expect.closeTo(passage.score, 4) })));
          }
          const one = await changed.search(query, { method });
          for (const passage of one) expect(model.get(passage.document)!.text.slice(passage.start, passage.end)).toBe(passage.text);
        }
      }
    }),
    { numRuns: 5 },
  );
}, 60_000);

test("an index searched by lists finds what comparing everything finds, where it looks into all of them", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(changes, async (steps) => {
      const folder = join(root, String(run++));
      for (const { put, remove } of steps)
        await change(folder, { put: put.map(([id, content]) => document(id, content)), remove }, { listsFrom: 1 });
      await using listed = await open(folder, 0);
      await using exact = await open(folder);
      for (const method of ["bm25", "dense", "hybrid"] as const)
        for (const query of ["bike hire", "refund winter winter", "nothing"])
          expect(await listed.search(query, { method, k: 5 })).toEqual(await exact.search(query, { method, k: 5 }));
    }),
    { numRuns: 5 },
  );
}, 60_000);

test("convex by lists ranks as it does when every score is known", async () => {
  const random = seededRandom("convex");
  const some = (): string => Array.from({ length: 8 }, () => words[random.integer(words.length)]!).join(" ");
  await change(root, { put: Array.from({ length: 200 }, (_, at) => document(`${at}.md`, some())) }, { listsFrom: 100 });
  await using listed = await open(root, 0);
  await using exact = await open(root);
  for (const query of ["bike hire", "refund winter winter"]) {
    const [one, other] = [await listed.search(query, { method: "convex" }), await exact.search(query, { method: "convex" })];
    expect(one.map(({ document: id }) => id)).toEqual(other.map(({ document: id }) => id));
    one.forEach(({ score }, place) => expect(score).toBeCloseTo(other[place]!.score, 0));
  }
});

test("an open index sees what is committed, at its next search", async () => {
  await change(root, { put: [document("a.md", "bike hire")] });
  await using index = await open(root);
  const found = async (): Promise<readonly string[]> =>
    (await index.search("bike", { method: "bm25" })).map((passage) => passage.document).sort();
  expect(await found()).toEqual(["a.md"]);
  await change(root, { put: [document("b.md", "bike")] });
  expect(await found()).toEqual(["a.md", "b.md"]);
  await change(root, { remove: ["a.md"] });
  expect(await found()).toEqual(["b.md"]);
  expect(await index.document("b.md")).toMatchObject({ text: "bike" });
  expect(await index.document("a.md")).toBeUndefined();
});

test("many small changes stay few segments, and searches under way are not disturbed", async () => {
  await change(root, { put: [document("start.md", "bike")] });
  await using index = await open(root);
  for (let at = 0; at < 20; at++) {
    const searching = index.search("bike", { method: "hybrid", k: 50 });
    await change(root, { put: [document(`${at}.md`, "bike hire")] });
    expect((await searching).length).toBeGreaterThan(at);
  }
  expect(await index.search("bike", { method: "bm25", k: 50 })).toHaveLength(21);
  expect(index.stats).toMatchObject({ documents: 21, passages: 21 });
  expect(index.stats.segments).toBeLessThan(8);
  expect(await readdir(join(root, "segments"))).toHaveLength(index.stats.segments);
});

test("passages that a changed document had before are not embedded again", async () => {
  const [first, second] = ["one two three four five six seven eight", "nine ten eleven twelve thirteen fourteen"];
  const at = (end: string): Document => document("a.md", `# A\n\n${first}\n\n# B\n\n${end}`);
  await change(root, { put: [at(second)] });
  const before = embedding.asked.length;
  await change(root, { put: [at(`${second} changed`)] });
  const asked = embedding.asked.slice(before);
  expect(asked.some((passage) => passage.includes("changed"))).toBe(true);
  expect(asked.filter((passage) => passage.includes("one") || passage.includes("eight"))).toEqual([]);
});

describe("filters", () => {
  beforeEach(() =>
    change(root, {
      put: [
        document("hr/leave.md", "---\nauthor: Smith\nyear: 2021\ntags: [staff, rules]\n---\nbike leave"),
        document("hr/old.txt", "bike bike old"),
        document("travel/hotel.md", "---\nauthor: Jones\nyear: 2019\ndraft: true\n---\nbike hotel"),
      ],
    }),
  );

  test.each([
    [["author=Smith"], ["hr/leave.md"]],
    [["folder=hr"], ["hr/leave.md", "hr/old.txt"]],
    [["year>=2020"], ["hr/leave.md"]],
    [["year<2021"], ["travel/hotel.md"]],
    [["tags=rules"], ["hr/leave.md"]],
    [["draft!=true", "type=md"], ["hr/leave.md"]],
    [["author=Nobody"], []],
  ])("%j finds only %j, by every method", async (where, expected) => {
    await using index = await open(root);
    for (const method of methods) {
      const found = await index.search("bike", { method, where: where.map(parseCondition) });
      expect([...new Set(found.map((passage) => passage.document))].sort()).toEqual(expected);
    }
  });

  test("a condition without an operator is refused", () => {
    expect(() => parseCondition("author")).toThrow('"author" is no condition');
  });
});

test("one passage a document", async () => {
  await change(root, { put: [document("a.md", "bike one two three four five six seven bike nine ten bike"), document("b.md", "bike")] });
  await using index = await open(root);
  expect((await index.search("bike", { method: "bm25", onePerDocument: true })).map((passage) => passage.document).sort()).toEqual([
    "a.md",
    "b.md",
  ]);
});

describe("what is returned", () => {
  const handbook = "# Bikes\n\nBike one two three four five.\n\nBike six seven eight nine ten.\n\n# Trains\n\nTrain bike hire.";
  beforeEach(() => change(root, { put: [document("a.md", handbook), document("b.md", "Bike one two three four five.")] }));

  test.each(methods)("by %s can be sections or documents, each once", async (method) => {
    await using index = await open(root);
    const sections = (await index.search("bike", { method, unit: "section" })).map(({ text: found }) => found);
    expect(sections.toSorted()).toEqual(
      [handbook.slice(0, handbook.indexOf("# Trains")).trim(), "# Trains\n\nTrain bike hire.", "Bike one two three four five."].sort(),
    );
    const documents = (await index.search("bike", { method, unit: "document" })).map((passage) => passage.text);
    expect(documents.toSorted()).toEqual([handbook, "Bike one two three four five."].sort());
  });

  test.each(["bm25", "dense"] as const)("by %s and MMR comes later when it repeats what came before", async (method) => {
    const same = "Bike one two three four five.";
    await change(join(root, "mmr"), { put: [document("c.md", same), document("d.md", same), document("e.md", "bike harbour boat")] });
    await using index = await open(join(root, "mmr"));
    const find = async (mmr?: number): Promise<readonly string[]> => {
      const found = await index.search("bike one two three four five", { method, k: 2, ...(mmr !== undefined && { mmr }) });
      expect(found[0]!.score).toBeGreaterThanOrEqual(found[1]!.score);
      return found.map((passage) => passage.text);
    };
    expect(new Set(await find()).size).toBe(1);
    expect(new Set(await find(0.3)).size).toBe(2);
    expect(await find(1)).toEqual(await find());
  });

  test("by convex depends on the weight: all of it on one side ranks as that side", async () => {
    await using index = await open(root);
    for (const [weight, method] of [
      [0, "bm25"],
      [1, "dense"],
    ] as const) {
      const ids = async (as: Scorer): Promise<readonly string[]> =>
        (await index.search("train hire", { method: as, weight, k: 2 })).map(({ document: id, start }) => `${id} ${start}`);
      expect((await ids("convex"))[0]).toBe((await ids(method))[0]);
    }
  });
});

describe("a search that descends", () => {
  const extractive = { name: "extractive" };
  const handbook = "# Bikes\n\nBike hire costs nine pounds a day.\n\n# Boats\n\nA boat needs a licence. Bike racks are on the boat.";
  const leave = "# Leave\n\nStaff have leave in winter. No bike is needed.";

  test("looks into the best sections of the best documents alone", async () => {
    await change(root, { put: [document("a.md", handbook), document("b.md", leave)] }, { summaries: extractive });
    await using index = await open(root);
    const find = (descend: { documents: number; sections: number }): Promise<readonly Passage[]> =>
      index.search("bike hire", { method: "bm25", descend });
    const one = await find({ documents: 1, sections: 1 });
    expect(one.length).toBeGreaterThan(0);
    expect(one.every(({ document: id, end }) => id === "a.md" && end <= handbook.indexOf("# Boats"))).toBe(true);
    const wide = await find({ documents: 1, sections: 9 });
    expect(wide.every((passage) => passage.document === "a.md")).toBe(true);
    expect(wide.length).toBeGreaterThan(one.length);
    expect((await find({ documents: 9, sections: 9 })).some((passage) => passage.document === "b.md")).toBe(true);
  });

  test.each(["dense", "hybrid", "convex"] as const)("into everything finds what %s finds without", async (method) => {
    await change(root, { put: [document("a.md", handbook), document("b.md", leave)] }, { summaries: extractive });
    await using index = await open(root);
    const places = async (options: object): Promise<readonly string[]> =>
      (await index.search("bike hire", { method, ...options })).map(({ document: id, start }) => `${id} ${start}`);
    expect(await places({ descend: { documents: 9, sections: 9 } })).toEqual(await places({}));
  });

  test("goes by the summaries that a model wrote, and needs some", async () => {
    const summarise = async (text: string): Promise<string> => (text.includes("licence") ? "permits" : "nothing");
    await change(root, { put: [document("a.md", handbook), document("b.md", leave)] }, { summaries: { name: "model", summarise } });
    await using index = await open(root);
    const found = await index.search("permits", { method: "dense", descend: { documents: 1, sections: 1 } });
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ text: one }) => handbook.indexOf(one) >= handbook.indexOf("# Boats"))).toBe(true);
    await change(join(root, "flat"), { put: [document("a.md", handbook)] });
    await using flat = await open(join(root, "flat"));
    await expect(flat.search("bike", { descend: {} })).rejects.toThrow("has no summaries to descend by");
  });
});

test("other settings than the index was made with are refused, and so is a folder without an index", async () => {
  await change(root, { put: [document("a.md", "bike")] });
  await expect(openIndexWriter({ folder: root, chunk: { words: 9, overlap: 2 } })).rejects.toThrow("was made with passages of 8 words");
  await expect(open(join(root, "none"))).rejects.toThrow("There is no index in");
});

test("an index without embeddings is searched by its words alone", async () => {
  {
    await using writer = await openIndexWriter({ folder: root, chunk: { words: 8, overlap: 2 } });
    await writer.put(document("a.md", "bike hire"));
    await writer.commit({ sources: { folder: ".", paths: [] } });
  }
  await using index = await open(root);
  expect(await index.search("bike")).toHaveLength(1);
  await expect(index.search("bike", { method: "dense" })).rejects.toThrow("has no embeddings");
});
